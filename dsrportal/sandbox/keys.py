"""Who may call: API keys with their reach, and the OAuth tokens made from them.

Asked by the server for every call. The keys follow from the seed, so that a restarted sandbox knows its clients again.
"""

import base64
import hashlib
import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import parse_qs

from dsrportal.sandbox.calls import Answer

_CLIENT_ERROR = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """One API key as an account owner makes it. `workspaces` None: the whole organisation. `name` is the id in the journal."""

    name: str
    public: str
    secret: str
    workspaces: frozenset[int] | None = None
    may_write: bool = True
    roles: frozenset[int] = frozenset()

    def reaches(self, workspace_id: int) -> bool:
        """Whether the key may read this workspace."""
        return self.workspaces is None or workspace_id in self.workspaces


def made_text(*, seed: int, purpose: str, length: int) -> str:
    """A text that looks random and follows from the seed; good for keys that protect nothing but invented data."""
    digest = hashlib.sha512(f"sandbox:{seed}:{purpose}".encode()).digest()
    return base64.urlsafe_b64encode(digest).decode().replace("-", "x").replace("_", "y")[:length]


def made_keys(*, seed: int, second_workspace: int) -> dict[str, Key]:
    """The three keys of a sandbox: `full`, `benelux` (the second workspace alone) and `read_only`."""

    def key(name: str, *, workspaces: frozenset[int] | None = None, may_write: bool = True) -> Key:
        return Key(
            name=name,
            public=made_text(seed=seed, purpose=f"{name}:public", length=24),
            secret=made_text(seed=seed, purpose=f"{name}:secret", length=43),
            workspaces=workspaces,
            may_write=may_write,
        )

    return {
        "full": key("full"),
        "benelux": key("benelux", workspaces=frozenset({second_workspace})),
        "read_only": key("read_only", may_write=False),
    }


class Keyring:
    """Knows the keys and the live tokens. Thread-safe."""

    def __init__(
        self, keys: dict[str, Key], *, token_seconds: int, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self.keys = keys
        self.token_seconds = token_seconds
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._tokens: dict[str, tuple[str, float]] = {}

    def identify(self, headers: dict[str, str], *, basic: bool) -> Key | None:
        """The key behind `X-API-Key`, a bearer token, or (legacy, where allowed) HTTP Basic; None for everything else."""
        if "x-api-key" in headers:
            return self._by_secret(headers["x-api-key"].strip())
        scheme, _, credential = headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer":
            with self._lock:
                name, ends = self._tokens.get(credential.strip(), ("", 0.0))
            return self.keys.get(name) if self._monotonic() < ends else None
        if scheme.lower() == "basic" and basic:
            user, password = _basic(credential)
            key = self._by_secret(user) or self._by_secret(password)
            return key if key and user in {key.public, key.secret} else None
        return None

    def token(self, *, headers: dict[str, str], body: bytes) -> Answer:
        """`POST /connect/token`: client credentials in, an opaque token out; 400 with an OAuth error otherwise."""
        form = {name: values[0] for name, values in parse_qs(body.decode("utf-8", "replace")).items()}
        scheme, _, credential = headers.get("authorization", "").partition(" ")
        public, secret = (
            _basic(credential)
            if scheme.lower() == "basic"
            else (
                form.get("client_id", ""),
                form.get("client_secret", ""),
            )
        )
        key = self._by_secret(secret)
        if key is None or key.public != public:
            return Answer.json({"error": "invalid_client"}, status=_CLIENT_ERROR)
        if form.get("grant_type") != "client_credentials":
            return Answer.json({"error": "unsupported_grant_type"}, status=_CLIENT_ERROR)
        if "api1" not in form.get("scope", "").split():
            return Answer.json({"error": "invalid_scope"}, status=_CLIENT_ERROR)
        token = secrets.token_urlsafe(32)
        with self._lock:
            self._tokens[token] = (key.name, self._monotonic() + self.token_seconds)
        answer = {"access_token": token, "expires_in": self.token_seconds, "token_type": "Bearer", "scope": "api1"}
        return Answer.json(answer)

    def forget_tokens(self) -> None:
        """Ends every token at once, as a restart of the account host would."""
        with self._lock:
            self._tokens.clear()

    def _by_secret(self, secret: str) -> Key | None:
        found = [key for key in self.keys.values() if secrets.compare_digest(key.secret.encode(), secret.encode())]
        return found[0] if found else None


def _basic(credential: str) -> tuple[str, str]:
    try:
        text = base64.b64decode(credential.strip(), validate=True).decode()
    except ValueError:
        return "", ""
    user, _, password = text.partition(":")
    return user, password
