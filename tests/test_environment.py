"""What is found in the environment before Django starts: ENV_FILE, and the demo's own world."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from dsrportal import environment


@pytest.fixture(autouse=True)
def _own_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each test changes a copy."""
    monkeypatch.setattr(os, "environ", dict(os.environ))


def test_a_variable_that_is_set_wins_over_the_file(tmp_path: Path) -> None:
    (tmp_path / "env").write_text("# a comment=1\nSECRET_KEY=from the file\nPORTAL_NAME = a=b \nnonsense\n")
    os.environ.update(ENV_FILE=str(tmp_path / "env"), SECRET_KEY="set")
    environment.prepare(command="migrate")
    assert os.environ["SECRET_KEY"] == "set"
    assert os.environ["PORTAL_NAME"] == "a=b"
    assert "# a comment" not in os.environ


def test_a_missing_file_is_one_sentence(tmp_path: Path) -> None:
    os.environ["ENV_FILE"] = str(tmp_path / "none")
    with pytest.raises(SystemExit, match=r"ENV_FILE names .* which cannot be read: No such file"):
        environment.prepare(command="migrate")


def test_harmless_commands_get_secrets_that_pass_and_others_get_none() -> None:
    for name in ("SECRET_KEY", "CREDENTIAL_KEYS"):
        del os.environ[name]
    environment.prepare(command="migrate")
    assert "SECRET_KEY" not in os.environ
    environment.prepare(command="collectstatic")
    assert len(os.environ["SECRET_KEY"]) >= 50
    assert os.environ["CREDENTIAL_KEYS"]


def test_the_demo_keeps_its_keys_and_touches_nothing_of_a_real_portal(tmp_path: Path) -> None:
    real = {
        "DATABASE_URL": "postgres://real",
        "EMAIL_URL": "smtps://real",
        "REDIS_URL": "redis://real",
        "ENV_FILE": "x",
    }
    os.environ.update(real, DATA_DIR=str(tmp_path), PORT="8100", SANDBOX_PORT="8101")
    environment.prepare(command="demo")
    first = {name: os.environ[name] for name in ("SECRET_KEY", "CREDENTIAL_KEYS")}
    assert os.environ["DATABASE_URL"] == f"sqlite:///{tmp_path}/demo.sqlite3"
    assert not any("://real" in value for value in os.environ.values())
    assert "ENV_FILE" not in os.environ
    assert os.environ["UPSTREAM_ALLOWED_HOSTS"] == "127.0.0.1:8101"

    os.environ.update(real, SECRET_KEY="another", CREDENTIAL_KEYS="another", PORT="8200")
    environment.prepare(command="demo")
    assert {name: os.environ[name] for name in first} == first
    assert os.environ["PORTAL_URL"] == "http://localhost:8200"


def test_the_demos_file_serves_other_commands_and_is_private(tmp_path: Path) -> None:
    os.environ["DATA_DIR"] = str(tmp_path)
    environment.prepare(command="demo")
    written = environment.read_file(tmp_path / "demo.env")
    assert {name: os.environ[name] for name in written} == written
    assert {"SECRET_KEY", "CREDENTIAL_KEYS", "DATABASE_URL", "DATA_DIR", "UPSTREAM_ALLOWED_HOSTS"} <= set(written)
    assert (tmp_path / "demo.env").stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["demo.env"]
