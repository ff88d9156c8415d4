"""On a build server a skipped test fails the run."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
OPTIONS = ["-c", os.devnull, "-q", "-p", "tests.no_skips", "-p", "no:cacheprovider", "-p", "no:django"]
SKIPPED_TEST = (
    "import pytest\n\n@pytest.mark.skip(reason='tired')\ndef test_it():\n    pass\n\ndef test_other():\n    pass\n"
)
SKIPPED_MODULE = "import pytest\n\npytest.skip('tired', allow_module_level=True)\n"
EXPECTED_FAILURE = "import pytest\n\n@pytest.mark.xfail(strict=True)\ndef test_it():\n    raise ValueError\n"


@pytest.mark.parametrize(
    ("source", "ci", "code"),
    [
        (SKIPPED_TEST, "true", 1),
        (SKIPPED_TEST, "", 0),
        (SKIPPED_MODULE + "\n", "true", 1),
        (EXPECTED_FAILURE, "true", 0),
    ],
    ids=["skipped on CI", "skipped elsewhere", "skipped module on CI", "expected failure on CI"],
)
def test_a_skip_fails_where_ci_is_true(tmp_path: Path, source: str, ci: str, code: int) -> None:
    (tmp_path / "test_tired.py").write_text(source)
    (tmp_path / "test_awake.py").write_text("def test_it():\n    pass\n")
    result = subprocess.run(
        [sys.executable, "-m", "pytest", *OPTIONS, "--rootdir", str(tmp_path), str(tmp_path)],
        env={**os.environ, "CI": ci, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == code, result.stdout + result.stderr
    assert ("does not accept a skipped test" in result.stdout) == bool(code)
