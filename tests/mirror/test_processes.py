"""Pulls in several threads and processes at once: one for each workspace, and a killed one blocks nothing for long."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import connection, connections
from django.utils import timezone

from dsrportal.mirror.pull import BusyError, pull
from dsrportal.models import Lane, SyncRun, Workspace
from dsrportal.sandbox.faults import Fault
from dsrportal.sandbox.server import Server
from tests.conftest import MakeWorkspace
from tests.mirror import truth
from tests.mirror.conftest import Serve

ROOT = Path(__file__).parents[2]
CHILD = """
import sys
import tests.environment
from django.conf import settings
import django
django.setup()
settings.UPSTREAM_ALLOWED_HOSTS = [sys.argv[1]]
from django.core.management import execute_from_command_line
execute_from_command_line(["manage.py", "sync", sys.argv[2], "--full", "--json"])
"""

pytestmark = pytest.mark.django_db(transaction=True)


def sync(server: Server, workspace: Workspace) -> subprocess.Popen[str]:
    """`manage.py sync --full --json` as a process of its own, over the same database."""
    settings_dict = connection.settings_dict
    name = settings_dict["NAME"]
    url = f"sqlite:///{name}"
    if connection.vendor != "sqlite":
        url = os.environ["TEST_DATABASE_URL"].replace("/postgres?", f"/{name}?")
    environment = {**os.environ, "TEST_DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": "dsrportal.settings"}
    return subprocess.Popen(
        [sys.executable, "-c", CHILD, server.host_port, workspace.slug],
        cwd=ROOT,
        env=environment,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def test_processes_at_once_pull_one_workspace_one_at_a_time(serve: Serve, make_workspace: MakeWorkspace) -> None:
    server = serve()
    workspace = make_workspace("shared", base_url=server.base_url, secret=server.api_key)
    server.faults.add(Fault(kind="slow", seconds=1.0, match="/Workflows", times=None))
    processes = [sync(server, workspace) for _ in range(3)]
    told = [process.communicate(timeout=300) for process in processes]
    codes = [process.returncode for process in processes]
    assert 0 in codes, told
    assert set(codes) <= {0, 1}
    assert all("being read" in err for code, (_, err) in zip(codes, told, strict=True) if code)
    assert all(len(out.splitlines()) == 1 for out, _ in told)
    assert truth.mirror(workspace) == truth.upstream(server)
    assert truth.counters_are_right(workspace)
    assert SyncRun.objects.count() == codes.count(0)


def test_a_killed_pull_blocks_nothing_once_its_lease_ran_out(serve: Serve, make_workspace: MakeWorkspace) -> None:
    server = serve()
    workspace = make_workspace("killed", base_url=server.base_url, secret=server.api_key)
    server.faults.add(Fault(kind="slow", seconds=30, match="archived=true", times=1))
    process = sync(server, workspace)
    deadline = time.monotonic() + 180
    while not any("archived=true" in entry.query for entry in server.journal.entries) and time.monotonic() < deadline:
        time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=300)
    with pytest.raises(BusyError):
        pull(workspace, lane=Lane.FULL, now=timezone.now)
    later = timezone.now() + timedelta(seconds=61)
    assert pull(workspace, lane=Lane.FULL, now=later).outcome == "complete"
    assert truth.mirror(workspace) == truth.upstream(server)
    assert truth.counters_are_right(workspace)
    assert list(SyncRun.objects.order_by("pk").values_list("error_code", flat=True)) == ["interrupted", ""]


def test_a_slow_workspace_delays_no_other(serve: Serve, make_workspace: MakeWorkspace) -> None:
    server = serve()
    slow = make_workspace("slow", base_url=server.base_url, secret=server.api_key, upstream_id=101)
    quick = make_workspace("quick", base_url=server.base_url, secret=server.keys["benelux"].secret, upstream_id=102)
    server.faults.add(Fault(kind="slow", seconds=3, match="/ws/101/", times=1))
    ended: list[str] = []

    def body(workspace: Workspace) -> None:
        try:
            pull(workspace, lane=Lane.FULL, now=timezone.now)
            ended.append(workspace.slug)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=body, args=(workspace,)) for workspace in (slow, quick)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert ended == ["quick", "slow"]
    for workspace, upstream_id in ((slow, 101), (quick, 102)):
        assert truth.mirror(workspace) == truth.upstream(server, workspace_id=upstream_id)
