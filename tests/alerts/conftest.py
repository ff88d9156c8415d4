"""The stage of the alerts' tests: a real mail server on loopback, a local Dastra over real HTTP, and a team."""

from __future__ import annotations

import email
import email.policy
from collections.abc import Callable, Iterator
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from django.utils import timezone

from dsrportal.mirror.pull import pull
from dsrportal.models import Lane, Role, User, Workspace
from dsrportal.models.runs import SyncOutcome
from dsrportal.sandbox import Limit, Sandbox, Server, Switches
from tests.alerts.stage import make_member
from tests.conftest import MakeWorkspace
from tests.processes import free_ports


class Post:
    """What a mail server took. `answers` are given before it takes anything: to RCPT, one each."""

    def __init__(self) -> None:
        self.taken: list[EmailMessage] = []
        self.answers: list[str] = []
        self.on_data: Callable[[], None] = lambda: None

    async def handle_RCPT(  # noqa: N802  the server's word
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Refuse what the test wants refused."""
        if self.answers:
            return self.answers.pop(0)
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        """Take the mail."""
        content = envelope.content
        assert isinstance(content, bytes)
        self.taken.append(email.message_from_bytes(content, policy=email.policy.default))
        self.on_data()
        return "250 taken"

    def subjects(self, address: str) -> list[str]:
        """The subjects of what went to an address, in order."""
        return [str(mail["Subject"]) for mail in self.taken if mail["To"] == address]


@pytest.fixture
def post(settings: Any) -> Iterator[Post]:
    """A mail server on loopback that the portal sends through."""
    handler = Post()
    controller = Controller(handler, hostname="127.0.0.1", port=free_ports(1)[0])
    controller.start()
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST = "127.0.0.1"
    settings.EMAIL_PORT = controller.port
    settings.EMAIL_TIMEOUT = 5
    settings.PORTAL_URL = "https://privacy.example.org"
    yield handler
    controller.stop()


@pytest.fixture
def server(settings: Any, tmp_path: Path) -> Iterator[Server]:
    """A local Dastra with 12 requests in workspace 101."""
    settings.DATA_DIR = tmp_path
    settings.UPSTREAM_TIMEOUT_SECONDS = 3.0
    limits = (Limit(count=1_000_000, seconds=60),)
    with Sandbox(requests=12, seed=5, settings=Switches(limits=limits)).serve() as server:
        settings.UPSTREAM_ALLOWED_HOSTS = [server.host_port]
        yield server


@pytest.fixture
def mirrored(server: Server, make_workspace: MakeWorkspace) -> Workspace:
    """The workspace, read once."""
    workspace = make_workspace("acme", base_url=server.base_url, secret=server.api_key, upstream_id=101)
    assert pull(workspace, lane=Lane.FULL, now=timezone.now).outcome == SyncOutcome.COMPLETE
    return workspace


@pytest.fixture
def luc(workspace: Workspace) -> User:
    """An officer of the workspace that is not read from anywhere."""
    return make_member("luc", workspace=workspace, role=Role.OFFICER)


@pytest.fixture
def marc(workspace: Workspace) -> User:
    """Its manager."""
    return make_member("marc", workspace=workspace, role=Role.MANAGER)
