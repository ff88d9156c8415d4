"""`manage.py rotate_keys`: seals everything under the first of CREDENTIAL_KEYS. A thin door to `dsrportal.mirror.resealing`."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from dsrportal.mirror.resealing import reseal_everything


class Command(BaseCommand):
    help = "Encrypts every secret and identity under the first of CREDENTIAL_KEYS, and says which keys may be dropped."

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ARG002  Django's signature
        progress = self._show if self.stderr.isatty() else None
        done = reseal_everything(progress=progress)
        self.stdout.write(f"Encrypted again: keys of {done.secrets} workspaces, {done.identities} identities.")
        if done.problems:
            raise CommandError(" ".join((*done.problems, "Drop no key yet.")))
        former = len(settings.CREDENTIAL_KEYS) - 1
        if not former:
            self.stdout.write("CREDENTIAL_KEYS holds one key; there is none to drop.")
            return
        which = "the second key" if former == 1 else f"all {former} keys after the first"
        self.stdout.write(
            f"You may drop {which} from CREDENTIAL_KEYS, once web and jobs were restarted with the new first key "
            "and this command found nothing more to do, and no backup that needs the former is kept."
        )

    def _show(self, identities: int) -> None:
        self.stderr.write(f"\r{identities} identities …", style_func=str, ending="")
