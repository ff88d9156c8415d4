"""The demo: the portal, its jobs and a local Dastra with made-up people, from nothing to a page in the browser. Called by `manage.py demo`.

Everything it makes lies in DATA_DIR and is found again by the next run. Its accounts, passwords and keys protect nothing and are printed.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import socket
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, TextIO
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.management import call_command
from django.utils import timezone

from dsrportal.actions import ledger
from dsrportal.actions.members import match_assignee
from dsrportal.actions.rules import change_rules
from dsrportal.actions.workspaces import add_workspace, change
from dsrportal.mirror.pull import BusyError, Progress, pull
from dsrportal.models import DataSubjectRequest, Lane, Membership, Operator, Pause, Role, SyncLane, User, Workspace
from dsrportal.models.ledger import ExtensionGround, PauseReason, RefusalGround
from dsrportal.models.runs import SyncOutcome
from dsrportal.models.workspaces import ClockProfile, PauseRule
from dsrportal.processes import Hurry
from dsrportal.sandbox.keys import made_keys
from dsrportal.serving import (
    Household,
    ServingError,
    StoppedError,
    accepts,
    collect_static,
    is_healthy,
    manage,
    open_door,
    web_server,
)

SEED = 1
DEFAULT_REQUESTS = 600
CLOCK_EXAMPLES = 16


@dataclass(frozen=True, kw_only=True, slots=True)
class House:
    """One workspace of the local Dastra, which of its keys opens it, and its team's own target (days from receipt)."""

    name: str
    upstream_id: int
    key: str
    country: str
    time_zone: str
    target_days: int | None = None


FRANCE = House(name="Acme France", upstream_id=101, key="full", country="FR", time_zone="Europe/Paris", target_days=20)
BENELUX = House(name="Acme Benelux", upstream_id=102, key="benelux", country="BE", time_zone="Europe/Brussels")


@dataclass(frozen=True, kw_only=True, slots=True)
class Account:
    """Somebody who may sign in to the demo."""

    username: str
    first_name: str
    last_name: str
    roles: tuple[tuple[House, Role], ...]

    @property
    def password(self) -> str:
        """Known to everybody: the demo listens on this machine alone and holds nobody's data."""
        return f"demo-{self.username}-2026"


ACCOUNTS = (
    Account(username="officer", first_name="Olivia", last_name="Martin", roles=((FRANCE, Role.OFFICER),)),
    Account(username="manager", first_name="Marc", last_name="Dubois", roles=((FRANCE, Role.MANAGER),)),
    Account(
        username="admin", first_name="Ada", last_name="Laurent", roles=((FRANCE, Role.ADMIN), (BENELUX, Role.ADMIN))
    ),
    Account(username="stranger", first_name="Stan", last_name="Peeters", roles=((BENELUX, Role.OFFICER),)),
)

MADE_BY_DEMO = ("sandbox.json", "demo.sqlite3", "demo.sqlite3-wal", "demo.sqlite3-shm", "demo.env", "log")
SHARED_WITH_PORTAL = ("cache", "limiter", "locks", "mail", "static", "static.stamp")


