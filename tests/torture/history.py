"""The reference model: every version that a request ever had in Dastra, told by the local Dastra itself, and the mirror's rows beside it.

Used by `world.py`. Reads the served JSON by itself (`tests/mirror/truth.py`), so that a mistake in the client's reading shows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from dsrportal import credentials
from dsrportal.identity import IDENTITY_FIELDS, words_of
from dsrportal.management.commands.dump_mirror import described, instant
from dsrportal.models import DataSubjectRequest, IdentityWord, Workspace
from dsrportal.sandbox.store import Workspace as DastraWorkspace
from tests.mirror import truth

Line = dict[str, Any]
_COLUMNS = [field.attname for field in DataSubjectRequest._meta.concrete_fields]


@dataclass(frozen=True, slots=True)
class Version:
    """What a request was from `at` on, in seconds of the world's clock; `line` is None once it was deleted."""

    at: float
    line: Line | None


class History:
    """The versions of each request, oldest first."""

    def __init__(self) -> None:
        self.of: dict[int, list[Version]] = {}

    def note(self, dastra: DastraWorkspace, *, at: float) -> None:
        """Look at Dastra after something may have changed there."""
        present = {served["id"]: _line_of(served) for served in dastra.all()}
        for upstream_id in self.of.keys() - present.keys():
            if self.of[upstream_id][-1].line is not None:
                self.of[upstream_id].append(Version(at, None))
        for upstream_id, line in present.items():
            versions = self.of.setdefault(upstream_id, [])
            if not versions or versions[-1].line != line:
                versions.append(Version(at, line))

    def present(self) -> dict[int, Line]:
        """The requests that Dastra has now."""
        return {i: versions[-1].line for i, versions in self.of.items() if versions[-1].line is not None}

    def places(self, upstream_id: int, line: Line) -> list[int]:
        """Where in its history a request looked like this: usually one place."""
        return [place for place, version in enumerate(self.of.get(upstream_id, [])) if version.line == line]

    def place_at(self, upstream_id: int, at: float) -> int | None:
        """The place in its history at a moment; None when it did not exist."""
        before = [place for place, version in enumerate(self.of[upstream_id]) if version.at <= at]
        return before[-1] if before and self.of[upstream_id][before[-1]].line is not None else None

    def lines_since(self, upstream_id: int, at: float) -> list[Line | None]:
        """What it was at a moment and became since."""
        versions = self.of.get(upstream_id, [])
        before = [version for version in versions if version.at <= at][-1:]
        return [version.line for version in [*before, *(version for version in versions if version.at > at)]]


def _line_of(served: dict[str, Any]) -> Line:
    return truth.line_of(served) | {
        "locale": served["locale"],
        "closed_reason": served["closedReason"],
        "messages": (served["nbMessages"], served["nbMessagesNotViewed"], truth.instant(served["lastMessageDate"])),
    }


class Mirror:
    """Reads the mirror's rows in the same words. A row of which no column changed is not put into words again."""

    def __init__(self, workspace: Workspace) -> None:
        self._rows = DataSubjectRequest.objects.filter(workspace=workspace)
        self._known: dict[tuple[Any, ...], Line] = {}

    def lines(self) -> dict[int, Line]:
        """By upstream id."""
        rows = list(self._rows.values_list("upstream_id", *_COLUMNS))
        if any(row not in self._known for row in rows):
            self._known |= dict(zip(rows, self._worded([row[0] for row in rows]), strict=True))
        return {row[0]: self._known[row] for row in rows}

    def _worded(self, ids: list[int]) -> list[Line]:
        found = {dsr.upstream_id: dsr for dsr in self._rows.select_related("step", "operator", "area")}
        return [_line_of_row(found[upstream_id]) for upstream_id in ids]


def _line_of_row(dsr: DataSubjectRequest) -> Line:
    identity = dsr.read_identity()
    return (
        described(dsr)
        | {name: identity.get(name) or None for name in IDENTITY_FIELDS}
        | {
            "locale": dsr.locale,
            "closed_reason": dsr.closed_reason,
            "messages": (dsr.message_count, dsr.unread_message_count, instant(dsr.last_message_at)),
        }
    )


def words_are_right(workspace: Workspace) -> bool:
    """Whether the searchable words are those of the identities that are kept, no more and no fewer."""
    search_key = workspace.read_search_key()
    for dsr in DataSubjectRequest.objects.filter(workspace=workspace):
        wanted = credentials.digest_words(words_of(dsr.read_identity()), search_key=search_key)
        kept = IdentityWord.objects.filter(dsr=dsr).values_list("digest", flat=True)
        if {bytes(digest) for digest in kept} != set(wanted):
            return False
    return True
