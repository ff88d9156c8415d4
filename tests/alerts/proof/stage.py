"""What the proofs share: a mail server on loopback, processes that are forked and perhaps killed, a clock that is ahead, an empty ledger.

They work on the database of the process that calls them, which is thrown away afterwards. Nothing in here is a judge.
"""

from __future__ import annotations

import json
import os
import signal
import time
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest import mock

from aiosmtpd.controller import Controller
from django.db import connection
from django.test import override_settings
from django.utils import timezone

from dsrportal import credentials
from dsrportal.mirror.pull import pull
from dsrportal.models import Alert, DataSubjectRequest, Lane, Mail, Notice, Operator, Workspace
from dsrportal.models.runs import SyncOutcome
from dsrportal.sandbox import Limit, Sandbox, Server, Switches
from tests.alerts.conftest import Post
from tests.processes import free_ports
from tests.torture.line import OpenPacer

KILLED = -signal.SIGKILL
FAILED = 70


@dataclass(frozen=True, kw_only=True, slots=True)
class Asked:
    """How much of each proof: `kills` of a sender by chance, and a `share` of everything that can be made smaller (1 is all of it)."""

    kills: int
    share: float
    seed: int

    def part_of(self, whole: int, *, least: int = 1) -> int:
        """The share of a number."""
        return max(least, round(whole * self.share))


@dataclass(frozen=True, kw_only=True, slots=True)
class Ended:
    """How a forked process ended: exit code (negative for a signal), what its work answered, why it failed."""

    exit: int
    answer: Any
    error: str


@contextmanager
def mail_server(post: Post) -> Iterator[None]:
    """Within, the portal sends through a server whose mails `post` takes."""
    controller = Controller(post, hostname="127.0.0.1", port=free_ports(1)[0])
    controller.start()
    chosen: dict[str, Any] = {
        "EMAIL_BACKEND": "django.core.mail.backends.smtp.EmailBackend",
        "EMAIL_HOST": "127.0.0.1",
        "EMAIL_PORT": controller.port,
        "EMAIL_TIMEOUT": 60,
        "PORTAL_URL": "https://privacy.example.org",
    }
    try:
        with override_settings(**chosen):
            yield
    finally:
        controller.stop()


def make_workspace(slug: str, *, upstream_id: int = 101, **fields: Any) -> Workspace:
    """Store a workspace; nobody answers at its address unless `base_url` says where."""
    now = timezone.now()
    fields = {"name": slug.title(), "base_url": f"http://127.0.0.1:9/{slug}", "secret": "of the proofs"} | fields
    secret = fields.pop("secret")
    workspace = Workspace(slug=slug, upstream_id=upstream_id, created_at=now, secret_changed_at=now, **fields)
    workspace.set_secret(secret)
    workspace.set_search_key(credentials.new_search_key())
    workspace.save()
    return workspace


@contextmanager
def nobody_answers() -> Iterator[None]:
    """Within, Dastra is not there, and the portal finds that out by one try."""
    with mock.patch("dsrportal.dastra.transport.MOST_TRIES", 1):
        yield


@contextmanager
def dastra(folder: Path, *, requests: int, seed: int = 5, **switches: Any) -> Iterator[Server]:
    """A local Dastra over real HTTP that the portal may call."""
    unlimited = (Limit(count=10_000_000, seconds=60),)
    sandbox = Sandbox(requests=requests, seed=seed, settings=Switches(limits=unlimited, **switches))
    with sandbox.serve() as server:
        chosen = {
            "DATA_DIR": folder,
            "UPSTREAM_TIMEOUT_SECONDS": 3.0,
            "UPSTREAM_ALLOWED_HOSTS": [server.host_port],
        }
        with (
            override_settings(**chosen),
            mock.patch("dsrportal.mirror.connections._pacer", return_value=OpenPacer()),
        ):
            yield server


def mirrored(slug: str, *, server: Server, **fields: Any) -> Workspace:
    """A workspace of that Dastra, read once."""
    workspace = make_workspace(slug, base_url=server.base_url, secret=server.api_key, **fields)
    done = pull(workspace, lane=Lane.FULL, now=timezone.now)
    assert done.outcome == SyncOutcome.COMPLETE, done
    return workspace


