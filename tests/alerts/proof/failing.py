"""Message k of n fails, for every k: the others are neither held up nor sent again, and what failed goes once as soon as it can."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import date

from aiosmtpd.smtp import SMTP, Envelope, Session

from dsrportal.alerts.sending import send_alerts
from dsrportal.models import Mail, Role
from dsrportal.models.alerts import MailState
from tests.alerts.conftest import Post
from tests.alerts.proof.stage import Asked, forget_the_ledger, mail_server, make_workspace, nobody_answers
from tests.alerts.stage import at, make_dsr, make_member, make_operator

PEOPLE = 50
LEAST = 3
NOW = at(date(2026, 3, 10), 7, 30)
"""Before the digests: each person gets the one mail of their own request."""

WAYS = ("refuses the address for now", "refuses the address for good", "refuses the message", "hangs up")


class _Choosy(Post):
    """Fails once, at the message with the number `fails_at`, in its way."""

    def __init__(self) -> None:
        super().__init__()
        self.fails_at = 0
        self.way = ""
        self._count = 0

    def again(self, *, fails_at: int, way: str) -> None:
        self.taken.clear()
        self.fails_at, self.way, self._count = fails_at, way, 0

    async def handle_RCPT(  # noqa: N802  the server's word
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Count the messages, and perhaps refuse this one's address."""
        self._count += 1
        if self._count == self.fails_at and self.way.startswith("refuses the address"):
            return "451 later" if self.way.endswith("for now") else "550 no such mailbox"
        return await super().handle_RCPT(server, session, envelope, address, options)

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        """Perhaps do not take it."""
        if self._count == self.fails_at and self.way == "refuses the message":
            return "452 no room"
        if self._count == self.fails_at and self.way == "hangs up":
            assert server.transport
            server.transport.close()
            return "421 gone"
        return await super().handle_DATA(server, session, envelope)


def fail(asked: Asked) -> Iterator[Counter[str]]:
    """Every k of as many messages as there are people, each in one of the ways; a small share tries every way at every k."""
    people = asked.part_of(PEOPLE, least=LEAST)
    post, met = _Choosy(), Counter[str]()
    workspace = make_workspace("acme-france")
    for n in range(people):
        person = make_member(f"p{n:02}", workspace=workspace, role=Role.OFFICER)
        operator = make_operator(workspace, email=person.email, upstream_id=n + 1)
        make_dsr(workspace, n + 1, respond_by=NOW.date(), extend_by=None, operator=operator)
    with mail_server(post), nobody_answers():
        for k in range(1, people + 1):
            for way in WAYS if people == LEAST else WAYS[k % len(WAYS) :][:1]:
                forget_the_ledger()
                post.again(fails_at=k, way=way)
                _judge(post, people=people)
                met[f"messages that failed: the server {way}"] += 1
                met["messages"] += people
            if k % 10 == 0:
                yield met
    yield met


def _judge(post: _Choosy, *, people: int) -> None:
    first = send_alerts(now=NOW, insist=True)
    assert (first.raised, first.mails) == (people, people - 1), first
    is_final = post.way.endswith("for good")
    second = send_alerts(now=NOW, insist=True)
    assert second.mails == (0 if is_final else 1), second
    assert send_alerts(now=NOW, insist=True).mails == 0
    copies = Counter(str(mail["Message-ID"]) for mail in post.taken)
    assert set(copies.values()) == {1}, "sent again"
    sent = Mail.objects.filter(state=MailState.SENT)
    assert copies.keys() == set(sent.values_list("message_id", flat=True))
    assert len({str(mail["To"]) for mail in post.taken}) == len(copies) == people - is_final
    assert Mail.objects.filter(state=MailState.FAILED).count() == is_final
