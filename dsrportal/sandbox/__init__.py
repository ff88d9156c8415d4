"""A local Dastra for demo and tests: real HTTP, stateful, deterministic by seed, with faults on demand.

Written from the public documents alone and sharing no code with the API client, so that a mistake in one is seen by the other.
"""

from dsrportal.sandbox.faults import Fault
from dsrportal.sandbox.server import Sandbox, Server
from dsrportal.sandbox.switches import Limit, Switches

__all__ = ["Fault", "Limit", "Sandbox", "Server", "Switches"]
