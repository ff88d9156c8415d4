"""Signing in and out: a new session, a safe way on, one sentence for every refusal, and a line in the audit log."""

from __future__ import annotations

import pytest
from django.contrib.auth.hashers import MD5PasswordHasher
from django.http import HttpResponse
from django.test import Client

from dsrportal.models import AuditEvent, User

LOGIN = "/accounts/login/"
PASSWORD = "correct horse battery"

HOSTILE_TARGETS = [
    "https://evil.example/",
    "http://evil.example",
    "//evil.example",
    "///evil.example",
    "////evil.example",
    "/\\evil.example",
    "\\\\evil.example",
    "\\/evil.example",
    "/\t/evil.example",
    "http:evil.example",
    "http:/evil.example",
    "https:///evil.example",
    "javascript:alert(1)",
    "JaVaScRiPt:alert(1)",
    "data:text/html,x",
    "vbscript:x",
    "ftp://evil.example",
    "evil.example",
    "home",
    "http://testserver@evil.example/",
    "http://testserver.evil.example/",
    "\x08//evil.example",
    " //evil.example",
    "\n//evil.example",
    "//testserver@evil.example",
    "///\\evil.example",
    "https:evil.example",
    "ｈttps://evil.example",
    "[::1]",
    "//[::1",
]


def sign_in(client: Client, *, username: str = "olivia", password: str = PASSWORD, target: str = "") -> HttpResponse:
    """Post the form of the sign-in page."""
    answer: HttpResponse = client.post(LOGIN, {"username": username, "password": password, "next": target})  # type: ignore[assignment]
    return answer


def visible(answer: HttpResponse, *, username: str) -> str:
    """The page without what differs by nature: the CSRF token and the name that was typed."""
    lines = answer.content.decode().replace(username, "").splitlines()
    return "\n".join(line for line in lines if "csrf" not in line)


def test_every_role_signs_in_and_lands_on_the_start_page(
    client: Client, officer: User, manager: User, admin: User, stranger: User
) -> None:
    for person in (officer, manager, admin, stranger):
        answer = sign_in(client, username=person.username)
        assert (answer.status_code, answer["Location"]) == (302, "/")
        assert client.session["_auth_user_id"] == str(person.pk)
        client.logout()


def test_signing_in_starts_a_new_session(client: Client, officer: User) -> None:
    client.get(LOGIN)
    session = client.session
    session["planted"] = "by somebody else"
    session.save()
    before = session.session_key
    sign_in(client)
    assert client.session.session_key != before


def test_the_way_on_is_followed_within_the_portal(client: Client, officer: User) -> None:
    assert sign_in(client, target="/w/acme-france/board/?archived=1")["Location"] == "/w/acme-france/board/?archived=1"


@pytest.mark.parametrize("target", HOSTILE_TARGETS)
def test_the_way_on_never_leads_elsewhere(client: Client, officer: User, target: str) -> None:
    assert sign_in(client, target=target)["Location"] == "/"
    assert client.get(LOGIN, {"next": target})["Location"] == "/"


def test_unknown_inactive_and_wrong_look_the_same(client: Client, officer: User, manager: User) -> None:
    User.objects.filter(pk=manager.pk).update(is_active=False)
    wrong = sign_in(client, password="not the password")
    inactive = sign_in(client, username=manager.username)
    unknown = sign_in(client, username="nobody-here")
    assert wrong.status_code == inactive.status_code == unknown.status_code == 200
    pages = {
        visible(wrong, username="olivia"),
        visible(inactive, username=manager.username),
        visible(unknown, username="nobody-here"),
    }
    assert len(pages) == 1
    assert "The user name or the password is not right." in pages.pop()


def test_unknown_inactive_and_wrong_cost_the_hasher_the_same(
    client: Client, officer: User, manager: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    User.objects.filter(pk=manager.pk).update(is_active=False)
    hashed: list[str] = []
    encode = MD5PasswordHasher.encode

    def counting(self: MD5PasswordHasher, password: str, salt: str) -> str:
        hashed.append(salt)
        return encode(self, password, salt)

    monkeypatch.setattr(MD5PasswordHasher, "encode", counting)
    costs = []
    for username in ("olivia", manager.username, "nobody-here"):
        hashed.clear()
        sign_in(client, username=username, password="not the password")
        costs.append(len(hashed))
    assert costs == [1, 1, 1]


def test_a_password_of_ten_thousand_characters_never_reaches_the_hasher(
    client: Client, officer: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(MD5PasswordHasher, "encode", lambda *_args: pytest.fail("hashed"))
    answer = sign_in(client, password="x" * 10_000)
    assert answer.status_code == 200
    assert b"at most 4096 characters" in answer.content


def test_what_was_typed_as_password_is_not_shown_again(client: Client, officer: User) -> None:
    answer = sign_in(client, password="almost-the-password")
    assert b"almost-the-password" not in answer.content
    assert b'value="olivia"' in answer.content


def test_the_audit_log_names_accounts_that_exist_and_no_others(client: Client, officer: User) -> None:
    sign_in(client, password="wrong")
    sign_in(client, username="typed-a-secret-here", password="wrong")
    sign_in(client)
    lines = list(AuditEvent.objects.order_by("pk").values_list("operation", "by", "outcome", "details"))
    assert lines == [
        ("sign_in_failed", None, "refused", {"account": officer.pk}),
        ("sign_in_failed", None, "refused", {}),
        ("signed_in", officer.pk, "done", {}),
    ]


def test_signing_out_ends_the_session_and_clears_the_browser(client: Client, officer: User) -> None:
    client.force_login(officer)
    old = client.session.session_key
    answer = client.post("/accounts/logout/")
    assert (answer.status_code, answer["Location"]) == (302, LOGIN)
    assert answer["Clear-Site-Data"] == '"cache", "storage"'
    client.cookies["sessionid"] = str(old)
    assert client.get("/")["Location"].startswith(LOGIN)


def test_signing_out_needs_a_post(client: Client, officer: User) -> None:
    client.force_login(officer)
    assert client.get("/accounts/logout/").status_code == 405
    assert "_auth_user_id" in client.session


def test_a_changed_password_ends_other_sessions(client: Client, officer: User) -> None:
    client.force_login(officer)
    officer.set_password("another horse battery")
    officer.save()
    assert client.get("/")["Location"].startswith(LOGIN)


def test_who_is_signed_in_already_goes_on(client: Client, officer: User) -> None:
    client.force_login(officer)
    assert client.get(LOGIN, {"next": "/settings/jobs/"})["Location"] == "/settings/jobs/"


def test_language_and_theme_are_kept_in_cookies_and_unknown_ones_change_nothing(client: Client) -> None:
    answer = client.post("/accounts/preferences/", {"language": "fr", "theme": "dark", "next": LOGIN})
    assert answer["Location"] == LOGIN
    assert (client.cookies["django_language"].value, client.cookies["theme"].value) == ("fr", "dark")
    assert client.cookies["theme"]["httponly"]
    client.post("/accounts/preferences/", {"language": "tlh", "theme": "neon", "next": "//evil.example"})
    assert (client.cookies["django_language"].value, client.cookies["theme"].value) == ("fr", "dark")
    page = client.get(LOGIN).content.decode()
    assert '<html lang="fr" data-theme="dark">' in page


@pytest.mark.parametrize("target", HOSTILE_TARGETS)
def test_changing_the_language_never_leads_elsewhere(client: Client, target: str) -> None:
    assert client.post("/accounts/preferences/", {"language": "nl", "next": target})["Location"] == "/"
