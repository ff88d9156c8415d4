"""Answers that lack documented fields (the light form of an object, a trimmed list): what the mirror knows fills the gaps.

Called by `store.py`. A field that is there and null is not a gap: Dastra says that it is empty.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from dsrportal.dastra import schema
from dsrportal.models import DataSubjectRequest

_PLAIN = {
    "demandId": "reference",
    "locale": "locale",
    "complex": "complex",
    "dateCreation": "created_at",
    "dateUpdate": "updated_at",
    "expiryTime": "expires_at",
    "dateClosed": "closed_at",
    "closedReason": "closed_reason",
    "archived": "archived",
    "archivedDate": "archived_at",
    "channel": "channel",
    "widgetId": "widget_id",
    "nbMessages": "message_count",
    "nbMessagesNotViewed": "unread_message_count",
    "mailValidated": "mail_validated",
    "dateIdentityValidated": "identity_validated_at",
}
_IDENTITY = {"title": "title", "givenName": "given_name", "familyName": "family_name", "email": "email"}
_REFERENCES = {"workFlowStep": "workFlowStepId", "operator": "operatorId", "area": "areaId"}
# Of one generation of the API alone, so that the client cannot tell a gap from a field that was never there.
_SOMETIMES = {"dateDemand": "received_at", "lastMessageDate": "last_message_at"}
_KEPT = frozenset({*_PLAIN, *_IDENTITY, *_REFERENCES, "state", "purposes", "tags"})


def has_gaps(dsr: schema.DataSubjectRequest) -> bool:
    """Whether the answer lacks a field that the mirror keeps."""
    return not _KEPT.isdisjoint(dsr.missing) or not _SOMETIMES.keys() <= dsr.raw.keys()


def filled(dsr: schema.DataSubjectRequest, *, row: DataSubjectRequest) -> schema.DataSubjectRequest:
    """The request with its gaps filled from its row (with step, operator and area). Raises `credentials.CannotDecryptError`."""
    missing = set(dsr.missing)
    known: dict[str, Any] = {ours: getattr(row, ours) for theirs, ours in _PLAIN.items() if theirs in missing}
    known |= {
        ours: getattr(row, ours)
        for theirs, ours in _SOMETIMES.items()
        if theirs not in dsr.raw and getattr(dsr, ours) is None
    }
    if not missing.isdisjoint(_IDENTITY):
        identity = row.read_identity()
        known |= {ours: identity.get(ours, "") for theirs, ours in _IDENTITY.items() if theirs in missing}
    references = {"workFlowStep": row.step, "operator": row.operator, "area": row.area}
    for theirs, neighbour in references.items():
        if {theirs, _REFERENCES[theirs]} <= missing and neighbour is not None:
            ours = "step" if theirs == "workFlowStep" else theirs
            known[f"{ours}_upstream_id"] = neighbour.upstream_id
    if "state" in missing and not dsr.state:
        known["state"] = row.state
    if "purposes" in missing:
        known["purposes"] = tuple(row.purpose_list())
    if "tags" in missing:
        known["tags"] = tuple(schema.Tag(upstream_id=upstream_id, label="") for upstream_id in row.tag_id_list())
    return replace(dsr, **known)
