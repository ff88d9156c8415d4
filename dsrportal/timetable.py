"""Every background job, declared: its name, its words, when it runs, how long it may take, and why it may run twice. `dsrportal.jobs` runs
nothing that is not here; pages take the words from here. No row is read and nothing is run in this room.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from croniter import croniter
from django.conf import settings
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from dsrportal.models import Lane

MISSED = 3
"""So many intervals without a success, and a job is late."""
NIGHTLY_GRACE = timedelta(hours=1)
"""A daily job is late when it has not succeeded so long after its hour."""


class Deed(StrEnum):
    """What people notice when a job stands still."""

    READING = "reading"
    SENDING = "sending"
    TELLING = "telling"


@dataclass(frozen=True, kw_only=True, slots=True)
class Job:
    """One job. `every_minutes`, or `cron` in the portal's time zone and never between 01:00 and 04:00, which daylight saving repeats or skips;
    neither is one that is queued on demand, with `takes`, the names of its arguments: ids and instants, because the queue keeps them.

    `label` is what a person reads. `lane` is the pull that it starts, if it starts one. `again` says why it may run twice, at once, or after
    a kill. `deed` is what stands still with it.
    """

    name: str
    label: str | Promise
    timeout_seconds: int
    again: str
    every_minutes: int | None = None
    cron: str | None = None
    takes: tuple[str, ...] = ()
    lane: Lane | None = None
    deed: Deed | None = None

    @property
    def func(self) -> str:
        """Where the cluster finds the job."""
        return f"dsrportal.jobs.{self.name}"

    @property
    def is_scheduled(self) -> bool:
        """Whether the timetable starts it."""
        return self.every_minutes is not None or self.cron is not None

    def late_before(self, now: datetime) -> datetime:
        """A job of the timetable whose last success is older than this is late."""
        if self.every_minutes is not None:
            return now - timedelta(minutes=MISSED * self.every_minutes)
        runs = croniter(self.cron, (now - NIGHTLY_GRACE).astimezone(ZoneInfo(settings.TIME_ZONE)))
        last: datetime = runs.get_prev(datetime)
        return last


_QUEUES = "Queues at most what the queued job finds already done."

JOBS = (
    Job(
        name="pull_active",
        label=_("Read open requests from Dastra"),
        every_minutes=5,
        lane=Lane.ACTIVE,
        deed=Deed.READING,
        timeout_seconds=120,
        again=_QUEUES,
    ),
    Job(
        name="refresh_overtaking",
        label=_("Read what is overdue in Dastra"),
        every_minutes=15,
        lane=Lane.OVERTAKING,
        timeout_seconds=120,
        again=_QUEUES,
    ),
    Job(
        name="pull_full",
        label=_("Read all requests from Dastra"),
        cron="10 5 * * *",
        lane=Lane.FULL,
        timeout_seconds=120,
        again=_QUEUES,
    ),
    Job(
        name="pull_requested",
        label=_("Start the runs that people asked for"),
        every_minutes=1,
        timeout_seconds=120,
        again=_QUEUES,
    ),
    Job(
        name="send_outbox",
        label=_("Send what people changed to Dastra"),
        every_minutes=1,
        deed=Deed.SENDING,
        timeout_seconds=120,
        again="A wish is claimed by a conditional update before it is sent, and settled by reading.",
    ),
    Job(
        name="read_events",
        label=_("Read what Dastra reported as changed"),
        every_minutes=1,
        timeout_seconds=120,
        again=_QUEUES,
    ),
    Job(
        name="restate_clocks",
        label=_("Compute legal dates anew after a change of the rules"),
        every_minutes=5,
        timeout_seconds=120,
        again="Rows carry the number of the rules that they were computed by.",
    ),
    Job(
        name="send_alerts",
        label=_("Tell people of deadlines"),
        every_minutes=5,
        deed=Deed.TELLING,
        timeout_seconds=120,
        again="The ledger has a unique key; a mail is leased before it is sent.",
    ),
    Job(
        name="watch_mirrors",
        label=_("Notice when Dastra cannot be read"),
        every_minutes=5,
        timeout_seconds=120,
        again="One notice for each person and outage.",
    ),
    Job(
        name="beat",
        label=_("Sign of life"),
        every_minutes=1,
        timeout_seconds=120,
        again="Writes the moment.",
    ),
    Job(
        name="purge_results",
        label=_("Clear old job results"),
        cron="40 5 * * *",
        timeout_seconds=120,
        again="Deletes what is old.",
    ),
    Job(
        name="recount",
        label=_("Count the overview anew"),
        cron="50 5 * * *",
        timeout_seconds=120,
        again=_QUEUES,
    ),
    Job(
        name="run_pull",
        label=_("Read a workspace from Dastra"),
        takes=("workspace_id", "lane", "queued_at"),
        timeout_seconds=900,
        again="One lease for each workspace; a run that began after it was queued has done it.",
    ),
    Job(
        name="run_hold_end",
        label=_("End a hold"),
        takes=("workspace_id", "by_id"),
        timeout_seconds=900,
        again="Without a hold there is nothing to end.",
    ),
    Job(
        name="run_events",
        label=_("Read the events of a workspace"),
        takes=("receiver_id",),
        timeout_seconds=240,
        again="An event that was read is no longer waiting.",
    ),
    Job(
        name="run_recount",
        label=_("Count the overview of a workspace anew"),
        takes=("workspace_id",),
        timeout_seconds=280,
        again="Lines become what the rows say.",
    ),
    Job(
        name="run_invitation",
        label=_("Send an invitation"),
        takes=("invitation_id",),
        timeout_seconds=60,
        again="One that was sent is not sent again; a kill between the two may send a second copy of the same link.",
    ),
    Job(
        name="run_reset",
        label=_("Send a link to a new password"),
        takes=("user_id", "asked_at"),
        timeout_seconds=60,
        again="What was asked for at one moment is sent once.",
    ),
)
"""A long job may outlast the queue's patience (`retry`) and be delivered again: the second delivery finds the work taken up."""

BY_NAME = {job.name: job for job in JOBS}
SCHEDULED = tuple(job for job in JOBS if job.is_scheduled)


def label(name: str) -> str:
    """A job in words; a name that is no longer declared stays as it is."""
    return str(BY_NAME[name].label) if name in BY_NAME else name
