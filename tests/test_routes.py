"""Every address, walked: who may see it, which methods it takes, and the headers that no answer may lack. A new route needs a line here."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import pytest
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.test import Client
from django.urls import URLPattern, get_resolver, reverse

from dsrportal.models import (
    AuditEvent,
    Channel,
    DataSubjectRequest,
    Membership,
    OutboxEntry,
    Role,
    SyncLane,
    User,
    Workspace,
)
from dsrportal.models.outbox import WishKind
from tests.conftest import MakeWorkspace, make_person

CSP = {
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self'",
    "font-src 'self'",
    "connect-src 'self'",
    "form-action 'self'",
    "frame-ancestors 'none'",
    "base-uri 'none'",
    "object-src 'none'",
    "manifest-src 'self'",
}
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Frame-Options": "DENY",
}


PATTERNS = {pattern.name: pattern for pattern in get_resolver().url_patterns if isinstance(pattern, URLPattern)}


@dataclass(frozen=True, kw_only=True)
class Route:
    """What a route takes: `read` (GET), `write` (POST) or `form` (both). `acting`: not for those who may only look."""

    name: str
    takes: Literal["read", "write", "form"]
    acting: bool = False

    @property
    def pattern(self) -> URLPattern:
        return PATTERNS[self.name]

    @property
    def of_workspace(self) -> bool:
        return "slug" in self.pattern.pattern.converters

    def url(self, **values: Any) -> str:
        """Its address, for ids of nothing that exists."""
        defaults: dict[str, Any] = {"slug": "acme-france", "upstream_id": 424242, "pk": 424242, "lane": "active"}
        defaults |= {
            "purpose": "answer",
            "language": "fr",
            "token": "no-such-token",
            "uidb64": "MQ",
            "file_id": uuid.UUID(int=424242),
            "kind": "pause",
            "table": "figures",
        }
        return reverse(self.name, kwargs={name: (defaults | values)[name] for name in self.pattern.pattern.converters})


PUBLIC = [
    Route(name="accounts.login", takes="form"),
    Route(name="accounts.preferences", takes="write"),
    Route(name="joining.forgotten", takes="form"),
    Route(name="joining.invitation", takes="form"),
    Route(name="joining.reset", takes="form"),
    Route(name="joining.setup", takes="form"),
    Route(name="health.healthz", takes="read"),
    Route(name="health.readyz", takes="read"),
]
OF_THE_PERSON = [
    Route(name="home.home", takes="read"),
    Route(name="overview.everywhere", takes="read"),
    Route(name="overview.export_everywhere", takes="read"),
    Route(name="accounts.logout", takes="write"),
    Route(name="joining.password", takes="form"),
    Route(name="audit.audit", takes="read"),
    Route(name="audit.export", takes="read"),
    Route(name="notices.notices", takes="read"),
    Route(name="board.everywhere", takes="read"),
    Route(name="palette.palette", takes="form"),
    Route(name="palette.keys", takes="form"),
    Route(name="hints.hints", takes="write"),
    Route(name="notices.read", takes="write"),
    Route(name="deadline.deadline", takes="read"),
    Route(name="alert_wishes.wishes", takes="form"),
    Route(name="calendar_feed.account", takes="form"),
]
OF_A_WORKSPACE = [
    Route(name="board.board", takes="read"),
    Route(name="board.version", takes="read"),
    Route(name="board.filters", takes="read"),
    Route(name="board.look", takes="write"),
    Route(name="overview.overview", takes="read", acting=True),
    Route(name="overview.export", takes="read", acting=True),
    Route(name="register.register", takes="read"),
    Route(name="register.search", takes="write"),
    Route(name="register.display", takes="write"),
    Route(name="conditions.conditions", takes="read"),
    Route(name="export.export", takes="write"),
    Route(name="saved_views.save", takes="write"),
    Route(name="saved_views.change", takes="write"),
    Route(name="register.ask", takes="write", acting=True),
    Route(name="bulk.wish", takes="write", acting=True),
    Route(name="bulk.undo", takes="write", acting=True),
    Route(name="bulk.send", takes="write", acting=True),
    Route(name="creating.new", takes="form", acting=True),
    Route(name="creating.dates", takes="write", acting=True),
    Route(name="creating.waiting", takes="read"),
    Route(name="creating.send", takes="write", acting=True),
    Route(name="creating.back", takes="write", acting=True),
    Route(name="dsr.dsr", takes="read"),
    Route(name="dsr.version", takes="read"),
    Route(name="dsr.texts", takes="write", acting=True),
    Route(name="files.download", takes="write", acting=True),
    Route(name="wishes.move", takes="write", acting=True),
    Route(name="wishes.archive", takes="write", acting=True),
    Route(name="answering.message", takes="form", acting=True),
    Route(name="wishes.restore", takes="write", acting=True),
    *(
        Route(name=f"wishes.{deed}", takes="write", acting=True)
        for deed in ("assign", "tag", "extend", "edit", "edit_custom", "close", "delete", "keep", "again")
    ),
    *(
        Route(name=f"ledger.{deed}", takes="write", acting=True)
        for deed in ("pause", "resume", "extend", "refuse", "accept_dates", "withdraw")
    ),
    Route(name="changes.changes", takes="read"),
    Route(name="alerts.alerts", takes="read"),
    Route(name="wishes.undo", takes="write", acting=True),
    Route(name="wishes.send", takes="write", acting=True),
    Route(name="wishes.dismiss", takes="write", acting=True),
]
SETTINGS = [
    Route(name="workspaces.workspaces", takes="read"),
    Route(name="workspaces.add", takes="form"),
    Route(name="workspaces.edit", takes="form"),
    Route(name="workspaces.rotate", takes="form"),
    Route(name="workspaces.disable", takes="form"),
    Route(name="workspaces.enable", takes="write"),
    Route(name="workspaces.end_hold", takes="form"),
    Route(name="hooks.webhook", takes="form"),
    Route(name="channels.channels", takes="form"),
    Route(name="channels.add", takes="form"),
    Route(name="channels.delete", takes="form"),
    Route(name="rules.rules", takes="form"),
    Route(name="letters.letters", takes="read"),
    Route(name="letters.letter", takes="form"),
    Route(name="alert_rules.rules", takes="form"),
    Route(name="people.people", takes="form"),
    Route(name="people.member", takes="write"),
    Route(name="people.invitation", takes="write"),
    Route(name="jobs.jobs", takes="read"),
    Route(name="jobs.set_aside", takes="read"),
    Route(name="jobs.run_now", takes="write"),
    Route(name="jobs.run_again", takes="write"),
]
FOR_MACHINES = [  # no login, no form's token: see tests/hooks and tests/feed
    Route(name="hooks.dastra", takes="write"),
    Route(name="calendar_feed.feed", takes="read"),
]
PRIVATE = OF_THE_PERSON + OF_A_WORKSPACE + SETTINGS
EVERY = PUBLIC + PRIVATE

routes = pytest.mark.parametrize


def by_name(route: Route) -> str:
    """The route's name, as the id of its test."""
    return route.name


