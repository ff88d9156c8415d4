"""With CI=true a test that is skipped fails the run: on a build server nothing may pass by not being asked. Loaded with `-p tests.no_skips`."""

from __future__ import annotations

import os

import pytest


class NoSkips:
    """Remembers what was skipped, while tests run and while they are collected."""

    def __init__(self) -> None:
        self.skipped: list[str] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note a skipped test; an expected failure is none."""
        if report.skipped and not hasattr(report, "wasxfail"):
            self.skipped.append(report.nodeid)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Note a skipped module."""
        if report.skipped:
            self.skipped.append(report.nodeid)

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Turn a run with skips into a failed one."""
        if self.skipped and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Say why the run failed."""
        for nodeid in self.skipped:
            terminalreporter.write_line(f"CI=true does not accept a skipped test: {nodeid}", red=True)


def pytest_configure(config: pytest.Config) -> None:
    """Watch only where skips are failures, and only where reports arrive (not in the workers of xdist)."""
    if os.environ.get("CI") == "true" and not hasattr(config, "workerinput"):
        config.pluginmanager.register(NoSkips())
