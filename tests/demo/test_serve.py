"""`manage.py serve`: web server and jobs together on a database that is up to date, and gone together."""

from __future__ import annotations

import urllib.request
from pathlib import Path

import pytest

from tests.processes import free_ports, marked, wait_until

pytestmark = pytest.mark.slow


def answers(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://localhost:{port}/healthz", timeout=60) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def test_a_database_that_is_behind_is_not_served_and_one_that_is_up_to_date_is(tmp_path: Path) -> None:
    port, *_ = free_ports(1)
    output = tmp_path / "output"
    with marked(tmp_path, DATABASE_URL=f"sqlite:///{tmp_path}/portal.sqlite3", PORT=str(port)) as processes:
        refused = processes.run("manage.py", "serve")
        assert refused.returncode == 1
        assert "run `manage.py migrate` first" in refused.stderr
        assert processes.run("manage.py", "migrate", "--verbosity", "0").returncode == 0
        process = processes.start("manage.py", "serve", output=output)
        assert wait_until(lambda: answers(port)), output.read_text()
        assert wait_until(lambda: "The cluster has started" in output.read_text()), output.read_text()
        process.terminate()
        assert process.wait(timeout=180) == 0
        assert processes.alive() == {}
