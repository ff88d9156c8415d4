"""What runs without a user: a few doors of few lines. Called by the cluster of django-q and by "run now"; declared in `dsrportal.timetable`.

Arguments are ids and instants, results are words and counts, because the queue keeps both in the database. Every job may run twice or be
killed at any line: a run that was queued before the last attempt has nothing left to do. Nothing here speaks to Dastra by itself.
"""

from dsrportal.jobs.chores import (
    beat,
    purge_results,
    read_events,
    recount,
    request_events,
    request_invitation,
    request_reset,
    request_restating,
    request_sending,
    restate_clocks,
    run_events,
    run_invitation,
    run_recount,
    run_reset,
    send_alerts,
    send_outbox,
    watch_mirrors,
)
from dsrportal.jobs.pulls import (
    pull_active,
    pull_full,
    pull_requested,
    refresh_overtaking,
    request_hold_end,
    request_run,
    run_hold_end,
    run_pull,
)
from dsrportal.jobs.running import CLUSTER, HEARTBEAT, Parked, enqueue, parked, request_again
from dsrportal.jobs.schedules import sync_schedules

__all__ = [
    "CLUSTER",
    "HEARTBEAT",
    "Parked",
    "beat",
    "enqueue",
    "parked",
    "pull_active",
    "pull_full",
    "pull_requested",
    "purge_results",
    "read_events",
    "recount",
    "refresh_overtaking",
    "request_again",
    "request_events",
    "request_hold_end",
    "request_invitation",
    "request_reset",
    "request_restating",
    "request_run",
    "request_sending",
    "restate_clocks",
    "run_events",
    "run_hold_end",
    "run_invitation",
    "run_pull",
    "run_recount",
    "run_reset",
    "send_alerts",
    "send_outbox",
    "sync_schedules",
    "watch_mirrors",
]