class Demo:
    """One run of the demo. `say` prints a line; `out` is where progress is drawn."""

    def __init__(self, *, say: Callable[[str], None], out: TextIO) -> None:
        self._say = say
        self._out = out
        self._hurry = Hurry()
        self._folder = Path(settings.DATA_DIR)
        self._count = os.environ.get("REQUESTS") or str(DEFAULT_REQUESTS)

    def run(self) -> None:
        """Prepare, serve, and block until somebody asks for the end. Raises `ServingError`; leaves no process behind."""
        self._hurry.listen()
        if not self._count.isascii() or not self._count.isdigit():
            raise ServingError(f"REQUESTS must be a number, not {self._count!r}.")
        with self._only_one(), open_door("PORT", default=8000) as door:
            with open_door("SANDBOX_PORT", default=8001) as sandbox_door:
                sandbox_port: int = sandbox_door.getsockname()[1]
            with Household(hurry=self._hurry, log_folder=self._folder / "log") as household:
                try:
                    self._prepare(household, sandbox_port=sandbox_port)
                    self._serve(household, door=door)
                    household.watch()
                except StoppedError:
                    pass
                self._say("\nStopping…")
        self._say("Stopped. `make demo` goes on from here; `make demo-reset` forgets.")

    def reset(self) -> None:
        """Remove what the demo made. What a real portal in the same folder may share with it stays while there is one."""
        with self._only_one():
            names = list(MADE_BY_DEMO)
            if not (self._folder / "portal.sqlite3").exists():
                names += SHARED_WITH_PORTAL
            for path in (self._folder / name for name in names):
                if path.is_dir():
                    shutil.rmtree(path)
                else:
                    path.unlink(missing_ok=True)
        self._say("The demo is forgotten.")

    def _only_one(self) -> TextIO:
        """A lock that dies with this process. Raises `ServingError` while another demo runs in the same folder."""
        lock = (self._folder / "demo.lock").open("w", encoding="utf-8")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            lock.close()
            raise ServingError(f"The demo runs already in {self._folder}. Stop it first (Ctrl-C).") from error
        return lock

    def _prepare(self, household: Household, *, sandbox_port: int) -> None:
        self._say("Preparing the database…")
        call_command("migrate", interactive=False, verbosity=0)
        household.look()
        self._say("Gathering the static files…")
        collect_static()
        household.look()
        self._start_sandbox(household, port=sandbox_port)
        accounts = {account.username: self._account(account) for account in ACCOUNTS}
        secrets = made_keys(seed=SEED, second_workspace=BENELUX.upstream_id)
        for house in (FRANCE, BENELUX):
            workspace = self._workspace(
                house,
                by=accounts["admin"],
                base_url=f"http://127.0.0.1:{sandbox_port}",
                secret=secrets[house.key].secret,
            )
            household.look()
            self._read(workspace, household=household)
        for account in ACCOUNTS:
            for house, role in account.roles:
                workspace = Workspace.objects.get(name=house.name)
                Membership.objects.get_or_create(
                    user=accounts[account.username], workspace=workspace, defaults={"role": role}
                )
        if not Pause.objects.exists():
            france, officer, now = Workspace.objects.get(name=FRANCE.name), accounts["officer"], timezone.now()
            record_clocks(france, by=officer, now=now)
            paused = DataSubjectRequest.objects.filter(workspace=france, paused_since__isnull=False)
            operator = Operator.objects.filter(dsrs__in=paused).order_by("pk").first()
            if operator is not None:  # somebody who can sign in has requests of their own
                match_assignee(france, operator_upstream_id=operator.upstream_id, user=officer, by=None, now=now)

    def _start_sandbox(self, household: Household, *, port: int) -> None:
        state = self._folder / "sandbox.json"
        if not state.exists():
            self._say(f"Starting a local Dastra with {self._count} invented requests…")
        elif "REQUESTS" in os.environ:
            self._say("Starting the local Dastra as it was left (REQUESTS counts after `make demo-reset`)…")
        else:
            self._say("Starting the local Dastra as it was left…")
        options = ["--port", str(port), "--requests", self._count, "--seed", str(SEED), "--state", str(state)]
        household.start(manage("sandbox", *options), name="sandbox")
        household.wait_for(lambda: accepts(port), name="The local Dastra")

    def _account(self, account: Account) -> User:
        user = User.objects.filter(username=account.username).first()
        if user is None:
            user = User.objects.create_user(
                username=account.username,
                password=account.password,
                first_name=account.first_name,
                last_name=account.last_name,
                email=f"{account.username}@example.org",
            )
        return user

    def _workspace(self, house: House, *, by: User, base_url: str, secret: str) -> Workspace:
        """The workspace as the last run left it, moved when SANDBOX_PORT has changed since; else a new one."""
        now = timezone.now()
        workspace = Workspace.objects.filter(name=house.name).first()
        if workspace is None:
            workspace = add_workspace(
                name=house.name,
                upstream_id=house.upstream_id,
                base_url=base_url,
                secret=secret,
                by=by,
                now=now,
                country=house.country,
                time_zone=house.time_zone,
            ).workspace
            change_rules(
                workspace,
                profile=ClockProfile.GDPR,
                pause_policy=PauseRule.SUSPEND,
                target_days=house.target_days,
                by=by,
                now=now,
            )
            return workspace
        if workspace.base_url != base_url:
            change(workspace, by=by, now=now, base_url=base_url, secret=secret)
        return workspace

    def _read(self, workspace: Workspace, *, household: Household) -> None:
        """Everything the first time, what is open later. A failure is told and shown in the portal, which tries again by itself."""
        done = SyncLane.objects.filter(workspace=workspace, lane=Lane.FULL, last_success_at__isnull=False).exists()
        bar = Bar(title=f"Reading {workspace.name}", out=self._out)

        def progress(step: Progress) -> None:
            household.look()
            bar.draw(seen=step.seen, total=step.total)

        try:
            run = pull(workspace, lane=Lane.ACTIVE if done else Lane.FULL, now=timezone.now, progress=progress)
        except BusyError:
            bar.end("is being read already")
            return
        if run.outcome == SyncOutcome.COMPLETE:
            bar.end(f"{run.seen:,} requests, {run.stored:,} new or changed")
        else:
            bar.end(run.error)

    def _serve(self, household: Household, *, door: socket.socket) -> None:
        self._say("Starting the web server and the background jobs…")
        household.start(manage("jobs", "--grace", "8"), name="jobs")
        household.start(web_server(door), name="web", door=door)
        household.wait_for(lambda: is_healthy(door), name="The web server")
        for line in self._welcome(port=door.getsockname()[1]):
            self._say(line)

    def _welcome(self, *, port: int) -> list[str]:
        rows = [
            (
                account.username,
                account.password,
                ", ".join(f"{role.label} in {house.name}" for house, role in account.roles),
            )
            for account in ACCOUNTS
        ]
        return [
            "",
            f"  DSR Portal is ready:  http://localhost:{port}/",
            "",
            *(
                f"  {username:<10} {password:<20} {roles}"
                for username, password, roles in [("account", "password", "role"), *rows]
            ),
            "",
            f"  Other commands:  ENV_FILE={os.path.relpath(self._folder / 'demo.env')} .venv/bin/python manage.py sync 'Acme France'",
            f"  Logs:            {os.path.relpath(self._folder / 'log')}",
            "",
            "  Ctrl-C stops everything.",
        ]


