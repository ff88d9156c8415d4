"""Workspace -> DastraClient: opens the sealed secret and applies what the operator set (hosts, time limits, shared pace).

Called by pulls, refreshes and actions. The one seam between our rows and Dastra's API; stores nothing and never logs a secret.
"""

from __future__ import annotations

from django.conf import settings
from django.utils.translation import gettext as _

from dsrportal import credentials
from dsrportal.dastra.auth import ApiKey, Auth, ClientCredentials
from dsrportal.dastra.client import DastraClient
from dsrportal.dastra.errors import ConfigurationError
from dsrportal.dastra.pacing import SharedPacer
from dsrportal.models import Workspace
from dsrportal.models.workspaces import AuthMode

DEFAULT_TOKEN_URL = "https://account.dastra.eu/connect/token"  # noqa: S105  an address, not a secret
LARGEST_LIMIT = 480


def connect(workspace: Workspace, *, interactive: bool = False) -> DastraClient:
    """A client for a stored workspace; `interactive` where a person waits. Close it, or use it as a context manager.

    Raises `dastra.errors.ConfigurationError` when the address is no longer allowed or the secret cannot be opened.
    """
    try:
        secret = workspace.read_secret()
    except credentials.CannotDecryptError as error:
        raise ConfigurationError(
            _("The key of this workspace cannot be opened with CREDENTIAL_KEYS. Enter it again.")
        ) from error
    return connect_unsaved(
        base_url=workspace.base_url,
        upstream_id=workspace.upstream_id,
        auth_mode=workspace.auth_mode,
        public_key=workspace.public_key,
        secret=secret,
        token_url=workspace.token_url,
        interactive=interactive,
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
    """A client for a connection that is not stored (yet). Raises `dastra.errors.ConfigurationError`."""
    auth: Auth = ApiKey(secret)
    if auth_mode == AuthMode.OAUTH:
        auth = ClientCredentials(public_key=public_key, secret=secret, token_url=token_url or DEFAULT_TOKEN_URL)
    pacer = SharedPacer(
        directory=settings.DATA_DIR / "limiter",
        key_id=auth.key_id,
        per_minute=min(settings.UPSTREAM_LIMIT_PER_MINUTE, LARGEST_LIMIT),
    )
    return DastraClient(
        base_url=base_url,
        workspace_id=upstream_id,
        auth=auth,
        allowed_hosts=settings.UPSTREAM_ALLOWED_HOSTS,
        pacer=pacer,
        timeout_seconds=settings.UPSTREAM_TIMEOUT_SECONDS,
        interactive=interactive,
    )
