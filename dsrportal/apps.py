"""The one Django app of the project."""

from django.apps import AppConfig


class DsrPortalConfig(AppConfig):
    """Registers the system checks."""

    name = "dsrportal"
    verbose_name = "DSR Portal"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Import the checks, which register themselves."""
        from dsrportal import checks  # noqa: F401, PLC0415  settings must be loaded first
