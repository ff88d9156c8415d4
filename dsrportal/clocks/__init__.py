"""FLOOR 0 · The legal clocks of a request: when it is due, and why. Pure: no Django, no database, and no look at the clock (`today` is an argument).

`compute(facts, policy=…, today=…)` is the door. What the law says, rule by rule, is in docs/deadlines.md.
"""

from dsrportal.clocks.calendars import (
    EARLIEST,
    LATEST,
    Calendar,
    Rest,
    UnknownCalendarError,
    calendar_of,
    check_region,
    country_codes,
    holiday_name,
    regions_of,
)
from dsrportal.clocks.facts import Clocks, Event, EventKind, Extension, Facts, Pause, Refusal, State, day_of
from dsrportal.clocks.profiles import PausePolicy, Policy, Profile, add_months
from dsrportal.clocks.rules import compute, upstream_rule
from dsrportal.clocks.target import own_target
from dsrportal.clocks.trace import SOURCES, Step, StepCode, source_of

__all__ = [
    "EARLIEST",
    "LATEST",
    "SOURCES",
    "Calendar",
    "Clocks",
    "Event",
    "EventKind",
    "Extension",
    "Facts",
    "Pause",
    "PausePolicy",
    "Policy",
    "Profile",
    "Refusal",
    "Rest",
    "State",
    "Step",
    "StepCode",
    "UnknownCalendarError",
    "add_months",
    "calendar_of",
    "check_region",
    "compute",
    "country_codes",
    "day_of",
    "holiday_name",
    "own_target",
    "regions_of",
    "source_of",
    "upstream_rule",
]
