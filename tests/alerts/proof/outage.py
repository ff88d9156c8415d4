"""Dastra is down for hours while the deadlines of many requests pass: one notice for each admin, no alert from guesses, and all that is true within a
quarter of an hour of its return. Everybody's clock is simulated: the portal's, Dastra's, the mail server's.

The deadlines pass at midnight, in the middle of the outage. A few of the requests are closed in Dastra while nobody can see it. The rules of the workspace
let mails go at any hour, and the digest at half past midnight, within the outage.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from datetime import date, datetime, time, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import time_machine
from django.test import override_settings
from django.utils import timezone

from dsrportal.alerts import outages
from dsrportal.alerts.sending import send_alerts
from dsrportal.mirror.pull import pull
from dsrportal.models import Alert, AlertRules, Lane, Notice, Role, Workspace
from dsrportal.models.alerts import AlertState, NoticeKind
from dsrportal.models.runs import SyncOutcome
from dsrportal.sandbox import Fault, Sandbox, Server, Switches
from tests.alerts.conftest import Post
from tests.alerts.proof.stage import Asked, mail_server, make_workspace
from tests.alerts.stage import at, make_member
from tests.torture.line import Line

REQUESTS, CLOSED = 100, 10
HOURS = 6
RECEIVED, DUE = date(2026, 2, 9), date(2026, 3, 9)
MIDNIGHT = at(DUE + timedelta(days=1), 0)
EVERY = timedelta(minutes=5)
IN_TIME = timedelta(minutes=15)
PEOPLE = {"ada": Role.ADMIN, "arno": Role.ADMIN, "marc": Role.MANAGER, "mona": Role.MANAGER}


def outlast(asked: Asked) -> Iterator[Counter[str]]:
    """Six hours and 100 deadlines; a small share takes fewer, but never less than an hour and a half."""
    requests = asked.part_of(REQUESTS, least=12)
    half = max(timedelta(minutes=45), timedelta(hours=HOURS) * asked.share / 2)
    post, met = Post(), Counter[str]()
    sandbox = Sandbox(requests=1, seed=asked.seed, now=timezone.now, settings=Switches(limits_enforced=False))
    with sandbox.serve() as server, TemporaryDirectory(prefix="dsr-portal-proof-") as folder:
        settings: dict[str, Any] = {"UPSTREAM_ALLOWED_HOSTS": [server.host_port], "DATA_DIR": Path(folder)}
        with (
            override_settings(**settings),
            Line(server).connected(),
            mail_server(post),
            time_machine.travel(MIDNIGHT - half - 3 * EVERY, tick=False) as clock,
        ):
            _Night(server, post=post, shift=clock.shift, requests=requests, half=half, met=met).run()
    yield met


class _Night:
    def __init__(
        self,
        server: Server,
        *,
        post: Post,
        shift: Callable[[timedelta], None],
        requests: int,
        half: timedelta,
        met: Counter[str],
    ) -> None:
        self.dastra = server.state[101]
        self.server = server
        self.post = post
        self._shift = shift
        self.half = half
        self.met = met
        self.workspace = self._set_the_scene(requests=requests + CLOSED)
        self.closing = sorted(self.dastra.records)[:CLOSED]
        self.expected = {
            (name, upstream_id)
            for name in ("marc", "mona")
            for upstream_id in self.dastra.records
            if upstream_id not in self.closing
        }

    def _set_the_scene(self, *, requests: int) -> Workspace:
        for upstream_id in list(self.dastra.records):
            self.dastra.delete(upstream_id)
        for n in range(requests):
            self.dastra.create(title=f"Request {n}", dateDemand=f"{RECEIVED.isoformat()}T10:00:00.0000000")
        workspace = make_workspace("acme", base_url=self.server.base_url, secret=self.server.api_key)
        for name, role in PEOPLE.items():
            make_member(name, workspace=workspace, role=role)
        AlertRules.objects.create(
            workspace=workspace,
            extend_days=[10],
            respond_days=[5, 2],
            overdue_days=[1, 3, 7],
            begins=time(0),
            ends=time(23, 59),
            digest_at=time(0, 30),
            changed_at=timezone.now(),
        )
        return workspace

    def run(self) -> None:
        for _run in range(3):
            assert self._jobs() == SyncOutcome.COMPLETE
        before = self._overdue()
        assert not before
        self.post.taken.clear()
        self.server.faults.add(Fault(kind="close_without_answer", times=None))
        down_since = timezone.now() - EVERY
        self._while_it_is_down(since=down_since)
        self._judge_the_outage(since=down_since)
        self.server.faults.clear()
        back = timezone.now()
        self._judge_the_return(since=back)

    def _jobs(self) -> SyncOutcome:
        """What the timetable does every five minutes; then they are over."""
        outcome = pull(self.workspace, lane=Lane.ACTIVE, now=timezone.now).outcome
        send_alerts(now=timezone.now())
        outages.tell_of_outages(now=timezone.now())
        self.met["runs of the jobs"] += 1
        self._shift(EVERY)
        return SyncOutcome(outcome)

    def _while_it_is_down(self, *, since: datetime) -> None:
        while timezone.now() < MIDNIGHT + self.half:
            assert self._jobs() != SyncOutcome.COMPLETE
            assert not self._overdue(), "an alert from a guess"
            if self.closing and timezone.now() > since + self.half / 2:
                for upstream_id in self.closing:
                    self.dastra.move(upstream_id, self.dastra.final_step()["id"])
                self.closing = []
        self.met["minutes without Dastra"] += int((timezone.now() - since).total_seconds() // 60)

    def _judge_the_outage(self, *, since: datetime) -> None:
        stale = Counter(Notice.objects.filter(kind=NoticeKind.STALE).values_list("person__username", flat=True))
        assert stale == Counter(name for name, role in PEOPLE.items() if role == Role.ADMIN), stale
        self.met["notices of old data"] += sum(stale.values())
        subjects = [str(mail["Subject"]) for mail in self.post.taken]
        assert all(subject.startswith("Deadlines:") for subject in subjects), "nobody is interrupted"
        for mail in self.post.taken:
            body = mail.get_body(("plain",))
            assert body
            assert "not checked since" in body.get_content(), "a digest says how old it is"
            self.met["digests with their age"] += 1
        assert self.met["digests with their age"] > 0

    def _judge_the_return(self, *, since: datetime) -> None:
        self.post.taken.clear()
        while timezone.now() < since + IN_TIME:
            assert self._jobs() == SyncOutcome.COMPLETE
        rows = list(self._overdue())
        found = {(row.person.username, row.upstream_id) for row in rows}
        assert len(found) == len(rows), "an alert twice"
        assert found == self.expected, f"missing {self.expected - found}, wrong {found - self.expected}"
        assert {row.state for row in rows} == {AlertState.SENT}
        told: Counter[str] = Counter()
        for mail in self.post.taken:
            body = mail.get_body(("plain",))
            assert body
            told.update({f"{mail['To']} {row.reference}" for row in rows if f"{row.reference}:" in body.get_content()})
        assert told == Counter(f"{row.person.email} {row.reference}" for row in rows), "each is in one mail"
        assert Notice.objects.filter(kind=NoticeKind.STALE, ended_at=None).count() == 0, (
            "the notice of old data is over"
        )
        self.met["alerts within a quarter of an hour"] += len(rows)
        self.met["mails after the return"] += len(self.post.taken)

    def _overdue(self) -> list[Alert]:
        return list(Alert.objects.filter(threshold__startswith="overdue").select_related("person"))
