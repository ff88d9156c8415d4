#!/usr/bin/env python
"""The terminal's door to the portal. See `docs/operations.md` for the commands."""

import os
import sys

from dsrportal import environment


def main() -> None:
    """Run one management command; a setting that makes no sense ends in one sentence, not in a traceback."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dsrportal.settings")
    environment.prepare(command=sys.argv[1] if len(sys.argv) > 1 else "")

    from django.conf import settings  # noqa: PLC0415  after the environment is prepared
    from django.core.exceptions import ImproperlyConfigured  # noqa: PLC0415
    from django.core.management import execute_from_command_line  # noqa: PLC0415

    try:
        _ = settings.INSTALLED_APPS
    except ImproperlyConfigured as error:
        sys.exit(str(error))
    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
