"""The environment of a test run, set before Django reads its settings. Loaded by pytest as an early plugin.

Everything here is for tests alone: keys that protect nothing, a data directory that is thrown away.
"""

import atexit
import base64
import os
import shutil
import tempfile
from pathlib import Path

_data_dir = os.environ.get("DSR_TEST_DATA_DIR")
if _data_dir is None:
    _data_dir = tempfile.mkdtemp(prefix="dsr-portal-tests-")
    os.environ["DSR_TEST_DATA_DIR"] = _data_dir
    atexit.register(shutil.rmtree, _data_dir, ignore_errors=True)

Path(_data_dir, "static").mkdir(parents=True, exist_ok=True)  # WhiteNoise warns where there is none

os.environ.update(
    SECRET_KEY="tests-only-" + "x" * 60,
    ALLOWED_HOSTS="testserver,localhost,127.0.0.1",
    CREDENTIAL_KEYS=base64.urlsafe_b64encode(b"tests-only-key-one-of-32-bytes..").decode(),
    DATA_DIR=_data_dir,
    PORTAL_URL="http://localhost:8000",
    EMAIL_URL="memory://",
    DATABASE_URL=os.environ.get("TEST_DATABASE_URL", f"sqlite:///{_data_dir}/tests.sqlite3"),
    DJANGO_ALLOW_ASYNC_UNSAFE="true",
)
for _name in ("DEBUG", "REDIS_URL", "UPSTREAM_ALLOWED_HOSTS", "UPSTREAM_LIMIT_PER_MINUTE", "UNDO_SECONDS"):
    os.environ.pop(_name, None)