def record_clocks(workspace: Workspace, *, by: User, now: datetime) -> None:
    """Pauses, extensions and refusals on some open requests, the same for the same requests and day; recorded as people would."""
    today = now.astimezone(ZoneInfo(workspace.time_zone)).date()
    rows = DataSubjectRequest.objects.filter(workspace=workspace, archived=False, clock_rank=DataSubjectRequest.RUNNING)
    in_time = rows.filter(extend_by__gte=today, received_on__lte=today - timedelta(days=3)).order_by("upstream_id")
    for number, dsr in enumerate(in_time[:CLOCK_EXAMPLES]):
        soon = (dsr.received_on or today) + timedelta(days=2)
        _record_clock(dsr, kind=number % 4, soon=soon, today=today, by=by, now=now)
    late = rows.filter(extend_by__lt=today).order_by("upstream_id").first()
    if late is not None:
        _refuse(late, on=today, by=by, now=now)


def _record_clock(dsr: DataSubjectRequest, *, kind: int, soon: date, today: date, by: User, now: datetime) -> None:
    number = f"{dsr.workspace_id}-{dsr.upstream_id}"
    made: dict[str, Any] = {"action_id": uuid.uuid5(uuid.NAMESPACE_URL, number), "by": by, "now": now}
    if kind == 3:  # noqa: PLR2004  the fourth of four
        _refuse(dsr, on=soon, by=by, now=now)
    elif kind == 2:  # noqa: PLR2004
        text = "The records of three systems have to be gathered. Notice: letter 2026-0042."
        ledger.extend(dsr, ground=ExtensionGround.COMPLEXITY, notice_on=soon, text=text, **made)
    else:
        reason = PauseReason.IDENTITY if kind else PauseReason.CLARIFICATION
        ledger.pause(dsr, reason=reason, asked_on=soon, text="Asked by e-mail.", **made)
        if kind:
            answer = uuid.uuid5(uuid.NAMESPACE_URL, f"{number}-answer")
            ledger.resume(dsr, action_id=answer, answered_on=min(soon + timedelta(days=5), today), by=by, now=now)


def _refuse(dsr: DataSubjectRequest, *, on: date, by: User, now: datetime) -> None:
    number = uuid.uuid5(uuid.NAMESPACE_URL, f"{dsr.workspace_id}-{dsr.upstream_id}-refusal")
    text = "The fifth request for the same copy within a month. Notice: e-mail of that day."
    ledger.refuse(dsr, action_id=number, ground=RefusalGround.EXCESSIVE, notice_on=on, text=text, by=by, now=now)


class Bar:
    """A progress bar on a terminal; elsewhere a line for each tenth, so that logs stay readable."""

    WIDTH = 30

    def __init__(self, *, title: str, out: TextIO) -> None:
        self._title = title
        self._out = out
        self._tenth = 0
        self._list_total = 0
        self._earlier_totals = 0
        self.draw(seen=0, total=None)

    def draw(self, *, seen: int, total: int | None) -> None:
        """Show how far it is; without a total only the count. A pull reads one list after the other, each with a total of its own."""
        if total is not None and total != self._list_total:
            self._earlier_totals += self._list_total
            self._list_total = total
        total = self._earlier_totals + self._list_total
        share = min(1.0, seen / total) if total else 0.0
        of_total = f" of {total:,}" if total else ""
        if self._out.isatty():
            filled = int(self.WIDTH * share)
            bar = "█" * filled + "·" * (self.WIDTH - filled)
            self._out.write(f"\r{self._title}  [{bar}] {seen:,}{of_total} \033[K")
        elif seen == 0:
            self._out.write(f"{self._title}…\n")
        elif int(share * 10) > self._tenth:
            self._out.write(f"{self._title}: {seen:,}{of_total}…\n")
        self._tenth = int(share * 10)
        self._out.flush()

    def end(self, result: str) -> None:
        """Replace the bar by what came of it."""
        start, end = ("\r", "\033[K\n") if self._out.isatty() else ("", "\n")
        self._out.write(f"{start}{self._title}: {result.rstrip('.')}.{end}")
        self._out.flush()
