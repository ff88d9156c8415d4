"""What the process finds in its environment before Django starts: an optional file of variables, and what the demo makes up for itself.

Called by `manage.py` and `dsrportal.wsgi` before settings are read. It never overrides a variable that is set.
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
    if env_file := os.environ.get("ENV_FILE"):
        load_file(Path(env_file))
    if command == "demo":
        prepare_demo()
    elif command in THROWAWAY_COMMANDS:
        os.environ.setdefault("SECRET_KEY", secrets.token_urlsafe(48))
        os.environ.setdefault("CREDENTIAL_KEYS", make_key())
        os.environ.setdefault("ALLOWED_HOSTS", "localhost")


def load_file(path: Path) -> None:
    """Read `NAME=value` lines into the environment; names that are already set win. A missing file ends the start."""
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise SystemExit(f"ENV_FILE names {path}, which cannot be read: {error.strerror}.") from error
    for line in text.splitlines():
        name, separator, value = line.partition("=")
        if separator and not name.lstrip().startswith("#"):
            os.environ.setdefault(name.strip(), value.strip())


def prepare_demo() -> None:
    """Set what the demo needs. Keys are made once and kept in `demo.env` (mode 0600), so that a second run reads the same data."""
    data_dir = Path(os.environ.setdefault("DATA_DIR", str(ROOT / "var")))
    data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    port = os.environ.get("PORT", "8000")
    sandbox_port = os.environ.get("SANDBOX_PORT", "8001")
    kept = data_dir / "demo.env"
    if not kept.exists():
        lines = [f"SECRET_KEY={secrets.token_urlsafe(48)}", f"CREDENTIAL_KEYS={make_key()}"]
        with os.fdopen(os.open(kept, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            file.write("\n".join(lines) + "\n")
    load_file(kept)
    os.environ.setdefault("DATABASE_URL", f"sqlite:///{data_dir / 'demo.sqlite3'}")
    os.environ.setdefault("ALLOWED_HOSTS", "localhost,127.0.0.1,[::1]")
    os.environ.setdefault("PORTAL_URL", f"http://localhost:{port}")
    os.environ.setdefault("UPSTREAM_ALLOWED_HOSTS", f"127.0.0.1:{sandbox_port}")


def make_key() -> str:
    """Return a new key for `CREDENTIAL_KEYS`: URL-safe base64 of 32 random bytes."""
    return base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()
