"""kill -9 of the sender: at every boundary of its work, by chance, and several times in a row. In the portal nothing is lost and nothing doubled; of
mails nothing is lost, and at most one more copy for each kill goes, under the same Message-ID.

A round is a run at half past seven for what cannot wait, or one at half past eight for the digests. It is killed, perhaps several times, and then
made good by a run half a minute later, when the lease of the dead one is over.
"""

from __future__ import annotations

import os
import random
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path

from django.db import connection

from dsrportal.alerts.delivery import LEASE
from dsrportal.alerts.sending import send_alerts
from dsrportal.models import Alert, Mail, Notice, Role
from dsrportal.models.alerts import AlertState, MailKind, MailState
from dsrportal.sandbox import Server
from tests.alerts.conftest import Post
from tests.alerts.proof import smtp
from tests.alerts.proof.stage import (
    KILLED,
    Asked,
    Due,
    Ended,
    ahead,
    dastra,
    forget_the_ledger,
    forked,
    killed_after,
    mail_server,
    mirrored,
    put_due,
)
from tests.alerts.stage import at, make_member, make_operator
from tests.crash import boundaries
from tests.crash.commands import telling
from tests.crash.deeds import _integrity

DAY = date(2026, 3, 10)
URGENT, DIGEST = MOMENTS = (at(DAY, 7, 30), at(DAY, 8, 35))
LATER_SECONDS = LEASE.total_seconds() + 1
MOST_IN_A_ROW = 3
REPORT = 10

WAY = (
    "before commit of INSERT notice",
    "after commit of INSERT notice",
    "before INSERT mail",
    "at the unread answer of GET /DataSubjectRequests/#",
    "before SMTP connect",
    "after SMTP MAIL",
    "at the unread answer of SMTP RCPT",
    "after SMTP DATA",
    f"within SMTP {smtp.MESSAGE}",
    f"at the unread answer of SMTP {smtp.MESSAGE}",
    f"after SMTP {smtp.MESSAGE}",
)
"""Some of the boundaries that a run passes, so that the hooks are known to hold."""

# Who is told of which request, and whether it interrupts.
EXPECTED = {
    ("luc", 1): True,  # due today and his
    ("luc", 2): True,  # since yesterday, and his
    ("marc", 2): True,  # which those who answer for it hear too
    ("mona", 2): True,
    ("marc", 3): True,  # due today and nobody's
    ("mona", 3): True,
    ("marc", 4): False,  # due in three working days
    ("mona", 4): False,
    ("marc", 5): True,  # to be extended today
    ("mona", 5): True,
}


def kill(asked: Asked) -> Iterator[Counter[str]]:
    """At a share of all boundaries, then so many times by chance; what was met, from time to time."""
    post = Post()
    with tempfile.TemporaryDirectory(prefix="dsr-portal-proof-") as name, mail_server(post):
        folder = Path(name)
        with dastra(folder, requests=24) as server:
            yield from _Rounds(post, server=server, folder=folder, asked=asked).run()


@dataclass(frozen=True, kw_only=True, slots=True)
class Death:
    """At the boundary with this number, or else so long after the beginning."""

    boundary: int = 0
    seconds: float = 0.0


