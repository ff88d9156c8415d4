"""The sandbox as a command: `python -m dsrportal.sandbox --port 8001`. The management command `sandbox` calls `main` too."""

import argparse
import os
import signal
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

from dsrportal.sandbox.server import Sandbox, Server, StateFileError

_DEFAULT_PORT = 8001
_HIGHEST_PORT = 65_535


def parser() -> argparse.ArgumentParser:
    """The command's arguments."""
    made = argparse.ArgumentParser(prog="sandbox", description="A local Dastra with invented data.")
    made.add_argument(
        "--port", type=_port, default=_DEFAULT_PORT, help="where to listen on 127.0.0.1; 0 is any free port"
    )
    made.add_argument("--requests", type=_count, default=600, help="how many requests the first workspace holds")
    made.add_argument("--seed", type=int, default=1, help="the same seed gives the same people")
    made.add_argument("--faults", type=_rate, default=0.0, metavar="RATE", help="share of calls that fail, from 0 to 1")
    made.add_argument("--state", type=Path, metavar="FILE", help="keep the state here and go on from it")
    return made


def main(argv: Sequence[str] | None = None) -> int:
    """Serves until SIGINT or SIGTERM; 0 when stopped so, 1 with one sentence on standard error when it cannot start."""
    asked = parser().parse_args(argv)
    try:
        sandbox = Sandbox(requests=asked.requests, seed=asked.seed, fault_rate=asked.faults, state_file=asked.state)
        server = sandbox.serve(port=asked.port)
    except StateFileError as error:
        return _refuse(f"The state file {asked.state} is not usable: {error}. Move it away to start afresh.")
    except OSError as error:
        return _refuse(f"The sandbox cannot listen on port {asked.port}: {os.strerror(error.errno or 0)}.")
    stop = threading.Event()
    before = {
        number: signal.signal(number, lambda *_: stop.set())
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    }
    try:
        with server:
            sys.stdout.write(introduction(server) + "\n")
            sys.stdout.flush()
            stop.wait()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    return 0


def introduction(server: Server) -> str:
    """One line that says where the sandbox is and how to get in."""
    workspaces = ", ".join(f"{one.id} ({one.label})" for one in server.state.workspaces.values())
    return (
        f"Sandbox at {server.base_url} | workspaces {workspaces} | API key {server.api_key} | "
        f"OAuth client {server.public_key} and the same key as secret, token URL {server.token_url} | "
        f"control token {server.control_token}"
    )


def _refuse(sentence: str) -> int:
    sys.stderr.write(sentence + "\n")
    return 1


def _port(text: str) -> int:
    value = int(text)
    if not 0 <= value <= _HIGHEST_PORT:
        raise argparse.ArgumentTypeError(f"a port is a number from 0 to {_HIGHEST_PORT}")
    return value


def _count(text: str) -> int:
    value = int(text)
    if value < 0:
        raise argparse.ArgumentTypeError("a count is zero or more")
    return value


def _rate(text: str) -> float:
    value = float(text)
    if not 0 <= value <= 1:
        raise argparse.ArgumentTypeError("a rate is a number from 0 to 1")
    return value


if __name__ == "__main__":
    sys.exit(main())