def call(client: Client, route: Route, **values: Any) -> HttpResponse:
    """Ask for it in the way that it takes, with an empty form."""
    method = client.post if route.takes == "write" else client.get
    answer: HttpResponse = method(route.url(**values))  # type: ignore[assignment]
    return answer


def assert_headers(answer: HttpResponseBase) -> None:
    """Nothing of what protects the browser is missing."""
    assert set(answer["Content-Security-Policy"].split("; ")) == CSP
    assert {name: answer[name] for name in HEADERS} == HEADERS
    assert "camera=()" in answer["Permissions-Policy"]
    assert "no-store" in answer["Cache-Control"]


def test_every_route_has_a_line_here_and_few_are_public() -> None:
    assert len(PATTERNS) == len(get_resolver().url_patterns)
    assert sorted(map(str, PATTERNS)) == sorted(route.name for route in EVERY + FOR_MACHINES)
    assert len(PUBLIC + FOR_MACHINES) <= 10


@routes("route", PRIVATE, ids=by_name)
def test_who_is_not_signed_in_is_sent_to_the_login_page(client: Client, workspace: Workspace, route: Route) -> None:
    for method, way_back in (("get", f"?next={route.url()}"), ("head", f"?next={route.url()}"), ("post", "")):
        answer = getattr(client, method)(route.url())
        assert (method, answer.status_code, answer["Location"]) == (method, 302, f"/accounts/login/{way_back}")
        assert_headers(answer)
    answer = client.get(route.url(), headers={"HX-Request": "true"})  # the whole window goes there
    assert (answer.status_code, answer["HX-Redirect"], answer.content) == (200, "/accounts/login/", b"")


