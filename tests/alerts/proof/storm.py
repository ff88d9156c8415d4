"""Thousands of requests are overdue at once: nobody gets more than two mails in the first hour, and each request is listed once for each person who
is to know of it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from datetime import date, datetime, timedelta

from dsrportal.alerts.sending import send_alerts
from dsrportal.models import Alert, DataSubjectRequest, Role
from dsrportal.models.alerts import AlertState
from tests.alerts.conftest import Post
from tests.alerts.proof.stage import Asked, forget_the_ledger, mail_server, make_workspace, nobody_answers
from tests.alerts.stage import at, make_dsr, make_member, make_operator

REQUESTS = 5_000
PEOPLE = 40
MANAGERS = 2
DAY = date(2026, 3, 10)
BEGINNINGS = {"in the night": at(DAY, 6, 40), "before the digest": at(DAY, 7, 5), "in the afternoon": at(DAY, 14, 0)}
EVERY = timedelta(minutes=5)
HOUR = timedelta(hours=1)
MOST_IN_AN_HOUR = 2
REFERENCE = re.compile(r"\b(DSR-\d+):")


def overwhelm(asked: Asked) -> Iterator[Counter[str]]:
    """All of it at each of three times of day (a small share: at one): a run every five minutes from then on, until an hour after the first mail."""
    requests, met = asked.part_of(REQUESTS, least=60), Counter[str]()
    people = asked.part_of(PEOPLE, least=4)
    holders = _set_the_scene(requests=requests, people=people)
    for name, beginning in list(BEGINNINGS.items())[: asked.part_of(len(BEGINNINGS))]:
        forget_the_ledger()
        post = Post()
        with mail_server(post), nobody_answers():
            arrived = _an_hour_of_mails(post, beginning=beginning)
        _judge(post, arrived=arrived, holders=holders)
        met[f"mails {name}"] += len(post.taken)
        met["requests, each listed once"] += requests
        met["most mails of one person in an hour"] = max(
            met["most mails of one person in an hour"], *Counter(to for to, _at in arrived).values()
        )
        yield met


def _set_the_scene(*, requests: int, people: int) -> dict[str, set[str]]:
    """Everybody but the managers has the same number of requests; who is to be told of what."""
    workspace = make_workspace("acme-france")
    managers = [make_member(f"m{n}", workspace=workspace, role=Role.MANAGER) for n in range(MANAGERS)]
    officers = [make_member(f"o{n:02}", workspace=workspace, role=Role.OFFICER) for n in range(people - MANAGERS)]
    operators = [
        make_operator(workspace, email=person.email, upstream_id=n) for n, person in enumerate(officers, start=1)
    ]
    holders: dict[str, set[str]] = {person.email: set() for person in (*managers, *officers)}
    for n in range(requests):
        place = n % len(officers)
        dsr = make_dsr(
            workspace, n + 1, respond_by=DAY - timedelta(days=1 + n % 60), extend_by=None, operator=operators[place]
        )
        for email in (officers[place].email, *(manager.email for manager in managers)):
            holders[email].add(dsr.reference)
    assert DataSubjectRequest.objects.count() == requests
    return holders


def _an_hour_of_mails(post: Post, *, beginning: datetime) -> list[tuple[str, datetime]]:
    """(address, simulated moment) of each mail."""
    arrived: list[tuple[str, datetime]] = []
    now = beginning
    while not arrived or now < arrived[0][1] + HOUR:
        assert now < beginning + timedelta(hours=24), "no mail at all"
        before = len(post.taken)
        send_alerts(now=now)
        arrived += [(str(mail["To"]), now) for mail in post.taken[before:]]
        now += EVERY
    return arrived


def _judge(post: Post, *, arrived: list[tuple[str, datetime]], holders: dict[str, set[str]]) -> None:
    counts = Counter(to for to, _at in arrived)
    assert counts.keys() == holders.keys(), "everybody is told"
    assert max(counts.values()) <= MOST_IN_AN_HOUR, counts
    for address, wanted in holders.items():
        listed: Counter[str] = Counter()
        for mail in post.taken:
            if mail["To"] == address:
                body = mail.get_body(("plain",))
                assert body
                listed.update(REFERENCE.findall(body.get_content()))
        assert listed.keys() == wanted, f"{address}: {len(wanted - listed.keys())} missing"
        assert set(listed.values()) == {1}, f"{address}: a request twice"
    assert set(Alert.objects.values_list("state", flat=True)) == {AlertState.SENT}
    keys = Alert.objects.values_list("upstream_id", "clock", "threshold", "due_on", "person")
    assert len(set(keys)) == len(keys)