class _Rounds:
    def __init__(self, post: Post, *, server: Server, folder: Path, asked: Asked) -> None:
        self.post = post
        self.names: dict[int, str] = {}
        self.asked = asked
        self.met: Counter[str] = Counter()
        self._trace = folder / "trace"
        self._chance = random.Random(asked.seed)
        self._set_the_scene(server)

    def _set_the_scene(self, server: Server) -> None:
        workspace = mirrored("acme-france", server=server)
        for name, role in (("luc", Role.OFFICER), ("marc", Role.MANAGER), ("mona", Role.MANAGER)):
            make_member(name, workspace=workspace, role=role)
        operator = make_operator(workspace, email="luc@example.org")
        days = {
            1: (0, None, operator),
            2: (-1, None, operator),
            3: (0, None, None),
            4: (3, None, None),
            5: (60, 0, None),
        }
        self.names = put_due(
            workspace,
            {
                number: Due(
                    respond_by=DAY + timedelta(days=respond),
                    extend_by=None if extend is None else DAY + timedelta(days=extend),
                    operator=holder,
                )
                for number, (respond, extend, holder) in days.items()
            },
        )

    def run(self) -> Iterator[Counter[str]]:
        send_alerts(now=URGENT)  # here, so that what is loaded once is there in every fork
        paths = {now: self._boundaries(now) for now in MOMENTS}
        self.met["boundaries on the way"] = sum(map(len, paths.values()))
        for name in WAY:
            assert name in paths[URGENT], f"the proof no longer sees “{name}”: {paths[URGENT]}"
        took = self._how_long()
        stride = max(1, round(1 / self.asked.share))
        deaths = [(now, number) for now, names in paths.items() for number in telling(names)][::stride]
        for nth, (now, number) in enumerate(deaths, start=1):
            self._round(now, [Death(boundary=number)])
            if nth % REPORT == 0:
                yield self.met
        kills = 0
        while kills < self.asked.kills:
            row = min(self._chance.randint(1, MOST_IN_A_ROW), self.asked.kills - kills)
            now = self._chance.choice(MOMENTS)
            self._round(now, [self._by_chance(paths[now], took=took) for _kill in range(row)])
            kills += row
            if kills % REPORT < row:
                yield self.met
        yield self.met

    def _by_chance(self, names: Sequence[str], *, took: float) -> Death:
        """Somewhere on the way, or at any moment."""
        if self._chance.random() < 0.5:
            return Death(boundary=self._chance.randint(1, len(names)))
        return Death(seconds=self._chance.uniform(0, took))

    def _boundaries(self, now: datetime) -> list[str]:
        """The names of what a run passes when nothing goes wrong."""
        self._forget()
        end = self._send(now, kill_at=0)
        assert end.exit == 0, end.error
        self._judge(now, kills=0)
        return self._trace.read_text(encoding="utf-8").splitlines()

    def _how_long(self) -> float:
        self._forget()
        began = time.monotonic()
        end = forked(lambda: _sent(URGENT))
        assert end.exit == 0, end.error
        return time.monotonic() - began

    def _forget(self) -> None:
        forget_the_ledger()
        self.post.taken.clear()

    def _round(self, now: datetime, deaths: Sequence[Death]) -> None:
        self._forget()
        kills, seconds = 0, 0.0
        for death in deaths:
            if death.boundary:
                end = self._send(now, kill_at=death.boundary, seconds=seconds)
            else:
                end = killed_after(lambda s=seconds: _sent(now, seconds=s), seconds=death.seconds)  # type: ignore[misc]
            assert end.exit in {KILLED, 0}, end.error
            what = "kills at a boundary" if death.boundary else "kills at any moment"
            self.met[what if end.exit == KILLED else "had ended before"] += 1
            kills += end.exit == KILLED
            seconds += LATER_SECONDS
        end = forked(lambda: _sent(now, seconds=seconds))
        assert end.exit == 0, end.error
        self._judge(now, kills=kills)
        self.met["rounds"] += 1

    def _send(self, now: datetime, *, kill_at: int, seconds: float = 0.0) -> Ended:
        """A run that dies at the boundary with this number; 0 for none."""

        def work() -> None:
            trace = os.open(self._trace, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            boundaries.install()
            smtp.install()
            boundaries.arm(kill_at=kill_at, trace=trace)
            connection.close()  # it is opened anew, so that it is hooked too
            _sent(now, seconds=seconds)

        return forked(work)

    def _judge(self, now: datetime, *, kills: int) -> None:
        """What must hold in the end, told by the rows and by what the mail server took."""
        assert _integrity() == "ok"
        alerts = list(Alert.objects.select_related("person"))
        told = {(one.person.username, self._number(one.reference)): one.state for one in alerts}
        assert len(told) == len(alerts), "an alert twice"
        assert told == {
            key: AlertState.SENT if is_urgent or now == DIGEST else AlertState.WAITING
            for key, is_urgent in EXPECTED.items()
        }
        rows = Notice.objects.values_list("person__username", "alert__reference")
        notices = Counter((username, self._number(reference)) for username, reference in rows)
        assert notices == Counter(told.keys()), notices
        assert not Mail.objects.exclude(state__in=(MailState.SENT, MailState.CANCELLED)).exists()
        self._judge_mails(now, kills=kills)

    def _number(self, reference: str) -> int:
        return next(number for number, name in self.names.items() if name == reference)

    def _judge_mails(self, now: datetime, *, kills: int) -> None:
        copies: dict[str, list[tuple[str, str]]] = {}
        for mail in self.post.taken:
            body = mail.get_body(("plain",))
            assert body
            copies.setdefault(str(mail["Message-ID"]), []).append((str(mail["To"]), body.get_content()))
        extra = sum(map(len, copies.values())) - len(copies)
        assert extra <= kills, f"{extra} more mails than there should be, after {kills} kills"
        self.met["mails that came once more"] += extra
        self.met["mails"] += len(copies)
        rows = {mail.message_id: mail for mail in Mail.objects.filter(state=MailState.SENT)}
        assert copies.keys() == rows.keys(), "what went is what was noted"
        named: Counter[tuple[str, int]] = Counter()
        for number, some in copies.items():
            assert len({to for to, _text in some}) == 1, some
            assert (rows[number].kind == MailKind.DIGEST) == (now == DIGEST)
            username = some[0][0].partition("@")[0]
            named.update((username, n) for n, name in self.names.items() if f"{name}:" in some[0][1])
        wanted = Counter(key for key, is_urgent in EXPECTED.items() if is_urgent or now == DIGEST)
        # Who answers for the deadlines finds all of them in the digest, also what somebody else was told of.
        if now == DIGEST:
            wanted |= Counter((username, n) for username in ("marc", "mona") for n in self.names)
        assert named == wanted, (named, wanted)


def _sent(now: datetime, *, seconds: float = 0.0) -> None:
    """A run, by a clock that is ahead."""
    with ahead(seconds):
        send_alerts(now=now, insist=True)
