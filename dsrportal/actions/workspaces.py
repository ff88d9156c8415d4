"""What an admin may do to a workspace: add, test, change, give a new key, disable, enable, end a hold.

Called by the settings pages and by the commands, so that both do the same. Every connection is tested before it is stored, every
act is audited, and no secret is ever returned, logged or audited. Who may do it is decided by the caller.
"""

from __future__ import annotations

import re
import zoneinfo
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.text import slugify
from django.utils.translation import gettext as _

from dsrportal import credentials
from dsrportal.actions.addresses import allowed_base_url, allowed_token_url, checked_secret
from dsrportal.actions.connection_tests import (
    Capability,
    Connection,
    ConnectionReport,
    UnusableConnectionError,
    try_connection,
)
from dsrportal.actions.refusals import WorkspaceError
from dsrportal.actions.rules import raise_number
from dsrportal.clocks import UnknownCalendarError, check_region
from dsrportal.mirror import reckoning
from dsrportal.mirror.connections import Budget, budget_of
from dsrportal.mirror.pull import BusyError, Progress, pull
from dsrportal.models import AuditEvent, Lane, Membership, Role, SyncRun, User, Workspace
from dsrportal.models.audit import Operation
from dsrportal.models.runs import SyncOutcome
from dsrportal.models.workspaces import AuthMode, Hold

__all__ = [
    "Added",
    "Capability",
    "ConnectionReport",
    "WorkspaceError",
    "add_workspace",
    "change",
    "disable",
    "enable",
    "end_hold",
    "read_budget",
    "rotate_secret",
    "test_connection",
]

PLACE = frozenset({"country", "region", "time_zone"})
"""What legal dates depend on."""

LARGEST_ID = 2**63 - 1
LONGEST_NAME = 120
LONGEST_SLUG = 50
LONGEST_REGION = 10
LONGEST_PUBLIC_KEY = 300


@dataclass(frozen=True, kw_only=True, slots=True)
class Added:
    """A workspace that was just stored, and what its key can do."""

    workspace: Workspace
    report: ConnectionReport


def test_connection(
    *,
    base_url: str,
    upstream_id: int,
    secret: str,
    auth_mode: str = AuthMode.KEY,  # noqa: PT028  the name is an admin's word, no test
    public_key: str = "",  # noqa: PT028
    token_url: str = "",  # noqa: PT028
) -> ConnectionReport:
    """Try a connection; nothing is stored. Raises `WorkspaceError` when the requests cannot be read."""
    return _tested(
        _connection(
            base_url=base_url,
            upstream_id=upstream_id,
            secret=secret,
            auth_mode=auth_mode,
            public_key=public_key,
            token_url=token_url,
        )
    )


def add_workspace(
    *,
    name: str,
    upstream_id: int,
    base_url: str,
    secret: str,
    by: User | None,
    now: datetime,
    auth_mode: str = AuthMode.KEY,
    public_key: str = "",
    token_url: str = "",
    country: str = "FR",
    region: str = "",
    time_zone: str = "Europe/Paris",
) -> Added:
    """Test the connection, then store the workspace. `by` becomes its first admin; None is the command line.

    Nothing is pulled yet. Raises `WorkspaceError`, and then nothing is stored.
    """
    place = _checked_place(country=country, region=region, time_zone=time_zone)
    name = _checked_name(name)
    connection = _connection(
        base_url=base_url,
        upstream_id=upstream_id,
        secret=secret,
        auth_mode=auth_mode,
        public_key=public_key,
        token_url=token_url,
    )
    _refuse_double(name=name, base_url=connection.base_url, upstream_id=connection.upstream_id)
    report = _tested(connection)
    workspace = Workspace(
        slug=_free_slug(name, upstream_id=connection.upstream_id),
        name=name,
        upstream_id=connection.upstream_id,
        base_url=connection.base_url,
        auth_mode=connection.auth_mode,
        token_url=connection.token_url,
        public_key=connection.public_key,
        created_at=now,
        secret_changed_at=now,
        **place,
    )
    workspace.set_secret(connection.secret)
    workspace.set_search_key(credentials.new_search_key())
    try:
        with transaction.atomic():
            workspace.save()
            if by is not None:
                Membership.objects.create(user=by, workspace=workspace, role=Role.ADMIN)
            _audit(workspace, operation=Operation.WORKSPACE_ADDED, by=by, now=now)
    except IntegrityError as error:
        raise WorkspaceError(_("This workspace was added by someone else at the same moment.")) from error
    return Added(workspace=workspace, report=report)


