"""Checks of the values that come from the environment. Called by `settings.py` alone.

Each function returns the value ready to use or raises `environs.ValidationError` with one sentence that says what to set.
"""

from __future__ import annotations

import base64
import binascii
import ipaddress
import re
import zoneinfo
from email.utils import parseaddr
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import dj_database_url
from environs import ValidationError

MIN_SECRET_LENGTH = 50
KEY_BYTES = 32
HOST_PATTERN = re.compile(
    r"(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*|\[[0-9a-f:]+\])(?::\d{1,5})?"
)


def secret_key(value: str) -> str:
    """Django's signing key: long, and no example left in place."""
    if len(value) < MIN_SECRET_LENGTH or len(set(value)) < 5 or value.startswith("django-insecure"):  # noqa: PLR2004
        raise ValidationError(f"must be a random text of at least {MIN_SECRET_LENGTH} characters.")
    return value


def credential_keys(value: str) -> list[str]:
    """The keys that encrypt secrets and identities: comma-separated, the first encrypts, all decrypt."""
    keys = [part.strip() for part in value.split(",") if part.strip()]
    if not keys:
        raise ValidationError("must hold at least one key.")
    for position, key in enumerate(keys, start=1):
        try:
            decoded = base64.b64decode(key.encode("ascii"), altchars=b"-_", validate=True)
        except (binascii.Error, UnicodeEncodeError, ValueError):
            decoded = b""
        if len(decoded) != KEY_BYTES:
            raise ValidationError(f"key number {position} must be URL-safe base64 of {KEY_BYTES} bytes.")
    if len(set(keys)) != len(keys):
        raise ValidationError("names the same key twice.")
    return keys


def allowed_hosts(value: str) -> list[str]:
    """Host names this portal answers to; a wildcard would make forged Host headers welcome."""
    hosts = [part.strip() for part in value.split(",") if part.strip()]
    if not hosts or "*" in hosts:
        raise ValidationError("must name the portal's own hosts, for example privacy.example.org; * is not accepted.")
    return hosts


def upstream_hosts(value: str) -> list[str]:
    """Hosts that a workspace may point at, each with its port unless it is 443."""
    hosts = [part.strip().lower() for part in value.split(",") if part.strip()]
    for host in hosts:
        if not HOST_PATTERN.fullmatch(host):
            raise ValidationError("must hold host names, with :port where it is not 443, separated by commas.")
    if not hosts:
        raise ValidationError("must name at least one host.")
    return hosts


def channel_hosts(value: str) -> list[str]:
    """Hosts of the operator's own network that alerts may be posted to, each with its port unless it is 443; none is needed."""
    hosts = [part.strip().lower() for part in value.split(",") if part.strip()]
    if not all(HOST_PATTERN.fullmatch(host) for host in hosts):
        raise ValidationError("must hold host names, with :port where it is not 443, separated by commas.")
    return hosts


def database(value: str) -> dict[str, Any]:
    """`sqlite:///path` or `postgres://…` as Django's settings, with the options that keep SQLite safe under concurrency."""
    scheme = value.partition(":")[0]
    if scheme not in {"sqlite", "postgres", "postgresql"}:
        raise ValidationError("must start with sqlite:/// or postgres://.")
    try:
        parsed: dict[str, Any] = dict(dj_database_url.parse(value))
    except ValueError as error:
        raise ValidationError("cannot be read as a database address.") from error
    if scheme == "sqlite":
        parsed["OPTIONS"] = {
            "transaction_mode": "IMMEDIATE",
            "timeout": 20,
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA secure_delete=ON;",
        }
    else:
        parsed["CONN_HEALTH_CHECKS"] = True
    return parsed


def portal_url(value: str) -> str:
    """Where people reach the portal: https, or http on loopback."""
    parts = urlsplit(value)
    if parts.scheme == "https" and parts.hostname and not parts.query and not parts.fragment:
        return value.rstrip("/")
    if parts.scheme == "http" and is_loopback(parts.hostname or ""):
        return value.rstrip("/")
    raise ValidationError("must be an https address (http is accepted for this machine alone).")


def ping_url(value: str) -> str:
    """An address outside that is told that the jobs are on time, or nothing: https, or http on loopback."""
    if not value:
        return value
    parts = urlsplit(value)
    is_plain = re.fullmatch(r"https?://[A-Za-z0-9.:\[\]-]+/[A-Za-z0-9/._~%@:+,=&?-]*", value) is not None
    try:
        is_local = parts.scheme == "http" and is_loopback(parts.hostname or "") and parts.port != 0
    except ValueError as error:
        raise ValidationError("names a port that is no port.") from error
    if is_plain and (parts.scheme == "https" or is_local):
        return value
    raise ValidationError(
        "must be an https address with a path, such as https://ping.example.org/key (http for this machine alone)."
    )


def email(value: str) -> dict[str, Any]:
    """Outgoing mail as Django's settings: `smtps://`, `smtp://…?tls=true`, plain `smtp://` to loopback, `file:///folder`, or `memory://`."""
    parts = urlsplit(value)
    backend = "django.core.mail.backends."
    if parts.scheme == "memory":
        return {"EMAIL_BACKEND": f"{backend}locmem.EmailBackend"}
    if parts.scheme == "file":
        return {"EMAIL_BACKEND": f"{backend}filebased.EmailBackend", "EMAIL_FILE_PATH": parts.path}
    starttls = parse_qs(parts.query).get("tls", ["false"])[0].lower() in {"1", "true", "yes"}
    try:
        port = parts.port
    except ValueError as error:
        raise ValidationError("names a port that is no port.") from error
    if parts.scheme not in {"smtp", "smtps"} or not parts.hostname:
        raise ValidationError("must look like smtps://user:password@host or smtp://user:password@host:587?tls=true.")
    if parts.scheme == "smtp" and not starttls and not is_loopback(parts.hostname):
        raise ValidationError("must use TLS: smtps://…, or smtp://…?tls=true (plain smtp is for this machine alone).")
    return {
        "EMAIL_BACKEND": f"{backend}smtp.EmailBackend",
        "EMAIL_HOST": parts.hostname,
        "EMAIL_PORT": port or (465 if parts.scheme == "smtps" else 587 if starttls else 25),
        "EMAIL_HOST_USER": unquote(parts.username or ""),
        "EMAIL_HOST_PASSWORD": unquote(parts.password or ""),
        "EMAIL_USE_SSL": parts.scheme == "smtps",
        "EMAIL_USE_TLS": starttls and parts.scheme == "smtp",
        "EMAIL_TIMEOUT": 20,
    }


def sender(value: str) -> str:
    """The sender of mails: one address, with or without a name before it."""
    _name, address = parseaddr(value)
    if "\n" in value or "\r" in value or not re.fullmatch(r"[^\s@,<>]+@[^\s@,<>]+", address) or value.count("@") != 1:
        raise ValidationError("must be one address, such as DSR Portal <dsr-portal@example.org>.")
    return value


def redis_url(value: str) -> str:
    """Where Redis is, or nothing."""
    if value and urlsplit(value).scheme not in {"redis", "rediss", "unix"}:
        raise ValidationError("must start with redis://, rediss:// or unix://.")
    return value


def time_zone(value: str) -> str:
    """An IANA time zone, for example Europe/Paris."""
    if value not in zoneinfo.available_timezones():
        raise ValidationError("must be a time zone such as Europe/Paris.")
    return value


def is_loopback(host: str) -> bool:
    """Whether a host name or address is this machine."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
