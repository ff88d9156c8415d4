"""Sandboxes for the tests, and the OpenAPI file where it is found."""

from collections.abc import Iterator

import pytest

from dsrportal.sandbox import Sandbox, Server
from tests.sandbox.calling import NOW, Api
from tests.sandbox.openapi_file import openapi_path

# Without Dastra's own file there is nothing to compare with, so there is no such test to skip.
collect_ignore = [] if openapi_path() else ["test_openapi.py"]


@pytest.fixture
def server() -> Iterator[Server]:
    """A small sandbox whose clock stands still."""
    with Sandbox(requests=60, seed=3, now=NOW).serve() as running:
        yield running


@pytest.fixture
def api(server: Server) -> Api:
    """A client of it with the key for everything."""
    return Api(server)


@pytest.fixture(scope="module")
def large() -> Iterator[Server]:
    """A larger sandbox that the tests of a module only read."""
    with Sandbox(requests=620, seed=5, now=NOW).serve() as running:
        yield running


@pytest.fixture(scope="module")
def medium() -> Iterator[Server]:
    """One whose live requests fit on one page, likewise."""
    with Sandbox(requests=250, seed=5, now=NOW).serve() as running:
        yield running


@pytest.fixture
def reader(large: Server) -> Api:
    """A client of the larger one."""
    return Api(large)
