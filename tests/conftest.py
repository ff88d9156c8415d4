"""The cast and the stage of the tests: an officer and a manager of one workspace, a stranger of another."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.utils import timezone, translation

from dsrportal import credentials
from dsrportal.models import Membership, Role, User, Workspace

MakeWorkspace = Callable[..., Workspace]


@pytest.fixture(autouse=True)
def _plain_static_files(settings: Any) -> None:
    """Pages name static files without hashes: the manifest belongs to a deployment."""
    settings.STORAGES = {
        **settings.STORAGES,
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    }


@pytest.fixture(autouse=True)
def _quick_passwords(settings: Any) -> None:
    """A password takes a portal about a second to hash, on purpose; a test's cast has no such time."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture(autouse=True)
def _own_language() -> Iterator[None]:
    """A page read in Dutch leaves its language in the thread: the next test begins without one."""
    yield
    translation.deactivate()


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings_parallel_suffix: None) -> None:
    """SQLite tests run on a file, as the portal does: memory has no write-ahead log and no second connection."""
    database = django_settings.DATABASES["default"]
    if database["ENGINE"].endswith("sqlite3"):
        worker = os.environ.get("PYTEST_XDIST_WORKER", "main")
        database.setdefault("TEST", {})["NAME"] = str(django_settings.DATA_DIR / f"tests-{worker}.sqlite3")


@pytest.fixture
def now() -> datetime:
    """The test's moment."""
    return timezone.now()


@pytest.fixture
def make_workspace(db: None, now: datetime) -> MakeWorkspace:
    """A function that stores a workspace; `base_url` and `secret` point it at a server."""

    def make(slug: str, **fields: Any) -> Workspace:
        secret = fields.pop("secret", "a-secret-of-the-tests")
        workspace = Workspace(
            slug=slug,
            name=fields.pop("name", slug.replace("-", " ").title()),
            upstream_id=fields.pop("upstream_id", 101),
            base_url=fields.pop("base_url", f"http://127.0.0.1:9/{slug}"),
            created_at=now,
            secret_changed_at=now,
            **fields,
        )
        workspace.set_secret(secret)
        workspace.set_search_key(credentials.new_search_key())
        workspace.save()
        return workspace

    return make


@pytest.fixture
def workspace(make_workspace: MakeWorkspace) -> Workspace:
    """The workspace of the officer and the manager."""
    return make_workspace("acme-france")


def make_person(username: str, *, workspace: Workspace, role: Role) -> User:
    """Store an account with one role; the password is `correct horse battery`."""
    user = User.objects.create_user(username=username, password="correct horse battery")
    Membership.objects.create(user=user, workspace=workspace, role=role)
    return user


@pytest.fixture
def officer(workspace: Workspace) -> User:
    """Handles the requests of `workspace`."""
    return make_person("olivia", workspace=workspace, role=Role.OFFICER)


@pytest.fixture
def manager(workspace: Workspace) -> User:
    """Answers for the deadlines of `workspace`."""
    return make_person("marc", workspace=workspace, role=Role.MANAGER)


@pytest.fixture
def admin(workspace: Workspace) -> User:
    """Sets `workspace` up."""
    return make_person("ada", workspace=workspace, role=Role.ADMIN)


@pytest.fixture
def stranger(make_workspace: MakeWorkspace) -> User:
    """An officer of another workspace."""
    return make_person("stan", workspace=make_workspace("other-house", upstream_id=102), role=Role.OFFICER)
