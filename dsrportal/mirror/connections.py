"""Workspace -> DastraClient: opens the sealed secret and applies what the operator set (hosts, time limits, shared pace).

Called by pulls, refreshes and actions. The one seam between our rows and Dastra's API; stores nothing and never logs a secret.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass

from django.conf import settings
from django.db import connection
from django.utils.translation import gettext as _

from dsrportal import credentials
from dsrportal.dastra.auth import ApiKey, Auth, ClientCredentials
from dsrportal.dastra.client import DastraClient
from dsrportal.dastra.errors import ConfigurationError, DastraError
from dsrportal.dastra.pacing import Pacer
from dsrportal.dastra.pacing_file import SharedPacer
from dsrportal.mirror.pacing_rows import RowsPacer
from dsrportal.models import Workspace
from dsrportal.models.workspaces import AuthMode

DEFAULT_TOKEN_URL = "https://account.dastra.eu/connect/token"  # noqa: S105  an address, not a secret
LARGEST_LIMIT = 480


@dataclass(frozen=True, kw_only=True, slots=True)
class Budget:
    """The pace of a workspace's credential: calls of the last minute and their limit, a pause, and the breaker.

    `circuit` is `closed`, `open` or `refused`; `next_try_seconds` is None where only a person's act ends it.
    """

    used: int
    limit: int
    pause_seconds: float
    circuit: str
    since_seconds: float
    next_try_seconds: float | None


def connect(workspace: Workspace, *, interactive: bool = False) -> DastraClient:
    """A client for a stored workspace; `interactive` where a person waits. Close it, or use it as a context manager.

    Raises `dastra.errors.ConfigurationError` when the address is no longer allowed or the secret cannot be opened.
    """
    return _client(
        base_url=workspace.base_url,
        upstream_id=workspace.upstream_id,
        auth=_auth_of(workspace),
        interactive=interactive,
        insist=False,
    )


def connect_unsaved(
    *,
    base_url: str,
    upstream_id: int,
    auth_mode: str,
    public_key: str,
    secret: str,
    token_url: str,
    interactive: bool = True,
) -> DastraClient:
    """A client for a connection that a person tries out before it is stored: the breaker does not stop it, and its success ends what the
    breaker holds. Raises `dastra.errors.ConfigurationError`."""
    auth = _auth(auth_mode=auth_mode, public_key=public_key, secret=secret, token_url=token_url)
    return _client(base_url=base_url, upstream_id=upstream_id, auth=auth, interactive=interactive, insist=True)


def reset(workspace: Workspace) -> None:
    """A person wants Dastra called again now: the breaker of this workspace's credential is closed. Never raises: what is wrong with the
    credential or the store is told by the call that follows."""
    with suppress(DastraError):
        _pacer(_auth_of(workspace)).reset()


def budget_of(workspace: Workspace) -> Budget | None:
    """For a gauge; None when the credential cannot be opened or the shared store cannot be read. Calls nobody."""
    try:
        found = _pacer(_auth_of(workspace)).state()
    except DastraError:
        return None
    return Budget(
        used=found.used,
        limit=found.limit,
        pause_seconds=found.pause_seconds,
        circuit=str(found.circuit),
        since_seconds=found.since_seconds,
        next_try_seconds=found.next_try_seconds,
    )


def _client(*, base_url: str, upstream_id: int, auth: Auth, interactive: bool, insist: bool) -> DastraClient:
    return DastraClient(
        base_url=base_url,
        workspace_id=upstream_id,
        auth=auth,
        allowed_hosts=settings.UPSTREAM_ALLOWED_HOSTS,
        pacer=_pacer(auth),
        timeout_seconds=settings.UPSTREAM_TIMEOUT_SECONDS,
        interactive=interactive,
        insist=insist,
    )


def _auth_of(workspace: Workspace) -> Auth:
    try:
        secret = workspace.read_secret()
    except credentials.CannotDecryptError as error:
        raise ConfigurationError(
            _("The key of this workspace cannot be opened with CREDENTIAL_KEYS. Enter it again.")
        ) from error
    return _auth(
        auth_mode=workspace.auth_mode,
        public_key=workspace.public_key,
        secret=secret,
        token_url=workspace.token_url,
    )


def _auth(*, auth_mode: str, public_key: str, secret: str, token_url: str) -> Auth:
    if auth_mode == AuthMode.OAUTH:
        return ClientCredentials(public_key=public_key, secret=secret, token_url=token_url or DEFAULT_TOKEN_URL)
    return ApiKey(secret)


def _pacer(auth: Auth) -> Pacer:
    """Where the pace is kept: Redis when the operator set one, else a shared database, else a file of this machine."""
    per_minute = min(settings.UPSTREAM_LIMIT_PER_MINUTE, LARGEST_LIMIT)
    if settings.REDIS_URL:
        from dsrportal.dastra.pacing_redis import RedisPacer  # noqa: PLC0415  not loaded where there is none

        return RedisPacer(url=settings.REDIS_URL, key_id=auth.key_id, per_minute=per_minute)
    if connection.vendor == "postgresql":
        return RowsPacer(key_id=auth.key_id, per_minute=per_minute)
    return SharedPacer(directory=settings.DATA_DIR / "limiter", key_id=auth.key_id, per_minute=per_minute)
