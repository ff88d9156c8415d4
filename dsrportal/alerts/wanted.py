"""What should have been told by a day, to whom and how: rows -> alerts that are stored nowhere. Called by `raising.py`, which compares them with the
ledger. Reads rows, writes none.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import date
from typing import Any

from dsrportal.alerts import ledger_rows
from dsrportal.alerts.mutes import Mutes
from dsrportal.alerts.recipients import COPIES, Hearer, Recipients
from dsrportal.alerts.thresholds import Reached, reached
from dsrportal.clocks import Calendar
from dsrportal.models import Alert, Workspace
from dsrportal.models.alert_rules import AlertPolicy
from dsrportal.models.alerts import AlertClock, AlertState, Because

Key = tuple[int, str, str, date, int]
"""Request, clock, threshold, legal date, person: what an alert is, within a workspace."""


def key_of(alert: Alert) -> Key:
    """What makes an alert the same as another of its workspace."""
    return (alert.upstream_id, str(alert.clock), str(alert.threshold), alert.due_on, alert.person_id)


def wanted_alerts(
    workspace: Workspace,
    *,
    recipients: Recipients,
    mutes: Mutes,
    calendar: Calendar,
    today: date,
    only: Collection[int] | None,
) -> dict[Key, Alert]:
    """Every alert that holds today, unsaved, by its key, in the state in which it begins. `only` names requests by upstream id. One query."""
    policy = recipients.policy
    found: dict[Key, Alert] = {}
    hearers: dict[int | None, list[Hearer]] = {}
    managers = recipients.of_overdue()
    for row in ledger_rows.due_requests(workspace, policy=policy, today=today, only=only):
        operator_id = row["operator_id"]
        if operator_id not in hearers:
            hearers[operator_id] = recipients.of_request(operator_id)
        told = _told(row, own=hearers[operator_id], managers=managers, policy=policy, calendar=calendar, today=today)
        for one, hearer in told:
            alert = Alert(
                workspace=workspace,
                dsr_id=row["pk"],
                upstream_id=row["upstream_id"],
                reference=row["reference"],
                clock=one.clock,
                threshold=one.threshold,
                due_on=one.due_on,
                fires_on=one.fires_on,
                person=hearer.person,
                because=hearer.because,
                stands_in_for=hearer.stands_in_for,
                state=_state(one, hearer=hearer, dsr_pk=row["pk"], mutes=mutes, policy=policy),
            )
            found[key_of(alert)] = alert
    return found


def is_news(alert: Alert, *, policy: AlertPolicy, latest: date | None) -> bool:
    """Whether somebody who was last told of this date when a threshold of `latest` was reached (None: never) is to be told of this one.

    Other rules begin today: what they would have told before they were made is not made up for where the person knows of the date, and copies do
    not reach back.
    """
    if latest is not None:
        since = policy.since.get(str(alert.threshold), date.min)
        return alert.fires_on > latest and alert.fires_on >= since
    if alert.because in COPIES:
        what = "managers" if alert.because == Because.MANAGER else f"named_{alert.person_id}"
        return alert.fires_on >= policy.since.get(what, date.min)
    return True


def _told(
    row: dict[str, Any],
    *,
    own: list[Hearer],
    managers: list[Hearer],
    policy: AlertPolicy,
    calendar: Calendar,
    today: date,
) -> Iterator[tuple[Reached, Hearer]]:
    """Who is told what of one request: of a clock each person hears the most urgent thing alone."""
    near, overdue = reached(ledger_rows.dates_of(row), calendar=calendar, today=today, thresholds=policy.thresholds)
    for one in overdue:
        yield from ((one, hearer) for hearer in managers)
    warned = {hearer.person.pk for hearer in managers} if overdue else set()
    for one in near:
        for hearer in own:
            if one.clock != AlertClock.RESPOND or hearer.person.pk not in warned:
                yield one, hearer


def _state(one: Reached, *, hearer: Hearer, dsr_pk: int, mutes: Mutes, policy: AlertPolicy) -> AlertState:
    """In which state an alert begins, and to which it changes while nobody was told."""
    person = hearer.person
    if policy.is_dry:
        return AlertState.DRY
    if hearer.is_away:
        return AlertState.AWAY
    if mutes.silences(one.threshold, person_id=person.pk, dsr_pk=dsr_pk):
        return AlertState.MUTED
    if not person.email or mutes.keeps_from_digest(one.threshold, person_id=person.pk):
        return AlertState.PORTAL
    return AlertState.WAITING