@dataclass(frozen=True, kw_only=True, slots=True)
class Due:
    """The legal dates that a proof gives a request, and whose it is."""

    respond_by: date | None
    extend_by: date | None = None
    operator: Operator | None = None


def put_due(workspace: Workspace, wanted: Mapping[int, Due]) -> dict[int, str]:
    """Give mirrored requests these dates and all others none; their references, by the keys of `wanted`. A read that finds them unchanged in Dastra
    leaves that alone."""
    rows = DataSubjectRequest.objects.filter(workspace=workspace)
    rows.update(respond_by=None, extend_by=None, without_pauses=None, clock_on=DataSubjectRequest.NO_DAY)
    free = rows.filter(archived=False, is_closed=False).order_by("upstream_id")[: len(wanted)]
    assert len(free) == len(wanted), f"only {len(free)} open requests"
    for row, due in zip(free, wanted.values(), strict=True):
        rows.filter(pk=row.pk).update(
            respond_by=due.respond_by,
            extend_by=due.extend_by,
            without_pauses=due.respond_by,
            clock_on=due.respond_by or DataSubjectRequest.NO_DAY,
            paused_since=None,
            extension_state="",
            refused_on=None,
            operator=due.operator,
        )
    return {key: row.reference for key, row in zip(wanted, free, strict=True)}


def forget_the_ledger() -> None:
    """Nobody has been told anything."""
    for model in (Notice, Alert, Mail):
        model.objects.all().delete()


@contextmanager
def ahead(seconds: float) -> Iterator[None]:
    """Within, the real clock is so much later, for leases and rests."""
    real = timezone.now

    def later() -> datetime:
        return real() + timedelta(seconds=seconds)

    timezone.now = later
    try:
        yield
    finally:
        timezone.now = real


class Fork:
    """A process of its own that does one thing, on a connection of its own, once `start` is called. What it answers goes through JSON."""

    def __init__(self, work: Callable[[], Any]) -> None:
        connection.close()
        gun, self._trigger = os.pipe()
        self._told, told = os.pipe()
        self.pid = os.fork()
        if not self.pid:
            os.close(self._trigger)
            os.close(self._told)
            os._exit(_run(work, gun=gun, told=told))
        os.close(gun)
        os.close(told)

    def start(self) -> None:
        """Let it begin."""
        os.write(self._trigger, b"!")

    def kill(self) -> None:
        """As the kernel would."""
        os.kill(self.pid, signal.SIGKILL)

    def ended(self) -> Ended:
        """Wait for its end."""
        with os.fdopen(self._told, encoding="utf-8") as file:
            text = file.read()
        code = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        os.close(self._trigger)
        said = json.loads(text) if text else {"answer": None, "error": ""}
        return Ended(exit=code, **said)


def _run(work: Callable[[], Any], *, gun: int, told: int) -> int:
    answer, error = None, ""
    try:
        connection.ensure_connection()
        os.read(gun, 1)
        answer = work()
    except BaseException:  # whatever it is, the parent has to know of it
        error = traceback.format_exc()
    os.write(told, json.dumps({"answer": answer, "error": error[-30_000:]}).encode())
    return FAILED if error else 0


def forked(work: Callable[[], Any]) -> Ended:
    """Do it in a process of its own."""
    process = Fork(work)
    process.start()
    return process.ended()


def killed_after(work: Callable[[], Any], *, seconds: float) -> Ended:
    """Do it in a process that is killed so much later, if it has not ended by then."""
    process = Fork(work)
    process.start()
    time.sleep(seconds)
    process.kill()
    return process.ended()


def at_once(works: Sequence[Callable[[], Any]]) -> list[Any]:
    """Do all of it at the same moment, each in a process of its own; the answers. Raises AssertionError where one failed."""
    processes = [Fork(work) for work in works]
    for process in processes:
        process.start()
    ends = [process.ended() for process in processes]
    failed = [end for end in ends if end.exit]
    assert not failed, failed[0].error
    return [end.answer for end in ends]