def rotate_secret(
    workspace: Workspace, *, secret: str, by: User | None, now: datetime, public_key: str = ""
) -> ConnectionReport:
    """Replace the key (and, for OAuth2, the public key where one is given) after a test. Raises `WorkspaceError`."""
    connection = _connection(
        base_url=workspace.base_url,
        upstream_id=workspace.upstream_id,
        secret=secret,
        auth_mode=workspace.auth_mode,
        public_key=public_key or workspace.public_key,
        token_url=workspace.token_url,
    )
    report = _tested(connection)
    with transaction.atomic():
        workspace.set_secret(connection.secret)
        workspace.public_key = connection.public_key
        workspace.secret_changed_at = now
        workspace.save(update_fields=["secret_sealed", "secret_last_four", "public_key", "secret_changed_at"])
        _audit(workspace, operation=Operation.SECRET_ROTATED, by=by, now=now)
    return report


def change(
    workspace: Workspace,
    *,
    by: User | None,
    now: datetime,
    name: str | None = None,
    base_url: str | None = None,
    auth_mode: str | None = None,
    public_key: str | None = None,
    token_url: str | None = None,
    secret: str = "",
    country: str | None = None,
    region: str | None = None,
    time_zone: str | None = None,
) -> ConnectionReport | None:
    """Change what is given; None leaves a field as it is. The id in Dastra never changes: another id is another workspace.

    A new address, token address or way in needs the key again, since the stored one is bound to its address, and is tested first:
    then the report is returned. Raises `WorkspaceError`, and then nothing is stored.
    """
    given, workspace = (
        workspace,
        Workspace.objects.get(pk=workspace.pk),
    )  # the caller's copy stays true when this is refused
    before = _visible_fields(workspace)
    workspace.name = _checked_name(workspace.name if name is None else name)
    for field, value in _checked_place(
        country=workspace.country if country is None else country,
        region=workspace.region if region is None else region,
        time_zone=workspace.time_zone if time_zone is None else time_zone,
    ).items():
        setattr(workspace, field, value)
    report = _reconnect(
        workspace,
        wanted={"base_url": base_url, "auth_mode": auth_mode, "public_key": public_key, "token_url": token_url},
        secret=secret,
        now=now,
    )
    _refuse_double(
        name=workspace.name, base_url=workspace.base_url, upstream_id=workspace.upstream_id, except_for=workspace
    )
    after = _visible_fields(workspace)
    changed = sorted(field for field, value in after.items() if value != before[field])
    if not changed and report is None:
        return None
    try:
        with transaction.atomic():
            workspace.save(
                update_fields=[*after, "secret_sealed", "secret_last_four", "secret_changed_at", "search_key_sealed"]
            )
            _audit(workspace, operation=Operation.WORKSPACE_CHANGED, by=by, now=now, details={"fields": changed})
            if place := sorted(PLACE & set(changed)):
                raise_number(workspace, by=by, now=now, details={name: str(after[name]) for name in place})
    except IntegrityError as error:
        raise WorkspaceError(_("Another workspace took this name at the same moment."), field="name") from error
    given.refresh_from_db()
    reckoning.restate(given, now=now, most=reckoning.BATCH)
    return report


