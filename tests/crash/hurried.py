"""Settings of a portal that is to be killed: the real ones, with an app that shortens waits and can kill at a boundary.

Named by DJANGO_SETTINGS_MODULE in the processes that `stage.py` starts, and nowhere else.
"""

from dsrportal.settings import *  # noqa: F403
from dsrportal.settings import BASE_DIR, INSTALLED_APPS, STORAGES

INSTALLED_APPS = [*INSTALLED_APPS, "tests.crash.app.CrashConfig"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
STATICFILES_DIRS = [BASE_DIR / "static" / "img"]  # few files, so that the web server is there soon
STORAGES = {**STORAGES, "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}