@routes("route", PUBLIC, ids=by_name)
def test_public_routes_answer_with_all_headers(client: Client, db: None, route: Route) -> None:
    answer = call(client, route)
    assert answer.status_code in {200, 302, 404, 503}
    assert_headers(answer)


@routes("route", [route for route in EVERY if route.takes == "write"], ids=by_name)
def test_a_deed_is_not_done_by_a_get(client: Client, admin: User, route: Route) -> None:
    client.force_login(admin)
    before = list(AuditEvent.objects.values_list("pk"))
    for method in ("get", "head", "options", "put", "delete", "trace"):
        assert getattr(client, method)(route.url()).status_code == 405
    assert_headers(client.get(route.url()))
    assert list(AuditEvent.objects.values_list("pk")) == before


@routes("route", [route for route in EVERY if route.takes != "write"], ids=by_name)
def test_a_page_takes_no_other_method(client: Client, admin: User, route: Route) -> None:
    client.force_login(admin)
    methods = ["put", "delete", "patch", "trace"]
    for method in methods if route.takes == "form" else [*methods, "post"]:
        assert getattr(client, method)(route.url()).status_code == 405


@routes("route", [route for route in EVERY if route.takes != "read"], ids=by_name)
def test_a_post_without_the_token_is_refused(admin: User, route: Route) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(admin)
    for headers in ({}, {"HX-Request": "true"}, {"X-CSRFToken": "x" * 64}):
        answer = client.post(route.url(), headers=headers)
        assert (headers, answer.status_code) == (headers, 403)
        assert_headers(answer)


@routes("route", OF_A_WORKSPACE + SETTINGS, ids=by_name)
def test_a_stranger_learns_nothing(client: Client, workspace: Workspace, stranger: User, route: Route) -> None:
    client.force_login(stranger)
    answer = call(client, route)
    assert answer.status_code == 404
    assert answer.content.decode() == call(client, route, slug="no-such-house").content.decode()
    assert "Acme" not in answer.content.decode()
    assert_headers(answer)


@routes("route", [route for route in SETTINGS if route.of_workspace], ids=by_name)
def test_an_admin_elsewhere_is_a_stranger_here(
    client: Client, workspace: Workspace, make_workspace: MakeWorkspace, route: Route
) -> None:
    client.force_login(make_person("adam", workspace=make_workspace("other-house"), role=Role.ADMIN))
    assert call(client, route).status_code == 404


@routes("role", [Role.VIEWER, Role.AUDITOR])
@routes("route", [route for route in OF_A_WORKSPACE if route.acting], ids=by_name)
def test_who_may_only_look_may_not_act(
    client: Client, workspace: Workspace, now: datetime, route: Route, role: Role
) -> None:
    person = make_person("vera", workspace=workspace, role=role)
    client.force_login(person)
    dsr = DataSubjectRequest.objects.create(
        workspace=workspace, upstream_id=7, clock_at=now, mirrored_at=now, sequence=1, digest=b"x"
    )
    entry = OutboxEntry.objects.create(
        action_id=uuid.uuid4(), workspace=workspace, dsr=dsr, upstream_id=7, by=person, created_at=now, not_before=now
    )
    answer = call(client, route, upstream_id=dsr.upstream_id, pk=entry.pk)
    assert answer.status_code == 403
    assert_headers(answer)
    assert list(OutboxEntry.objects.values_list("pk", "state")) == [(entry.pk, "held")]


