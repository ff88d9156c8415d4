"""The portal's settings with the environment of the tests, for tools that load Django (mypy)."""

import tests.environment  # noqa: F401  sets the variables before the settings are read
from dsrportal.settings import *  # noqa: F403
