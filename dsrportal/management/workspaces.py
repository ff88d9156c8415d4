"""What the commands share: which workspace is meant, and a secret from standard input."""

from __future__ import annotations

import getpass
import sys

from django.core.management.base import CommandError
from django.db.models import Q

from dsrportal.models import Workspace


def find_workspace(text: str) -> Workspace:
    """The workspace of this name or short name. Raises CommandError, which tells the names that there are."""
    found = list(Workspace.objects.filter(Q(name=text) | Q(slug=text))[:2])
    exact = [workspace for workspace in found if workspace.slug == text] or found
    if exact:
        return exact[0]
    names = ", ".join(f"“{name}”" for name in Workspace.objects.values_list("name", flat=True))
    raise CommandError(
        f"There is no workspace “{text}”. " + (f"There are: {names}." if names else "There is none yet.")
    )


def read_secret(prompt: str) -> str:
    """All of standard input, or what is typed unseen where that is a terminal."""
    if sys.stdin.isatty():
        return getpass.getpass(f"{prompt}: ")
    return sys.stdin.read()
