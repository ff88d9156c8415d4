"""The board's address -> one question. Called by the views of the board. What makes no sense is left out; nothing is an error."""

from __future__ import annotations

from django.http import QueryDict

from dsrportal.forms import register as register_form
from dsrportal.queries.board_question import LANES, Question
from dsrportal.queries.register_filters import NAMES, RegisterFilters

NOT_HERE = {"archived", "search"}
"""The register's alone: the board shows what is live, and a posted search ends in the list."""


def read(query: QueryDict) -> Question:
    """The filters and the lanes that a query string asks for."""
    asked = register_form.read(query)
    kept = {name: getattr(asked, name) for name in (*NAMES, "spans") if name not in NOT_HERE}
    lanes = query.get("lanes", "")
    return Question(filters=RegisterFilters(**kept), lanes=lanes if lanes in LANES else "")
