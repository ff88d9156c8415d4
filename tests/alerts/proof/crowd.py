"""Eight processes decide the same requests at the same moment, again and again: one row and one notice each, whoever was first, and no error;
and eight send at the same moment: each mail once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import date, timedelta
from unittest import mock

from django.db.models import Count

from dsrportal.alerts import delivery
from dsrportal.alerts.raising import decide
from dsrportal.alerts.sending import send_alerts
from dsrportal.models import Alert, Mail, Notice, Role, Workspace
from dsrportal.models.alerts import AlertState, NoticeKind
from tests.alerts.conftest import Post
from tests.alerts.proof.stage import Asked, at_once, forget_the_ledger, mail_server, make_workspace, nobody_answers
from tests.alerts.stage import at, make_dsr, make_member

WORKERS = 8
REQUESTS = 1_000
TIMES = 20
SENDINGS = 10
NOW = at(date(2026, 3, 10))
MANAGERS = ("marc", "mona")


def decide_at_once(asked: Asked) -> Iterator[Counter[str]]:
    """So many times: in every other one the ledger is empty, in the others all of it is there already."""
    requests, times, met = asked.part_of(REQUESTS), asked.part_of(TIMES, least=2), Counter[str]()
    workspace = _team(requests=requests)
    expected = len(MANAGERS) * requests
    for time in range(times):
        if is_fresh := time % 2 == 0:
            forget_the_ledger()
        raised = at_once([lambda: decide(workspace, now=NOW).raised for _worker in range(WORKERS)])
        assert sum(raised) == (expected if is_fresh else 0), raised
        assert Alert.objects.count() == expected
        rows = Alert.objects.values("person", "upstream_id", "due_on").annotate(count=Count("pk"))
        assert set(rows.values_list("count", flat=True)) == {1}
        _judge_notices(expected=expected)
        met["decisions of all requests"] += WORKERS
        met["workers that raised some"] += sum(one > 0 for one in raised)
        met["rows, each once"] += expected if is_fresh else 0
        yield met


def _judge_notices(*, expected: int) -> None:
    """One for each alert; so many at once are parts of one notice for each person, which is what the bell counts."""
    assert Alert.objects.filter(notice__kind=NoticeKind.ALERT).count() == expected
    assert Notice.objects.filter(kind=NoticeKind.ALERT).count() == expected
    heads = Counter(Notice.objects.filter(part_of=None).values_list("person__username", "kind"))
    assert heads == Counter((name, NoticeKind.MANY) for name in MANAGERS), heads


def send_at_once(asked: Asked) -> Iterator[Counter[str]]:
    """Eight senders at the same moment, nobody is killed: no mail comes twice. (Leases last longer here: eight processes on a busy machine can take
    more than half a minute for one mail, after which it is taken from them as from the dead.)"""
    post, met = Post(), Counter[str]()
    _team(requests=3)
    with mail_server(post), nobody_answers(), mock.patch.object(delivery, "LEASE", timedelta(minutes=10)):
        for _time in range(asked.part_of(SENDINGS)):
            forget_the_ledger()
            post.taken.clear()
            for now in (at(NOW.date(), 7, 30), at(NOW.date(), 8, 35)):
                at_once([lambda n=now: send_alerts(now=n).mails for _worker in range(WORKERS)])  # type: ignore[misc]
            copies = Counter(str(mail["Message-ID"]) for mail in post.taken)
            assert set(copies.values()) == {1}, copies
            assert Mail.objects.filter(state="sent").count() == len(copies)
            assert set(Alert.objects.values_list("state", flat=True)) == {AlertState.SENT}
            subjects = Counter((str(mail["To"]), str(mail["Subject"])) for mail in post.taken)
            assert set(subjects.values()) == {1}, subjects
            met["mails, each once"] += len(copies)
            met["senders"] += 2 * WORKERS
            yield met


def _team(*, requests: int) -> Workspace:
    workspace = make_workspace("acme-france")
    for name in MANAGERS:
        make_member(name, workspace=workspace, role=Role.MANAGER)
    for n in range(requests):
        make_dsr(workspace, n + 1, respond_by=NOW.date() - timedelta(days=n % 5), extend_by=None)
    return workspace
