"""What somebody typed into the search -> what can be looked up: keyed hashes of whole words, and references. Called by `views.searches`.

The text is neither kept nor logged here. Roles that may not see names get no hashes, so that a search tells them nothing about names.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from dsrportal import credentials, identity
from dsrportal.models import DataSubjectRequest, Workspace
from dsrportal.queries.register_filters import Search, SearchTerm, reference_begins

LONGEST_TEXT = 200
MOST_PARTS = 12
MOST_REFERENCES = 200
REFERENCE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]{0,39}")


@dataclass(frozen=True, kw_only=True, slots=True)
class Understood:
    """`upstream_id`: the text is this request's reference. `reference`: it begins references and cannot be a name, so that it may stand in an
    address; `is_archived`: only archived ones. Else `search`, which holds no text."""

    upstream_id: int | None = None
    reference: str = ""
    is_archived: bool = False
    search: Search = field(default_factory=Search)


def understand(workspace: Workspace, *, text: str, may_search_names: bool) -> Understood:
    """At most two queries a part, of at most twelve parts."""
    parts = text.replace("\x00", " ")[:LONGEST_TEXT].split()[:MOST_PARTS]
    if len(parts) == 1 and (known := _as_reference(workspace, text=parts[0])):
        return known
    search_key = _search_key(workspace) if may_search_names else ""
    terms = [_term(workspace, part=part, search_key=search_key) for part in parts]
    telling = [term for term in terms if term.digests or term.upstream_ids]
    # Parts that say nothing, such as an initial, are passed over, unless there is no other or names may not be searched.
    return Understood(search=Search(terms=tuple(telling if telling and search_key else terms)))


def live_count(workspace: Workspace, *, upstream_ids: Iterable[int]) -> int:
    """How many of these requests are live. One query."""
    return DataSubjectRequest.objects.filter(
        workspace=workspace, upstream_id__in=list(upstream_ids), archived=False
    ).count()


def _as_reference(workspace: Workspace, *, text: str) -> Understood | None:
    if not REFERENCE.fullmatch(text):
        return None
    matches = list(
        DataSubjectRequest.objects.filter(reference_begins(text), workspace=workspace)
        .order_by("reference")
        .values_list("upstream_id", "reference", "archived")[:MOST_REFERENCES]
    )
    whole = [upstream_id for upstream_id, reference, _archived in matches if reference.upper() == text.upper()]
    if len(whole) == 1:
        return Understood(upstream_id=whole[0])
    if not matches or not any(character.isdigit() for character in text):
        return None
    return Understood(reference=text, is_archived=all(archived for _id, _reference, archived in matches))


def _term(workspace: Workspace, *, part: str, search_key: str) -> SearchTerm:
    digests: list[bytes] = []
    if search_key:
        words = [identity.email_word(part)] if "@" in part else identity.words_of_text(part)
        digests = credentials.digest_words(words, search_key=search_key)
    upstream_ids: list[int] = []
    if REFERENCE.fullmatch(part):
        rows = DataSubjectRequest.objects.filter(reference_begins(part), workspace=workspace)
        upstream_ids = list(rows.order_by("reference").values_list("upstream_id", flat=True)[:MOST_REFERENCES])
    return SearchTerm(digests=tuple(digests), upstream_ids=tuple(upstream_ids))


def _search_key(workspace: Workspace) -> str:
    try:
        return workspace.read_search_key()
    except credentials.CannotDecryptError:
        return ""
