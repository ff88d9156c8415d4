"""Which addresses may be called: of all the ways to write one, only the plain ones."""

from __future__ import annotations

import pytest

from dsrportal.dastra.addresses import allowed_address, allowed_origin, may_connect
from dsrportal.dastra.errors import ConfigurationError, HostNotAllowed

HOSTS = (
    "api.dastra.eu",
    "account.dastra.eu",
    "127.0.0.1:8001",
    "localhost:8001",
    "[::1]:8001",
    "proxy.example.org:8443",
)

GOOD = {
    "https://api.dastra.eu": "https://api.dastra.eu",
    "https://api.dastra.eu/": "https://api.dastra.eu",
    "https://API.Dastra.EU": "https://api.dastra.eu",
    "https://api.dastra.eu:443": "https://api.dastra.eu",
    "https://proxy.example.org:8443": "https://proxy.example.org:8443",
    "http://127.0.0.1:8001": "http://127.0.0.1:8001",
    "http://localhost:8001/": "http://localhost:8001",
    "http://[::1]:8001": "http://[::1]:8001",
}

BAD = [
    "",
    "api.dastra.eu",
    "http://api.dastra.eu",
    "http://api.dastra.eu:443",
    "https://api.dastra.eu.",
    "https://api.dastra.eu:8443",
    "https://api.dastra.eu:0",
    "https://api.dastra.eu:22",
    "https://api.dastra.eu:99999",
    "https://api.dastra.eu:",
    "https://api.dastra.eu@evil.example.org",
    "https://user@api.dastra.eu",
    "https://user:word@api.dastra.eu/",
    "https://127.0.0.1\\@api.dastra.eu/",
    "https://api.dastra.eu\\@evil.example.org",
    "https:\\\\api.dastra.eu",
    "https://api.dastra.eu?x=1",
    "https://api.dastra.eu/?x=1",
    "https://api.dastra.eu#x",
    "https://api.dastra.eu/#x",
    "https://api.dastra.eu/v1",
    "https://api.dastra.eu/../x",
    "https://api.dastra.eu/%2e%2e/",
    "https://api.dastra.eu%2eexample.org",
    "https://api.dastra.eu.example.org",
    "https://dastra.eu",
    "https://api․dastra․eu",
    "https://api。dastra。eu",
    "https://аpi.dastra.eu",
    "https://①②⑦.0.0.1",
    "https://xn--pi-6kc.dastra.eu",
    "https://127.0.0.1",
    "https://127.1",
    "https://2130706433",
    "https://0x7f000001",
    "https://0177.0.0.1",
    "https://0",
    "https://[::1]",
    "https://[::ffff:127.0.0.1]",
    "https://localhost.",
    "https://169.254.169.254",
    "http://169.254.169.254/latest/meta-data/",
    "https://metadata.google.internal",
    "http://127.0.0.1",
    "http://127.0.0.1:8002",
    "http://proxy.example.org:8443",
    "file:///etc/passwd",
    "gopher://api.dastra.eu",
    "ftp://api.dastra.eu",
    "javascript:alert(1)",
    "//api.dastra.eu",
    "https:/api.dastra.eu",
    "https://",
    " https://api.dastra.eu",
    "https://api.dastra.eu ",
    "https://api.dastra.eu\n",
    "https://api.dastra.eu\r\nX-Injected: 1",
    "https://api.dastra.eu\t",
    "https://api .dastra.eu",
    "https://api.dastra.eu\0",
    "https://api.dastra.eu//",
]


@pytest.mark.parametrize(("text", "origin"), GOOD.items())
def test_plain_addresses_of_listed_hosts_are_rebuilt_from_their_parts(text: str, origin: str) -> None:
    assert allowed_origin(text, allowed_hosts=HOSTS).origin == origin


@pytest.mark.parametrize("text", BAD)
def test_every_other_form_is_refused(text: str) -> None:
    with pytest.raises(HostNotAllowed):
        allowed_origin(text, allowed_hosts=HOSTS)


def test_a_token_address_has_a_path() -> None:
    address = allowed_address("https://account.dastra.eu/connect/token", allowed_hosts=HOSTS)
    assert (address.origin, address.path) == ("https://account.dastra.eu", "/connect/token")


def test_nothing_is_allowed_by_an_empty_list() -> None:
    with pytest.raises(HostNotAllowed):
        allowed_origin("https://api.dastra.eu", allowed_hosts=())


@pytest.mark.parametrize(
    "entry", ["https://api.dastra.eu", "*", "*.dastra.eu", "api.dastra.eu/x", "api.dastra.eu:0", ""]
)
def test_a_list_that_makes_no_sense_is_said_so(entry: str) -> None:
    with pytest.raises(ConfigurationError):
        allowed_origin("https://api.dastra.eu", allowed_hosts=("api.dastra.eu", entry))


INSIDE = (
    "127.0.0.1 ::1 10.0.0.1 172.16.0.1 192.168.1.1 169.254.169.254 fe80::1%eth0 fd00::1 0.0.0.0 :: 100.64.0.1 224.0.0.1 "
    "::ffff:127.0.0.1 ::ffff:10.0.0.1 nonsense"
)


@pytest.mark.parametrize("peer", INSIDE.split())
def test_a_public_name_may_not_lead_inside(peer: str) -> None:
    assert may_connect(peer, loopback_listed=False) is False


def test_a_public_name_may_lead_outside_and_a_loopback_host_home_only() -> None:
    assert may_connect("8.8.8.8", loopback_listed=False) is True
    assert may_connect("2606:4700::1111", loopback_listed=False) is True
    assert may_connect("127.0.0.1", loopback_listed=True) is True
    assert may_connect("8.8.8.8", loopback_listed=True) is False