@routes("role", [Role.VIEWER, Role.AUDITOR, Role.OFFICER, Role.MANAGER])
@routes("route", SETTINGS, ids=by_name)
def test_the_settings_are_for_admins(client: Client, workspace: Workspace, route: Route, role: Role) -> None:
    client.force_login(make_person("vera", workspace=workspace, role=role))
    assert call(client, route).status_code == 404


@routes("route", [route for route in SETTINGS if route.of_workspace], ids=by_name)
def test_an_admin_of_one_workspace_has_no_say_in_another(
    client: Client, admin: User, make_workspace: MakeWorkspace, route: Route
) -> None:
    other = make_workspace("other-house", upstream_id=102)
    Membership.objects.create(user=admin, workspace=other, role=Role.MANAGER)
    client.force_login(admin)
    assert call(client, route, slug="other-house").status_code == 403
    other.refresh_from_db()
    assert other.is_enabled
    assert not SyncLane.objects.filter(workspace=other).exists()


def make_one_of_each(workspace: Workspace, *, by: User, now: datetime) -> None:
    """What the addresses of PRIVATE name, for `upstream_id=7`."""
    DataSubjectRequest.objects.create(
        workspace=workspace, upstream_id=7, clock_at=now, mirrored_at=now, sequence=1, digest=b"x"
    )
    OutboxEntry.objects.create(
        pk=424242,
        action_id=uuid.uuid4(),
        workspace=workspace,
        by=by,
        kind=WishKind.CREATE,
        created_at=now,
        not_before=now,
    )
    channel = Channel(pk=424242, workspace=workspace, kind="webhook", language="en", created_at=now)
    channel.set_url("https://hooks.example.org/", host="hooks.example.org")
    channel.save()


@routes("route", [route for route in PRIVATE if route.takes != "write"], ids=by_name)
def test_an_admins_pages_have_all_headers(
    client: Client, admin: User, workspace: Workspace, now: datetime, route: Route
) -> None:
    make_one_of_each(workspace, by=admin, now=now)
    client.force_login(admin)
    for headers in ({}, {"HX-Request": "true"}):
        answer = client.get(route.url(upstream_id=7), headers=headers)
        assert answer.status_code in {200, 302}
        assert_headers(answer)


@routes(
    "route", [route for route in EVERY if {"upstream_id", "pk"} & set(route.pattern.pattern.converters)], ids=by_name
)
def test_an_id_of_nothing_is_not_found(client: Client, officer: User, route: Route) -> None:
    client.force_login(officer)
    for bad in (0, 2**31, 2**63 - 1, 2**63, 10**30):
        assert (bad, call(client, route, upstream_id=bad, pk=bad).status_code) == (bad, 404)


@routes(
    "path",
    [
        "/w/x/",
        "/w/acme-france/requests/abc/",
        "/w/../settings/",
        "/admin/",
        "/.git/config",
        "/w/acme-france/requests/-1/",
    ],
)
def test_an_address_of_nothing_is_not_found(client: Client, officer: User, path: str) -> None:
    client.force_login(officer)
    answer = client.get(path)
    assert answer.status_code == 404
    assert_headers(answer)


def test_a_forged_host_is_refused(client: Client, officer: User) -> None:
    client.force_login(officer)
    assert client.get("/", headers={"host": "evil.example"}).status_code == 400
    answer = client.get("/accounts/login/", headers={"X-Forwarded-Host": "evil.example"})
    assert "evil.example" not in str(answer.headers) + answer.content.decode()
