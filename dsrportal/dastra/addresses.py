"""Which addresses may be called: an exact list of hosts from the operator, and a URL rebuilt from its parts.

Called by `transport.py` and by whoever checks a typed address (`allowed_origin`). Resolves no names and calls nobody.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable
from dataclasses import dataclass

from .errors import ConfigurationError, HostNotAllowed

_ADDRESS = re.compile(
    r"(?P<scheme>https?)://(?P<host>[A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(?::(?P<port>[0-9]{1,5}))?(?P<path>/[A-Za-z0-9/_-]*)?",
    re.ASCII,
)
_LISTED = re.compile(r"(?P<host>[a-z0-9.-]+|\[[0-9a-f:.]+\])(?::(?P<port>[0-9]{1,5}))?", re.ASCII)
_DEFAULT_PORTS = {"https": 443, "http": 80}
_LARGEST_PORT = 65535
_PRIVATE = tuple(
    ipaddress.ip_network(text)
    for text in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7")
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """An allowed address. `origin` is `scheme://host[:port]`, `path` "" or what followed it."""

    scheme: str
    host: str
    port: int
    path: str

    @property
    def origin(self) -> str:
        shown = "" if self.port == _DEFAULT_PORTS[self.scheme] else f":{self.port}"
        return f"{self.scheme}://{self.host}{shown}"

    @property
    def is_loopback(self) -> bool:
        return is_loopback(self.host)


def allowed_origin(text: str, *, allowed_hosts: Iterable[str]) -> Address:
    """A base URL: scheme, host and port alone. Raises HostNotAllowed."""
    address = allowed_address(text, allowed_hosts=allowed_hosts)
    if address.path not in {"", "/"}:
        raise HostNotAllowed("The address must end after the host; the portal adds the path.")
    return address


def allowed_address(text: str, *, allowed_hosts: Iterable[str]) -> Address:
    """An address with or without a path. https, or http for a loopback host that is listed.

    Raises HostNotAllowed for every form that could be read in two ways, and for a host (with its port) not listed.
    Raises ConfigurationError when the list itself makes no sense.
    """
    match = _ADDRESS.fullmatch(text)
    if match is None:
        raise HostNotAllowed("The address is not of the form https://host or https://host:port.")
    scheme, host = match["scheme"], match["host"].lower()
    port = int(match["port"] or _DEFAULT_PORTS[scheme])
    path = match["path"] or ""
    listed = {_listed(entry) for entry in allowed_hosts}
    if "//" in path or not 0 < port <= _LARGEST_PORT:
        raise HostNotAllowed
    # A list entry without a port means the default of https, also for a loopback host.
    if (host, port) not in listed:
        raise HostNotAllowed("This host is not on the list of hosts that the portal may call.")
    if scheme != "https" and not is_loopback(host):
        raise HostNotAllowed("The address must begin with https://.")
    return Address(scheme=scheme, host=host, port=port, path=path)


def is_loopback(host: str) -> bool:
    """Whether a host, as written, means this machine. No names but `localhost` do."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def may_connect(peer: str, *, loopback_listed: bool, private_listed: bool = False) -> bool:
    """Whether the address that a name resolved to may be spoken to: public, or loopback where that was listed, or one of the operator's own network
    where that was. Never link-local, where clouds hand out credentials."""
    try:
        address = ipaddress.ip_address(peer.partition("%")[0])
    except ValueError:
        return False
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    if loopback_listed:
        return address.is_loopback
    if private_listed and any(address in network for network in _PRIVATE if network.version == address.version):
        return True
    return address.is_global and not address.is_multicast


def _listed(entry: str) -> tuple[str, int]:
    match = _LISTED.fullmatch(entry.strip().lower())
    if match is None or not 0 < int(match["port"] or 443) <= _LARGEST_PORT:
        raise ConfigurationError("The list of hosts that may be called holds an entry that is not host or host:port.")
    return match["host"], int(match["port"] or 443)
