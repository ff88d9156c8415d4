"""`manage.py dump_mirror NAME`: the mirror of one workspace as JSON lines, to be compared with Dastra. Reads rows alone."""

from __future__ import annotations

import json
import os
import sys
from datetime import UTC, datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from dsrportal.credentials import CannotDecryptError
from dsrportal.identity import IDENTITY_FIELDS
from dsrportal.management.workspaces import find_workspace
from dsrportal.models import DataSubjectRequest, Workspace


class Command(BaseCommand):
    help = "Prints the mirror of a workspace as JSON lines, by upstream id."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", metavar="NAME", help="name or short name of the workspace")
        parser.add_argument("--with-identity", action="store_true", help="also title, names and e-mail, in clear")

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ARG002  Django's signature
        try:
            self._dump(find_workspace(options["name"]), with_identity=options["with_identity"])
        except BrokenPipeError:
            # Whoever reads had enough (`| head`): nothing is wrong, and nothing may be written at exit either.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())

    def _dump(self, workspace: Workspace, *, with_identity: bool) -> None:
        dsrs = DataSubjectRequest.objects.filter(workspace=workspace).select_related("step", "operator", "area")
        for dsr in dsrs.order_by("upstream_id").iterator(chunk_size=500):
            line = described(dsr)
            if with_identity:
                try:
                    identity = dsr.read_identity()
                except CannotDecryptError as error:
                    raise CommandError(
                        f"The identity of request {dsr.upstream_id} cannot be opened: {error}"
                    ) from error
                line |= {name: identity.get(name) or None for name in IDENTITY_FIELDS}
            self.stdout.write(json.dumps(line))


def described(dsr: DataSubjectRequest) -> dict[str, Any]:
    """The fields that are kept in clear: ids as numbers, what is absent as None, instants with microseconds."""
    return {
        "upstream_id": dsr.upstream_id,
        "reference": dsr.reference or None,
        "state": dsr.state or None,
        "step": dsr.step.upstream_id if dsr.step else None,
        "archived": dsr.archived,
        "complex": dsr.complex,
        "operator": dsr.operator.upstream_id if dsr.operator else None,
        "area": dsr.area.upstream_id if dsr.area else None,
        "tags": sorted(dsr.tag_id_list()),
        "purposes": sorted(dsr.purpose_list()),
        "channel": dsr.channel or None,
        "received_at": instant(dsr.received_at),
        "expires_at": instant(dsr.expires_at),
        "closed_at": instant(dsr.closed_at),
        "updated_at": instant(dsr.updated_at),
    }


def instant(moment: datetime | None) -> str | None:
    """ISO 8601 in UTC, always six digits after the second."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds") if moment else None
