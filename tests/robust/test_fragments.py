"""Every address as htmx asks it, and as a reload, a bookmark or the Back button does: a part goes into a page, a whole page into a window, never
the one into the other; and who was signed out meanwhile is led to the sign-in page and back, with nothing said to be done."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

import pytest
from django.contrib.messages import get_messages
from django.contrib.sessions.models import Session
from django.http.response import HttpResponseBase
from django.test import Client

from dsrportal.models import (
    AuditEvent,
    OutboxEntry,
    User,
    Workspace,
)
from tests.test_routes import FOR_MACHINES, PATTERNS, PRIVATE, Route, make_one_of_each

HTMX = {"HX-Request": "true"}
RESTORED = {**HTMX, "HX-History-Restore-Request": "true"}
BOARD = "/w/acme-france/board/?lanes=right&q=DSR"
BACK_TO_BOARD = "/accounts/login/?next=/w/acme-france/board/%3Flanes%3Dright%26q%3DDSR"
HERE = "http://testserver"
SIGNS = {"board.version", "dsr.version"}
"""What scripts ask for: a word, and no part of a page."""
PART_ALONE = {"creating.dates"}
"""Asked for by a script alone, since the page works without it."""
ASKED_BY_PAGES = {
    "board.board": ["?since=0:x:0", "?since=lanes:x&lanes=right", "?step=none", "?step=none&lane=a&lanes=right"],
    "board.everywhere": ["?known=x", "?state=Open"],
    "home.home": ["?known=x&shown=y"],
    "jobs.jobs": ["?seen=x"],
    "changes.changes": ["?batch=00000000-0000-4000-8000-000000000000"],
    "register.register": ["?count=exact", "?search=nothing"],
    "deadline.deadline": ["?received=2026-01-05"],
}


@pytest.fixture
def admin_at_work(client: Client, admin: User, workspace: Workspace, now: datetime) -> Client:
    """Signed in, in a workspace where each route finds something."""
    make_one_of_each(workspace, by=admin, now=now)
    client.force_login(admin)
    return client


def methods(route: Route) -> tuple[str, ...]:
    return {"read": ("get",), "write": ("post",), "form": ("get", "post")}[route.takes]


def read_urls() -> Iterator[tuple[str, str]]:
    """Name and address of all that is looked at behind the login, with the questions that pages put by themselves."""
    for route in PRIVATE:
        if route.takes == "write":
            continue
        url = route.url(upstream_id=7)
        yield route.name, url
        for query in ASKED_BY_PAGES.get(route.name, []):
            yield route.name, url + query


def is_whole(answer: HttpResponseBase) -> bool:
    return answer.getvalue().lstrip()[:15].lower() == b"<!doctype html>"


def is_html(answer: HttpResponseBase) -> bool:
    return answer.headers.get("Content-Type", "").startswith("text/html") and bool(answer.getvalue())


def test_who_was_signed_out_leaves_every_fragment_for_the_sign_in_page_with_the_way_back(
    client: Client, officer: User, workspace: Workspace
) -> None:
    client.force_login(officer)
    Session.objects.all().delete()
    asked = {**HTMX, "HX-Current-URL": f"{HERE}{BOARD}#content"}
    wrong = []
    for route in PRIVATE:
        for method in methods(route):
            answer = getattr(client, method)(route.url(), headers=asked)
            told = (answer.status_code, answer.content, answer.headers.get("HX-Redirect"))
            is_safe = "no-store" in answer["Cache-Control"] and "HX-Request" in answer["Vary"]
            if told != (200, b"", BACK_TO_BOARD) or not is_safe:
                wrong.append((route.name, method, told))
    assert wrong == []
    assert not OutboxEntry.objects.exists()
    assert not AuditEvent.objects.exists()


@pytest.mark.parametrize("elsewhere", ["https://evil.example/w/", "//evil.example/", "nonsense", ""])
def test_the_way_back_is_never_out_of_the_portal(client: Client, workspace: Workspace, elsewhere: str) -> None:
    route = next(route for route in PRIVATE if route.name == "wishes.move")
    answer = client.post(route.url(), headers={**HTMX, "HX-Current-URL": elsewhere})
    assert answer["HX-Redirect"] == "/accounts/login/"
    answer = client.post(route.url(), headers={"Referer": elsewhere})
    assert (answer.status_code, answer["Location"]) == (302, "/accounts/login/")


def test_a_plain_form_leads_back_to_the_page_that_had_it(client: Client, workspace: Workspace) -> None:
    wrong = []
    for route in PRIVATE:
        if "post" not in methods(route):
            continue
        answer = client.post(route.url(), headers={"Referer": f"{HERE}{BOARD}"})
        if (answer.status_code, answer["Location"]) != (302, BACK_TO_BOARD):
            wrong.append((route.name, answer["Location"]))
    assert wrong == []


@pytest.mark.parametrize("headers", [HTMX, {}], ids=["htmx", "plain"])
def test_a_lost_deed_is_said_and_what_a_page_does_by_itself_is_not(
    client: Client, workspace: Workspace, headers: dict[str, str]
) -> None:
    routes = {route.name: route for route in PRIVATE}
    for silent in ("wishes.send", "creating.dates", "dsr.texts", "palette.palette", "accounts.logout"):
        assert not list(get_messages(client.post(routes[silent].url(), headers=headers).wsgi_request))
    client.get(routes["board.board"].url(), headers=headers)
    client.post(routes["answering.message"].url(), headers={"Sec-Fetch-Mode": "cors"})
    assert "carried out" not in client.get("/accounts/login/").text
    client.post(routes["wishes.close"].url(), headers=headers)
    assert "What you did last was not carried out." in client.get("/accounts/login/").text


def test_whatever_is_asked_without_htmx_or_by_the_history_is_a_whole_page(admin_at_work: Client) -> None:
    wrong = []
    for name, url in read_urls():
        for headers in ({}, RESTORED):
            answer = admin_at_work.get(url, headers=headers)
            if answer.status_code == 302 or name in SIGNS or (is_html(answer) and is_whole(answer)):
                continue
            if answer.headers.get("Content-Disposition", "").startswith("attachment"):
                continue
            wrong.append((url, headers, answer.status_code, answer["Content-Type"]))
    assert wrong == []


def test_a_part_is_a_part_says_that_it_depends_on_htmx_and_is_kept_by_no_cache(admin_at_work: Client) -> None:
    wrong, parts = [], set()
    for name, url in read_urls():
        plain, asked = admin_at_work.get(url), admin_at_work.get(url, headers=HTMX)
        if not all("no-store" in answer["Cache-Control"] for answer in (plain, asked)):
            wrong.append((url, "may be kept"))
        is_part = not (is_html(asked) and is_whole(asked)) and is_html(plain)
        if is_part:
            parts.add(name)
        if is_part and not all("HX-Request" in answer.headers.get("Vary", "") for answer in (plain, asked)):
            wrong.append((url, "does not say on what it depends"))
    assert wrong == []
    assert {"board.board", "register.register", "home.home", "jobs.jobs", "deadline.deadline"} <= parts


def test_a_form_that_is_sent_without_htmx_is_answered_with_a_page(admin_at_work: Client, admin: User) -> None:
    wrong = []
    for route in PRIVATE:
        if "post" not in methods(route) or route.name in PART_ALONE:
            continue
        admin_at_work.force_login(admin)
        answer = admin_at_work.post(route.url(upstream_id=7))
        if (
            answer.status_code not in {302, 204}
            and not answer.headers.get("Content-Disposition")
            and not is_whole(answer)
        ):
            wrong.append((route.name, answer.status_code))
    assert wrong == []


def test_an_address_that_only_takes_a_form_says_so_on_a_page(admin_at_work: Client) -> None:
    wrong = []
    for route in PRIVATE:
        if route.takes != "write":
            continue
        answer = admin_at_work.get(route.url(upstream_id=7))
        if answer.status_code != 405 or not is_whole(answer) or answer["Allow"] != "POST":
            wrong.append((route.name, answer.status_code))
    assert wrong == []


def test_an_old_token_is_told_to_the_script(officer: User) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(officer)
    answer = client.post("/keys/", headers=HTMX)
    assert (answer.status_code, answer["X-Stale-Token"]) == (403, "1")
    assert "X-Stale-Token" not in client.get("/settings/jobs/").headers


def test_the_table_names_routes_that_exist() -> None:
    assert SIGNS | PART_ALONE | set(ASKED_BY_PAGES) <= set(map(str, PATTERNS)) - {route.name for route in FOR_MACHINES}


def test_a_page_that_a_script_reads_for_itself_leaves_what_is_to_be_said_to_the_person(admin_at_work: Client) -> None:
    admin_at_work.post("/w/acme-france/views/", {})
    said = "Give the view a name."
    assert said not in admin_at_work.get("/w/acme-france/requests/7/", headers={"X-Look": "1"}).text
    assert said in admin_at_work.get("/w/acme-france/requests/7/").text
