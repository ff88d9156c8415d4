"""The web server's door (gunicorn). Prepares the environment as `manage.py` does."""

import os

from django.core.wsgi import get_wsgi_application

from dsrportal import environment

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dsrportal.settings")
environment.prepare(command="")
application = get_wsgi_application()
