"""How a workspace is written to the state file, and rows found again by their ids. Used by store.py alone."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from dsrportal.sandbox.values import Json

if TYPE_CHECKING:
    from dsrportal.sandbox.store import Workspace


def by_id(items: Iterable[Json]) -> dict[int, Json]:
    """Rows by their `id`."""
    return {item["id"]: item for item in items}


def workspace_snapshot(workspace: "Workspace") -> Json:
    """All that outlives a restart; still the store's own objects, so the caller holds the lock until it has written them."""
    return {
        "id": workspace.id,
        "label": workspace.label,
        "retention_days": workspace.retention_days,
        "steps": list(workspace.steps.values()),
        "areas": list(workspace.areas.values()),
        "tags": list(workspace.tags.values()),
        "custom_fields": workspace.custom_fields,
        "records": [record.snapshot() for record in workspace.records.values()],
    }
