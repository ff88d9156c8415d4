"""The two ways into Dastra: an API key, and OAuth2 client credentials whose token is kept in memory.

Used by `transport.py`, which does the calling. Secrets never show in a repr and are never stored here.
"""

from __future__ import annotations

import base64
import hashlib
import time
from collections.abc import Callable
from threading import Lock

from .errors import ConfigurationError, MalformedAnswer

LONGEST_SECRET = 4096
_RENEW_BEFORE_SECONDS = 60.0
_DEFAULT_LIFETIME_SECONDS = 3600.0


class ApiKey:
    """`X-API-Key` on every call. Blanks and quotes around a pasted key are dropped."""

    def __init__(self, secret: str) -> None:
        self._secret = clean_secret(secret, what="API key")
        self.key_id = key_id(self._secret)

    def __repr__(self) -> str:
        return "ApiKey(…)"

    def headers(self) -> dict[str, str]:
        return {"X-API-Key": self._secret}


class ClientCredentials:
    """OAuth2 client credentials: a token from `token_url`, sent as Bearer, renewed 60 s before its end.

    A token that lives less than ten minutes is renewed a tenth of its life before its end.
    Source: POST https://account.dastra.eu/connect/token.
    """

    def __init__(
        self, *, public_key: str, secret: str, token_url: str, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._public_key = clean_secret(public_key, what="public key")
        self._secret = clean_secret(secret, what="private key")
        self.token_url = token_url
        self.key_id = key_id(f"{self._public_key}:{self._secret}")
        self.renewing = Lock()
        self._clock = clock
        self._token = ""
        self._renew_at = 0.0

    def __repr__(self) -> str:
        return "ClientCredentials(…)"

    def headers(self) -> dict[str, str]:
        """Empty while there is no token that is still good: then one must be asked for."""
        if not self._token or self._clock() >= self._renew_at:
            return {}
        return {"Authorization": f"Bearer {self._token}"}

    def token_headers(self) -> dict[str, str]:
        pair = f"{self._public_key}:{self._secret}"
        return {"Authorization": "Basic " + base64.b64encode(pair.encode()).decode()}

    def token_form(self) -> dict[str, str]:
        return {"grant_type": "client_credentials", "scope": "api1"}

    def accept(self, answer: object) -> None:
        """Keeps the token of a token answer. Raises MalformedAnswer when there is none that a header can carry."""
        fields = answer if isinstance(answer, dict) else {}
        token = fields.get("access_token")
        if not isinstance(token, str) or not token or not (token.isascii() and token.isprintable()) or " " in token:
            raise MalformedAnswer("The token service answered without a usable token.")
        lifetime = fields.get("expires_in")
        if isinstance(lifetime, bool) or not isinstance(lifetime, int | float) or lifetime <= 0:
            lifetime = _DEFAULT_LIFETIME_SECONDS
        self._token = token
        self._renew_at = self._clock() + lifetime - min(_RENEW_BEFORE_SECONDS, lifetime / 10)

    def forget(self, headers: dict[str, str]) -> None:
        """Drops the token that those headers carried, unless another thread has renewed it already."""
        if headers.get("Authorization") == f"Bearer {self._token}":
            self._token = ""


Auth = ApiKey | ClientCredentials


def key_id(credential: str) -> str:
    """A name for a credential that tells nothing of it: names the shared rate limit's file."""
    return hashlib.sha256(b"dsr-portal pacing\0" + credential.encode()).hexdigest()[:20]


def clean_secret(secret: str, *, what: str) -> str:
    """Raises ConfigurationError for what no header can carry; the sentence never holds the secret."""
    cleaned = secret.strip().strip("\"'").strip()
    if not cleaned:
        raise ConfigurationError(f"The {what} is empty.")
    if len(cleaned) > LONGEST_SECRET:
        raise ConfigurationError(f"The {what} is too long.")
    if not (cleaned.isascii() and cleaned.isprintable()) or " " in cleaned:
        raise ConfigurationError(f"The {what} contains characters that no key has.")
    return cleaned
