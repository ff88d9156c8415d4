"""The stage of the register's tests: a workspace that was read a minute ago, and a function that asks its register."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.http import QueryDict

from dsrportal.forms import register as register_form
from dsrportal.models import Lane, Membership, Role, SyncLane, User, Workspace
from dsrportal.queries import freshness
from dsrportal.queries import register as register_query
from dsrportal.queries.register import RegisterPage
from dsrportal.queries.register_filters import Search

Ask = Callable[..., RegisterPage]
URL = "/w/acme-france/requests/"


@pytest.fixture
def read_lately(workspace: Workspace, now: datetime) -> SyncLane:
    """The workspace's last good read."""
    moment = now - timedelta(minutes=1)
    return SyncLane.objects.create(workspace=workspace, lane=Lane.FULL, last_attempt_at=moment, last_success_at=moment)


@pytest.fixture
def ask(workspace: Workspace, read_lately: SyncLane, now: datetime, officer: User) -> Ask:
    """A function: the query string of an address -> the page."""

    def answer(query: str, *, search: Search | None = None, **options: Any) -> RegisterPage:
        return register_query.page(
            Membership(workspace=workspace, user=officer, role=Role.OFFICER),
            url=URL,
            filters=register_form.read(QueryDict(query)),
            search=search,
            freshness=freshness.of_workspace(workspace, lanes=[read_lately], now=now),
            now=now,
            **options,
        )

    return answer


def walk(ask: Ask, query: str, *, backwards: bool = False) -> list[int]:
    """The upstream ids of all pages, by the links that each page gives; backwards from the last page."""
    page = ask(query)
    pages = [page]
    while page.next_url:
        page = ask(page.next_url.partition("?")[2])
        pages.append(page)
        assert len(pages) < 200
    if not backwards:
        return [row.upstream_id for page in pages for row in page.rows]
    back = [page]
    while page.previous_url:
        page = ask(page.previous_url.partition("?")[2])
        back.append(page)
        assert len(back) < 200
    return [row.upstream_id for page in reversed(back) for row in page.rows]


@pytest.fixture(autouse=True)
def _quick_passwords(settings: Any) -> None:
    """Nobody signs in with a password here."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
