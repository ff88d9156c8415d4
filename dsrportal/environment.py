"""What the process finds in its environment before Django starts: an optional file of variables, and what the demo makes up for itself.

Called by `manage.py` and `dsrportal.wsgi` before settings are read. A variable that is set wins, except in the demo.
"""

from __future__ import annotations

import base64
import os
import secrets
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

THROWAWAY_COMMANDS = frozenset(
    {"sandbox", "collectstatic", "makemigrations", "makemessages", "compilemessages", "help", "version", "deadline"}
)
"""Commands that touch neither data nor secrets, and so need no secret to be configured."""


def prepare(*, command: str) -> None:
    """Load `ENV_FILE` when it is set; give the demo its own lasting environment; give harmless commands a passing one."""
    if command == "demo":
        prepare_demo()
        return
    if env_file := os.environ.get("ENV_FILE"):
        load_file(Path(env_file))
    if command in THROWAWAY_COMMANDS:
        os.environ.setdefault("SECRET_KEY", secrets.token_urlsafe(48))
        os.environ.setdefault("CREDENTIAL_KEYS", make_key())
        os.environ.setdefault("ALLOWED_HOSTS", "localhost")


def load_file(path: Path) -> None:
    """Read `NAME=value` lines into the environment; names that are already set win. A missing file ends the start."""
    try:
        found = read_file(path)
    except OSError as error:
        raise SystemExit(f"ENV_FILE names {path}, which cannot be read: {error.strerror}.") from error
    for name, value in found.items():
        os.environ.setdefault(name, value)


def read_file(path: Path) -> dict[str, str]:
    """The `NAME=value` lines of a file; lines that start with # are comments. Raises OSError."""
    lines = (line.partition("=") for line in path.read_text(encoding="utf-8").splitlines())
    return {name.strip(): value.strip() for name, sign, value in lines if sign and not name.lstrip().startswith("#")}


def prepare_demo() -> None:
    """Set everything the demo runs with and write it to `demo.env` (mode 0600), for other commands to use: `ENV_FILE=var/demo.env`.

    The demo is a world of its own: only `DATA_DIR`, `PORT` and `SANDBOX_PORT` are taken from outside, so that it cannot touch a real
    database or send real mail. Its keys are made once and kept, so that a second run reads the same data.
    """
    data_dir = Path(os.environ.get("DATA_DIR") or ROOT / "var").absolute()
    data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    port = os.environ.get("PORT", "8000")
    kept = data_dir / "demo.env"
    keys = read_file(kept) if kept.exists() else {}
    demo = {
        "SECRET_KEY": keys.get("SECRET_KEY") or secrets.token_urlsafe(48),
        "CREDENTIAL_KEYS": keys.get("CREDENTIAL_KEYS") or make_key(),
        "ALLOWED_HOSTS": "localhost,127.0.0.1,[::1]",
        "DATA_DIR": str(data_dir),
        "DATABASE_URL": f"sqlite:///{data_dir / 'demo.sqlite3'}",
        "REDIS_URL": "",
        "EMAIL_URL": f"file://{data_dir / 'mail'}",
        "PORTAL_URL": f"http://localhost:{port}",
        "UPSTREAM_ALLOWED_HOSTS": f"127.0.0.1:{os.environ.get('SANDBOX_PORT', '8001')}",
    }
    fresh = kept.with_suffix(".new")
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        file.writelines(f"{name}={value}\n" for name, value in demo.items())
    fresh.replace(kept)
    os.environ.update(demo)
    os.environ.pop("ENV_FILE", None)


def make_key() -> str:
    """Return a new key for `CREDENTIAL_KEYS`: URL-safe base64 of 32 random bytes."""
    return base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()