def disable(workspace: Workspace, *, by: User | None, now: datetime) -> None:
    """Stop reading and acting; the mirror stays. Does nothing when it is disabled already."""
    if Workspace.objects.filter(pk=workspace.pk, disabled_at=None).update(disabled_at=now):
        _audit(workspace, operation=Operation.WORKSPACE_DISABLED, by=by, now=now)
    workspace.refresh_from_db(fields=["disabled_at"])


def enable(workspace: Workspace, *, by: User | None, now: datetime) -> None:
    """Read and act again. Does nothing when it is enabled already."""
    if Workspace.objects.filter(pk=workspace.pk).exclude(disabled_at=None).update(disabled_at=None):
        _audit(workspace, operation=Operation.WORKSPACE_ENABLED, by=by, now=now)
    workspace.refresh_from_db(fields=["disabled_at"])


def end_hold(
    workspace: Workspace,
    *,
    by: User | None,
    now: datetime,
    lane: Lane = Lane.FULL,
    progress: Callable[[Progress], None] | None = None,
) -> SyncRun:
    """Read everything again and let go of what Dastra confirms as gone (404 or 410 of each), however much it is.

    Makes one call for each missing request, so that it may take minutes: pages have a job do it. Raises `WorkspaceError` when nothing is
    held or a pull is running already.
    """
    workspace.refresh_from_db(fields=["hold", "held_at"])
    held, held_at = workspace.hold, workspace.held_at
    if not held:
        raise WorkspaceError(_("This workspace is not on hold."))
    try:
        run = pull(workspace, lane=lane, now=timezone.now, accept_missing=held == Hold.MISSING, progress=progress)
    except BusyError as error:
        raise WorkspaceError(_("This workspace is being read at the moment. Try again in a minute.")) from error
    ended = AuditEvent.objects.filter(workspace=workspace, operation=Operation.HOLD_ENDED, at__gte=held_at or now)
    if run.outcome == SyncOutcome.COMPLETE and not ended.exists():  # asked for twice at once, it ended once
        _audit(workspace, operation=Operation.HOLD_ENDED, by=by, now=now, details={"hold": held, "gone": run.gone})
    return run


def read_budget(workspace: Workspace) -> Budget | None:
    """How much of the rate limit the workspace's key has used, and whether the breaker holds it. None when that cannot be read."""
    return budget_of(workspace)


def _connection(
    *, base_url: str, upstream_id: int, secret: str, auth_mode: str, public_key: str, token_url: str
) -> Connection:
    if not 0 < upstream_id <= LARGEST_ID:
        raise WorkspaceError(_("The workspace id in Dastra is a positive whole number."), field="upstream_id")
    if auth_mode not in AuthMode.values:
        raise WorkspaceError(_("The way in is an API key, or a public and a private key."), field="auth_mode")
    is_oauth = auth_mode == AuthMode.OAUTH
    public_key = public_key.strip()
    if is_oauth and (not public_key or len(public_key) > LONGEST_PUBLIC_KEY):
        raise WorkspaceError(_("The way in with two keys needs the public key."), field="public_key")
    return Connection(
        base_url=allowed_base_url(base_url),
        upstream_id=upstream_id,
        auth_mode=auth_mode,
        public_key=public_key if is_oauth else "",
        token_url=allowed_token_url(token_url) if is_oauth else "",
        secret=checked_secret(secret),
    )


def _tested(connection: Connection) -> ConnectionReport:
    try:
        return try_connection(connection)
    except UnusableConnectionError as error:
        raise WorkspaceError(error.sentence, code=error.code) from error


