"""The fields of a request that a person may change, and how Dastra writes them. Called by `deeds` and `changes`; reads and writes nothing.

A value is what JSON holds: a number, a text, a flag, a sorted list, or None; an instant is ISO 8601 in UTC.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from dsrportal.dastra import schema
from dsrportal.models import DataSubjectRequest
from dsrportal.models.outbox import CUSTOM


@dataclass(frozen=True, kw_only=True, slots=True)
class Field:
    """`wire` is Dastra's name; `companion` is the nested object that says the same in a whole request, and `inside` the
    one that holds it."""

    wire: str
    told: Callable[[schema.DataSubjectRequest], Any]
    mirrored: Callable[[DataSubjectRequest], Any]
    companion: str = ""
    inside: str = ""


def instant(moment: datetime | None) -> str | None:
    """`2026-01-31T09:00:00Z`, with a fraction only where there is one."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z") if moment else None


FIELDS: dict[str, Field] = {
    "operator": Field(
        wire="operatorId",
        companion="operator",
        told=lambda dsr: dsr.operator_upstream_id,
        mirrored=lambda dsr: dsr.operator.upstream_id if dsr.operator else None,
    ),
    "area": Field(
        wire="areaId",
        companion="area",
        told=lambda dsr: dsr.area_upstream_id,
        mirrored=lambda dsr: dsr.area.upstream_id if dsr.area else None,
    ),
    "purposes": Field(
        wire="purposes",
        told=lambda dsr: sorted(dsr.purposes),
        mirrored=lambda dsr: sorted(dsr.purpose_list()),
    ),
    "complex": Field(wire="complex", told=lambda dsr: dsr.complex, mirrored=lambda dsr: dsr.complex),
    "received": Field(
        wire="dateDemand",
        told=lambda dsr: instant(dsr.received_at),
        mirrored=lambda dsr: instant(dsr.received_at),
    ),
    "expires": Field(
        wire="expiryTime",
        told=lambda dsr: instant(dsr.expires_at),
        mirrored=lambda dsr: instant(dsr.expires_at),
    ),
    "locale": Field(wire="locale", told=lambda dsr: dsr.locale, mirrored=lambda dsr: dsr.locale),
    "title": Field(
        wire="title",
        told=lambda dsr: dsr.title,
        mirrored=lambda dsr: dsr.read_identity().get("title", ""),
    ),
}


def field_of(name: str) -> Field:
    """A field by its name; `custom:<slug>` is a text among the workspace's own. Raises `KeyError`."""
    if not name.startswith(CUSTOM):
        return FIELDS[name]
    slug = name.removeprefix(CUSTOM)
    return Field(wire=slug, inside="customFields", told=lambda dsr: custom_text(dsr, slug), mirrored=lambda _dsr: None)


def custom_text(dsr: schema.DataSubjectRequest, slug: str) -> str | None:
    """What a custom field says; "" where it is empty, and None where it is no text."""
    value = dsr.custom_fields.get(slug)
    return "" if value is None else value if isinstance(value, str) else None


def _is_known(name: str) -> bool:
    return name in FIELDS or name.startswith(CUSTOM)


def mirrored(dsr: DataSubjectRequest, names: Mapping[str, Any]) -> dict[str, Any]:
    """What the mirror holds of the named fields: what a person has before them. Raises `credentials.CannotDecryptError`."""
    return {name: FIELDS[name].mirrored(dsr) for name in names if name in FIELDS}


def told(dsr: schema.DataSubjectRequest, names: Mapping[str, Any]) -> dict[str, Any]:
    """What Dastra tells of the named fields."""
    return {name: field_of(name).told(dsr) for name in names if _is_known(name)}


def patch_of(values: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The operations that write the fields."""
    return [_operation(field_of(name), value) for name, value in values.items()]


def _operation(field: Field, value: Any) -> dict[str, Any]:
    if field.inside:  # may be new there, and "add" replaces what is not
        return {"op": "add", "path": f"/{field.inside}/{field.wire}", "value": value}
    return {"op": "replace", "path": f"/{field.wire}", "value": value}


def put_into(whole: dict[str, Any], values: Mapping[str, Any]) -> None:
    """Write the fields into a whole request; whatever is not named stays as it came."""
    for name, value in values.items():
        field = field_of(name)
        if field.inside:
            whole[field.inside] = {**(whole.get(field.inside) or {}), field.wire: value}
            continue
        whole[field.wire] = value
        if field.companion and field.companion in whole:
            whole[field.companion] = None if value is None else {"id": value}
