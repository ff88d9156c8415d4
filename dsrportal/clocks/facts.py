"""What happened to a request, and what the law makes of it: the question and the answer of `rules.compute`. Values alone.

Days are those of the workspace's own time zone (`day_of`), never instants.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, tzinfo
from enum import StrEnum

from dsrportal.clocks.trace import Step


@dataclass(frozen=True, kw_only=True, slots=True)
class Pause:
    """A question to the person (identity, or what is meant): asked on a day, answered on a day or not yet. Raises `ValueError` when reversed."""

    asked_on: date
    answered_on: date | None = None

    def __post_init__(self) -> None:
        if self.answered_on is not None and self.answered_on < self.asked_on:
            raise ValueError("A pause cannot end before it begins.")


@dataclass(frozen=True, kw_only=True, slots=True)
class Extension:
    """An extension as it is recorded: it exists only with a ground, and with a notice to the person in time."""

    notice_on: date | None
    has_ground: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Refusal:
    """The person was told that the request is refused."""

    notice_on: date


@dataclass(frozen=True, kw_only=True, slots=True)
class Facts:
    """What is known of one request. `received_on` None: never said. `is_receipt_from_creation`: Dastra's creation date stands for it.

    `upstream_due_on` is the day of Dastra's own date (`expiryTime`), `is_complex` what its own rule asks; `closed_on` None while it is open.
    """

    received_on: date | None
    is_receipt_from_creation: bool = False
    pauses: tuple[Pause, ...] = ()
    extension: Extension | None = None
    refusal: Refusal | None = None
    upstream_due_on: date | None = None
    is_complex: bool = False
    closed_on: date | None = None


class State(StrEnum):
    """How a request stands. `closed_early` includes the due day itself; `closed` is one whose due date is not known."""

    OVERDUE = "overdue"
    DUE_NOW = "due_now"
    SOON = "soon"
    ON_TRACK = "on_track"
    PAUSED = "paused"
    UNKNOWN = "unknown"
    CLOSED = "closed"
    CLOSED_EARLY = "closed_early"
    CLOSED_LATE = "closed_late"


class EventKind(StrEnum):
    """What is legally next: `extend` means "extend or answer by"; `refuse` is the last day for refusing what is extended already."""

    RESPOND = "respond"
    EXTEND = "extend"
    REFUSE = "refuse"


@dataclass(frozen=True, kw_only=True, slots=True)
class Event:
    """The next legal event and its day."""

    kind: EventKind
    on: date


@dataclass(frozen=True, kw_only=True, slots=True)
class Clocks:
    """The clocks of one request on one day.

    While a pause is open, `respond_by` is the date that an answer today would give: it moves by a day a day, and `without_pauses` stays.
    `raw_on` is `respond_by` before the roll to a working day. `extension_valid` and `refusal_in_time` are None where there is none.
    `late_pauses` are the days of questions asked more than seven days after receipt, `ignored_pauses` those that do not count at all.
    `days_left` and `working_days_left` are negative when overdue, and None for what is closed or unknown. `days_late` is the verdict of a closed one:
    negative is early. `overdue` is open and past `respond_by`; `state` is then `overdue`, or `paused` while a question is out.
    """

    received_on: date | None
    raw_on: date | None = None
    respond_by: date | None = None
    extend_by: date | None = None
    refuse_by: date | None = None
    without_pauses: date | None = None
    extension_valid: bool | None = None
    refusal_in_time: bool | None = None
    pause_days: int = 0
    paused_since: date | None = None
    late_pauses: tuple[date, ...] = ()
    ignored_pauses: tuple[date, ...] = ()
    upstream_rule: date | None = None
    state: State = State.UNKNOWN
    overdue: bool = False
    decide_extension: bool = False
    days_left: int | None = None
    working_days_left: int | None = None
    days_late: int | None = None
    next_event: Event | None = None
    trace: tuple[Step, ...] = field(default=(), compare=False)

    @property
    def is_paused(self) -> bool:
        """Whether a question is out that stops the clock today."""
        return self.paused_since is not None


def day_of(instant: datetime, *, zone: tzinfo) -> date:
    """The day of an instant in the workspace's time zone."""
    return instant.astimezone(zone).date()
