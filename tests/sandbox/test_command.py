"""The sandbox as a command: what it prints, how it stops, how it refuses."""

import json
import re
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from dsrportal.sandbox.__main__ import main

_ROOT = Path(__file__).parents[2]


@contextmanager
def started(*arguments: str) -> Iterator["subprocess.Popen[str]"]:
    """A sandbox of its own process, which does not outlive the test."""
    with subprocess.Popen(
        [sys.executable, "-m", "dsrportal.sandbox", "--port", "0", "--requests", "15", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=_ROOT,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def get(line: str, path: str) -> object:
    found = re.search(r"at (http://\S+) .* API key (\S+) \|", line)
    assert found
    request = urllib.request.Request(found[1] + path, headers={"X-API-Key": found[2]})
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.loads(answer.read())


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_prints_one_line_serves_and_stops_cleanly(*, tmp_path: Path, number: signal.Signals) -> None:
    state = tmp_path / "state.json"
    with started("--state", str(state)) as process:
        assert process.stdout
        line = process.stdout.readline()
        for words in ("101 (Acme France)", "102 (Acme Benelux)", "OAuth client ", "/connect/token", "control token "):
            assert words in line
        assert get(line, "/v1/ws/101/DataSubjectRequests?size=1&archived=false")
        process.send_signal(number)
        rest, errors = process.communicate(timeout=120)
    assert (process.returncode, rest, errors) == (0, "", "")
    assert json.loads(state.read_text())["version"] == 1


def test_a_port_in_use_is_one_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert main(["--port", str(port), "--requests", "5"]) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err == f"The sandbox cannot listen on port {port}: Address already in use.\n"


def test_a_broken_state_file_is_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "state.json"
    path.write_text("{")
    assert main(["--state", str(path)]) == 1
    assert capsys.readouterr().err.count("\n") == 1


@pytest.mark.parametrize("wrong", [["--port", "70000"], ["--faults", "2"], ["--requests", "-1"], ["--seed", "x"]])
def test_arguments_that_make_no_sense_are_refused(*, wrong: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(wrong)
    assert stopped.value.code == 2
    assert wrong[0] in capsys.readouterr().err