def _reconnect(
    workspace: Workspace, *, wanted: Mapping[str, str | None], secret: str, now: datetime
) -> ConnectionReport | None:
    """Take the new connection over into the (unsaved) workspace once it was tested; None when the connection stays."""
    current = {name: str(getattr(workspace, name)) for name in wanted}
    merged = {name: current[name] if value is None else value.strip() for name, value in wanted.items()}
    if not secret:
        if merged["base_url"].rstrip("/").lower() == current["base_url"]:
            merged["base_url"] = current["base_url"]
        if merged == current:
            return None
        raise WorkspaceError(_("A change of the connection needs the key again."), field="secret")
    connection = _connection(
        upstream_id=workspace.upstream_id,
        secret=secret,
        base_url=merged["base_url"],
        auth_mode=merged["auth_mode"],
        public_key=merged["public_key"],
        token_url=merged["token_url"],
    )
    report = _tested(connection)
    try:
        search_key = workspace.read_search_key()  # sealed for the old address
    except credentials.CannotDecryptError as error:
        raise WorkspaceError(
            _("What is stored cannot be opened with CREDENTIAL_KEYS: a former key is missing.")
        ) from error
    workspace.base_url, workspace.auth_mode = connection.base_url, connection.auth_mode
    workspace.public_key, workspace.token_url = connection.public_key, connection.token_url
    workspace.set_secret(connection.secret)
    workspace.set_search_key(search_key)
    workspace.secret_changed_at = now
    return report


def _checked_name(name: str) -> str:
    name = name.strip()
    if not name or len(name) > LONGEST_NAME or not name.isprintable():
        raise WorkspaceError(
            _("A workspace needs a name of at most %(n)d characters.") % {"n": LONGEST_NAME}, field="name"
        )
    return name


def _checked_place(*, country: str, region: str, time_zone: str) -> dict[str, str]:
    country, region, time_zone = country.strip().upper(), region.strip(), time_zone.strip()
    if not re.fullmatch(r"[A-Z]{2}", country, re.ASCII):
        raise WorkspaceError(_("The country is a code of two letters, for example FR."), field="country")
    if not re.fullmatch(rf"[A-Za-z0-9-]{{0,{LONGEST_REGION}}}", region, re.ASCII):
        raise WorkspaceError(_("The region is a short code, for example 57."), field="region")
    if time_zone not in zoneinfo.available_timezones():
        raise WorkspaceError(_("The time zone is a name such as Europe/Paris."), field="time_zone")
    try:
        check_region(country, region=region)
    except UnknownCalendarError as error:
        if error.region:
            raise WorkspaceError(_("No holidays are known for this region of the country."), field="region") from error
        raise WorkspaceError(_("No holidays are known for this country."), field="country") from error
    return {"country": country, "region": region, "time_zone": time_zone}


def _refuse_double(*, name: str, base_url: str, upstream_id: int, except_for: Workspace | None = None) -> None:
    others = Workspace.objects.exclude(pk=except_for.pk) if except_for else Workspace.objects.all()
    if others.filter(name__iexact=name).exists():
        raise WorkspaceError(_("There is a workspace of this name already."), field="name")
    if others.filter(base_url=base_url, upstream_id=upstream_id).exists():
        raise WorkspaceError(_("This workspace of Dastra was added already."), field="upstream_id")


def _free_slug(name: str, *, upstream_id: int) -> str:
    stem = slugify(name)[:LONGEST_SLUG].strip("-") or f"workspace-{upstream_id}"
    taken = set(Workspace.objects.filter(slug__startswith=stem).values_list("slug", flat=True))
    return next(slug for n in range(1, len(taken) + 2) if (slug := stem if n == 1 else f"{stem}-{n}") not in taken)


def _visible_fields(workspace: Workspace) -> dict[str, str]:
    names = ("name", "base_url", "auth_mode", "public_key", "token_url", "country", "region", "time_zone")
    return {name: str(getattr(workspace, name)) for name in names}


def _audit(
    workspace: Workspace, *, operation: Operation, by: User | None, now: datetime, details: dict[str, Any] | None = None
) -> None:
    AuditEvent.objects.create(
        at=now, by=by, workspace=workspace, operation=operation, outcome="done", details=details or {}
    )
