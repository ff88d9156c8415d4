"""What the bar below the register asks of the chosen rows. Parses and bounds; whether it is allowed is the action's."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django import forms

from dsrportal.actions.batches import KINDS, Pick
from dsrportal.forms.moves import LARGEST_ID
from dsrportal.models.outbox import WishKind

SIGNS = {"+": "add", "-": "remove"}
PARTS = 4


class BulkForm(forms.Form):
    """`deed` is the button that was pressed; `pick` comes once for each chosen row (`queries.register_rows.Row.pick`).

    `step`, `operator` (0: nobody) and `tag` (`+3` adds, `-3` takes away) are what the deed needs. `whole`: all requests of the list are meant.
    """

    batch_id = forms.UUIDField()
    deed = forms.ChoiceField(choices=[(kind, kind) for kind in sorted(KINDS)])
    step = forms.IntegerField(min_value=1, max_value=LARGEST_ID, required=False)
    operator = forms.IntegerField(min_value=0, max_value=LARGEST_ID, required=False)
    whole = forms.BooleanField(required=False)
    tag = forms.RegexField(regex=r"[+-][0-9]{1,18}", required=False, strip=False)

    def clean(self) -> dict[str, Any]:
        """What the deed needs is there."""
        values: dict[str, Any] = super().clean() or {}
        needed = {WishKind.MOVE: "step", WishKind.ASSIGN: "operator", WishKind.TAG: "tag"}.get(values.get("deed", ""))
        if needed and values.get(needed) in (None, ""):
            raise forms.ValidationError(needed, code="missing")
        return values

    def kind(self) -> WishKind:
        """The deed."""
        return WishKind(self.cleaned_data["deed"])

    def wanted(self) -> dict[str, Any]:
        """The values of each wish, as `actions.changes` describes them."""
        if self.kind() == WishKind.ASSIGN:
            return {"operator": self.cleaned_data["operator"] or None}
        if self.kind() == WishKind.TAG:
            tag = self.cleaned_data["tag"]
            return {SIGNS[tag[0]]: [int(tag[1:])]}
        return {}


def read_picks(texts: list[str]) -> list[Pick]:
    """The chosen rows; one that makes no sense is left out."""
    return [pick for text in texts if (pick := _pick(text))]


def _pick(text: str) -> Pick | None:
    parts = text.split("|")
    if len(parts) != PARTS or len(text) > 120:  # noqa: PLR2004  three ids and an instant
        return None
    try:
        numbers = [int(part) if part else None for part in parts[:3]]
        seen_at = datetime.fromisoformat(parts[3]) if parts[3] else None
    except ValueError:
        return None
    upstream_id, step, operator = numbers
    if upstream_id is None or not 0 < upstream_id <= LARGEST_ID or (seen_at and seen_at.tzinfo is None):
        return None
    return Pick(upstream_id=upstream_id, seen_step=step, seen_operator=operator, seen_updated_at=seen_at)
