"""A value that makes no sense stops the start with a sentence that says what to set."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from environs import ValidationError

from dsrportal import configuration, environment

ROOT = Path(__file__).resolve().parent.parent


@pytest.mark.parametrize("value", ["short", "x" * 80, "django-insecure-" + "abcdefgh" * 8])
def test_a_weak_secret_key_is_refused(value: str) -> None:
    with pytest.raises(ValidationError):
        configuration.secret_key(value)


@pytest.mark.parametrize("value", ["", " , ", "not base64!", "c2hvcnQ=", "é" * 44])
def test_a_credential_key_of_another_length_is_refused(value: str) -> None:
    with pytest.raises(ValidationError):
        configuration.credential_keys(value)


def test_several_credential_keys_keep_their_order_and_none_may_stand_twice() -> None:
    one, other = environment.make_key(), environment.make_key()
    assert configuration.credential_keys(f"{one}, {other}") == [one, other]
    with pytest.raises(ValidationError):
        configuration.credential_keys(f"{one},{one}")


@pytest.mark.parametrize("value", ["", "*", "portal.example.org,*"])
def test_the_portal_answers_to_named_hosts_alone(value: str) -> None:
    with pytest.raises(ValidationError):
        configuration.allowed_hosts(value)


@pytest.mark.parametrize(
    "value",
    ["", "https://api.dastra.eu", "api.dastra.eu/v1", "user@api.dastra.eu", "api.dastra.eu:port", "a b", "*.dastra.eu"],
)
def test_upstream_hosts_are_hosts_and_nothing_else(value: str) -> None:
    with pytest.raises(ValidationError):
        configuration.upstream_hosts(value)


def test_upstream_hosts_may_name_a_port() -> None:
    assert configuration.upstream_hosts("API.dastra.eu, 127.0.0.1:8001") == ["api.dastra.eu", "127.0.0.1:8001"]


@pytest.mark.parametrize("value", ["mysql://localhost/x", "portal.sqlite3", "sqlite"])
def test_only_sqlite_and_postgresql_are_databases(value: str) -> None:
    with pytest.raises(ValidationError):
        configuration.database(value)


def test_sqlite_runs_with_the_options_that_lose_no_work() -> None:
    options = configuration.database("sqlite:////srv/portal.sqlite3")["OPTIONS"]
    assert options["transaction_mode"] == "IMMEDIATE"
    assert "journal_mode=WAL" in options["init_command"]
    assert "synchronous=FULL" in options["init_command"]


@pytest.mark.parametrize("value", ["http://portal.example.org", "ftp://localhost", "portal.example.org", "https://"])
def test_the_portal_is_reached_by_https_or_on_this_machine(value: str) -> None:
    with pytest.raises(ValidationError):
        configuration.portal_url(value)


@pytest.mark.parametrize("value", ["smtp://mail.example.org", "smtp://mail.example.org:nope", "http://x", "smtps://"])
def test_mail_leaves_the_machine_encrypted(value: str) -> None:
    with pytest.raises(ValidationError):
        configuration.email(value)


def test_mail_addresses_become_settings() -> None:
    assert configuration.email("smtps://me:p%40ss@mail.example.org")["EMAIL_HOST_PASSWORD"] == "p@ss"
    assert configuration.email("smtps://mail.example.org")["EMAIL_PORT"] == 465
    assert configuration.email("smtp://mail.example.org?tls=true")["EMAIL_USE_TLS"] is True
    assert configuration.email("smtp://127.0.0.1:1025")["EMAIL_USE_TLS"] is False


@pytest.mark.parametrize("value", ["Paris", "CET+1", ""])
def test_an_unknown_time_zone_is_refused(value: str) -> None:
    with pytest.raises(ValidationError):
        configuration.time_zone(value)


def run_manage(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run manage.py with nothing in the environment but these variables."""
    return subprocess.run(
        [sys.executable, str(ROOT / "manage.py"), *arguments],
        env={"PATH": os.environ["PATH"], **variables},
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )


def test_everything_that_is_missing_is_named_at_once_and_without_a_traceback() -> None:
    ended = run_manage("migrate")
    assert ended.returncode == 1
    assert "Traceback" not in ended.stderr
    for name in ("SECRET_KEY", "ALLOWED_HOSTS", "CREDENTIAL_KEYS"):
        assert name in ended.stderr


def test_a_variable_may_be_the_content_of_a_file(tmp_path: Path) -> None:
    key = tmp_path / "secret"
    key.write_text("0123456789" * 6, encoding="utf-8")
    ended = run_manage(
        "check",
        SECRET_KEY_FILE=str(key),
        CREDENTIAL_KEYS=environment.make_key(),
        ALLOWED_HOSTS="localhost",
        DATA_DIR=str(tmp_path),
    )
    assert ended.returncode == 0, ended.stderr


def test_an_env_file_is_read_and_never_overrides(tmp_path: Path) -> None:
    file = tmp_path / "portal.env"
    file.write_text(
        f"SECRET_KEY={'0123456789' * 6}\nCREDENTIAL_KEYS={environment.make_key()}\nUNDO_SECONDS=soon\n",
        encoding="utf-8",
    )
    refused = run_manage("check", ENV_FILE=str(file), ALLOWED_HOSTS="localhost", DATA_DIR=str(tmp_path))
    assert refused.returncode == 1
    assert "UNDO_SECONDS" in refused.stderr
    fine = run_manage("check", ENV_FILE=str(file), ALLOWED_HOSTS="localhost", DATA_DIR=str(tmp_path), UNDO_SECONDS="3")
    assert fine.returncode == 0, fine.stderr


@pytest.mark.parametrize(
    "value", ["DSR Portal <portal@example.org>", "portal@example.org", "DSR Portal <dsr-portal@localhost>"]
)
def test_the_sender_is_one_address(value: str) -> None:
    assert configuration.sender(value) == value


@pytest.mark.parametrize(
    "value",
    ["", "DSR Portal", "portal@", "@example.org", "a@example.org, b@example.org", "a@b.org\nBcc: c@d.org", "a b@c.org"],
)
def test_a_sender_that_makes_no_sense_is_refused(value: str) -> None:
    with pytest.raises(ValidationError):
        configuration.sender(value)
