"""Seeded bugs: small, plausible mistakes put into the running ledger, each of which the state machine has to notice."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import date, timedelta
from typing import Any
from unittest import mock

from dsrportal.alerts import raising, wanted
from dsrportal.alerts.ledger_rows import Known
from dsrportal.alerts.recipients import Recipients
from dsrportal.alerts.thresholds import Dates, reached
from dsrportal.models import Alert
from dsrportal.models.alerts import AlertState

Planted = Callable[[], AbstractContextManager[Any]]


def _in(target: Any, name: str, wrong: Any) -> Planted:
    return lambda: mock.patch.object(target, name, wrong)


def _ignores_the_extension(dates: Dates, **given: Any) -> Any:
    return reached(replace(dates, is_extended=False), **given)


def _ignores_the_refusal(dates: Dates, **given: Any) -> Any:
    return reached(replace(dates, is_refused=False), **given)


def _a_day_early(dates: Dates, *, today: date, **given: Any) -> Any:
    return reached(dates, today=today + timedelta(days=1), **given)


def _every_threshold_is_the_first(dates: Dates, *, today: date, **given: Any) -> Any:
    own, overdue = reached(dates, today=today, **given)
    return [one for one in own if one.fires_on == today], overdue


def _known_by_any_date(workspace: Any, *, wanted: dict[Any, Alert]) -> dict[Any, Known]:
    found = _known(workspace, wanted=wanted)
    rows = Alert.objects.filter(workspace=workspace).values_list("upstream_id", "clock", "threshold", "person_id", "pk")
    told = {(upstream_id, clock, code, person_id): pk for upstream_id, clock, code, person_id, pk in rows}
    for key, alert in wanted.items():
        pk = told.get((*key[:3], key[4]))
        if key not in found and pk is not None:
            known = Known(pk=pk, state=AlertState.SENT, threshold=key[2], fires_on=alert.fires_on)
            found[key] = known
    return found


def _told_once_for_ever(alert: Alert, *, latest: date | None, **_: Any) -> bool:
    return latest is None


def _deletes_what_no_longer_holds(workspace: Any, *, wanted: dict[Any, Any], **_: Any) -> int:
    over = [one.pk for one in Alert.objects.filter(state="waiting") if wanted_key(one) not in wanted]
    Alert.objects.filter(pk__in=over).delete()
    return len(over)


wanted_key = wanted.key_of
_known = raising._known
_of_request = Recipients.of_request


def _always_to_the_managers(self: Recipients, operator_id: int | None) -> Any:
    return _of_request(self, None)


BUGS: dict[str, Planted] = {
    "a new date of a request that was told of is not told": _in(raising, "_known", _known_by_any_date),
    "a date that was told is not told when it is nearer": _in(raising, "is_news", _told_once_for_ever),
    "an extension is not seen": _in(wanted, "reached", _ignores_the_extension),
    "a refusal is not seen": _in(wanted, "reached", _ignores_the_refusal),
    "told a day early": _in(wanted, "reached", _a_day_early),
    "told on the day itself alone, and never later": _in(wanted, "reached", _every_threshold_is_the_first),
    "what no longer holds still waits": _in(raising, "_cancel", lambda *_, **__: 0),
    "what no longer holds is deleted": _in(raising, "_cancel", _deletes_what_no_longer_holds),
    "what holds again is not taken up": _in(raising, "_turn", lambda *_, **__: 0),
    "the bell is forgotten": _in(raising, "_notice", lambda *_, **__: None),
    "the assignee is not looked at": _in(Recipients, "of_request", _always_to_the_managers),
}
