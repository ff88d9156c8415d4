"""The rate limit: enforced per key, shown, and judged in the journal by a part that shares nothing with the one that enforces."""

import json
import threading
from datetime import timedelta

import pytest

from dsrportal.sandbox import Limit, Sandbox, Switches
from dsrportal.sandbox.journal import Entry
from dsrportal.sandbox.limits import Limiter, violations
from tests.sandbox.calling import LIST, NOW, Api

SMALL = (Limit(count=5, seconds=60), Limit(count=7, seconds=600))


def arrivals(key: str, *instants: float) -> list[Entry]:
    """A journal of calls at these seconds."""
    return [
        Entry(
            number=0,
            at=NOW + timedelta(seconds=at),
            arrived=at,
            method="GET",
            path="/",
            query="",
            key=key,
            body_hash="",
        )
        for at in instants
    ]


def test_the_documented_figures_are_the_default() -> None:
    assert [(limit.count, limit.seconds) for limit in Switches().limits] == [(500, 60), (10_000, 600)]


def test_the_sixth_call_in_a_minute_is_refused_with_the_time_to_wait() -> None:
    limiter = Limiter(SMALL)
    assert [limiter.admit("a", at=float(at)) for at in range(5)] == [None] * 5
    assert limiter.admit("a", at=5.0) == (SMALL[0], 55.0)
    assert limiter.admit("b", at=5.0) is None
    assert limiter.admit("a", at=60.0) is None
    assert limiter.admit("a", at=60.5) == (SMALL[0], 0.5)
    assert limiter.admit("a", at=61.0) is None
    assert limiter.admit("a", at=200.0) == (SMALL[1], 400.0)


@pytest.mark.parametrize(
    ("instants", "count"),
    [
        ((0, 1, 2, 3, 4), 0),
        ((0, 1, 2, 3, 4, 59.9), 1),
        ((0, 1, 2, 3, 4, 60), 0),
        ((0, 100, 200, 300, 400, 500, 599), 0),
        ((0, 90, 180, 270, 360, 450, 540, 599), 1),
        ((0, 0, 0, 0, 0, 0, 0), 2),
    ],
)
def test_the_judge_finds_every_window_that_is_too_full(*, instants: tuple[float, ...], count: int) -> None:
    found = violations(arrivals("a", *instants) + arrivals("b", 1, 2, 3), limits=SMALL)
    assert [violation.key for violation in found] == ["a"] * count


@pytest.mark.parametrize(
    ("style", "content_type", "retry_after"),
    [("plain", "text/plain", True), ("json", "application/json; charset=utf-8", True), ("bare", None, False)],
)
def test_a_call_too_many_is_a_429(*, style: str, content_type: str | None, retry_after: bool) -> None:
    settings = Switches(limits=SMALL, limit_answer=style)  # type: ignore[arg-type]
    with Sandbox(requests=5, now=NOW, settings=settings).serve() as server:
        full, other = Api(server), Api(server, key=server.keys["read_only"].secret)
        seen = [full.call("GET", LIST) for _ in range(6)]
        assert [one.status for one in seen] == [200] * 5 + [429]
        assert seen[5].headers["Content-Type"] == content_type
        assert ("Retry-After" in seen[5].headers) is retry_after
        assert (seen[5].body == b"") is (style == "bare")
        assert other.call("GET", LIST).status == 200
        assert len(server.limit_violations()) == 1
        assert [entry.status for entry in server.journal.entries] == [200] * 5 + [429, 200]


def test_the_state_of_the_limit_is_shown() -> None:
    with Sandbox(requests=5, now=NOW, settings=Switches(limits=SMALL)).serve() as server:
        api = Api(server)
        seen = api.call("GET", "/rate-limiting-state")
        assert seen.json == [
            {"period": "1m", "limit": 5, "remaining": 4},
            {"period": "10m", "limit": 7, "remaining": 6},
        ]
        assert (seen.headers["X-Rate-Limit-Limit"], seen.headers["X-Rate-Limit-Remaining"]) == ("1m", "4")


def test_a_token_spends_the_budget_of_its_key_and_the_judge_needs_no_enforcer() -> None:
    with Sandbox(requests=5, now=NOW, settings=Switches(limits=SMALL, limits_enforced=False)).serve() as server:
        api = Api(server)
        form = f"grant_type=client_credentials&scope=api1&client_id={server.public_key}&client_secret={server.secret}"
        answer = server.keyring.token(headers={}, body=form.encode())
        bearer = {"Authorization": f"Bearer {json.loads(answer.body)['access_token']}"}
        statuses = [api.call("GET", "/me").status for _ in range(3)]
        statuses += [api.call("GET", "/me", headers=bearer).status for _ in range(4)]
        assert statuses == [200] * 7
        assert [violation.key for violation in server.limit_violations()] == ["full"] * 2
        assert [one["key"] for one in api.control("GET", "violations").json] == ["full"] * 2


def test_threads_together_get_no_more_than_the_limit() -> None:
    with Sandbox(requests=5, now=NOW, settings=Switches(limits=(Limit(count=20, seconds=60),))).serve() as server:
        statuses: list[int] = []

        def ask() -> None:
            api = Api(server)
            statuses.extend(api.call("GET", "/me").status for _ in range(10))

        threads = [threading.Thread(target=ask) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert (statuses.count(200), statuses.count(429)) == (20, 40)
        assert len(server.journal) == 60
