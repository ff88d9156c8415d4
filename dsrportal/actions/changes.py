"""What a wish may ask of the fields of a request, checked before it is kept: names, kinds of values, and whether anything would change.

Called by `outbox` alone. It knows the mirror and no Dastra; what it refuses is a `WishError` of code `invalid` or `no_change`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from dsrportal.actions import deeds
from dsrportal.actions.refusals import WishError
from dsrportal.models import DataSubjectRequest, WorkflowStep
from dsrportal.models.outbox import CUSTOM, WishKind, is_private
from dsrportal.queries import words

LONGEST_TITLE = 240
LONGEST_LOCALE = 10
LONGEST_REASON = 2_500
LONGEST_MESSAGE = 20_000
CUSTOM_NAME = re.compile(CUSTOM + r"[A-Za-z0-9_.-]{1,80}", re.ASCII)

OF_KIND: dict[WishKind, frozenset[str]] = {
    WishKind.ASSIGN: frozenset({"operator"}),
    WishKind.TAG: frozenset({"add", "remove"}),
    WishKind.EXTEND: frozenset({"expires", "complex"}),
    WishKind.EDIT: frozenset({"title", "received", "purposes", "area", "complex", "locale"}),
    WishKind.CLOSE: frozenset({"reason", "closed_at", "notify", "description", "message"}),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Values:
    """What is to be and what the person had before them. Only what differs is in it, so that nothing else is touched."""

    wanted: dict[str, Any]
    seen: dict[str, Any]

    def __repr__(self) -> str:
        return f"Values({sorted(self.wanted)})"


def checked(kind: WishKind, *, dsr: DataSubjectRequest, wanted: Mapping[str, Any], seen: Mapping[str, Any]) -> Values:
    """The values of a wish as they are kept. A closing needs `reason`, `closed_at` and `notify`; tags are `add` and `remove`, lists of
    upstream ids; of the other kinds any field of theirs, with what was seen of it. Raises `WishError`."""
    for name, value in wanted.items():
        is_custom = kind == WishKind.EDIT and bool(CUSTOM_NAME.fullmatch(name))
        if not is_custom and name not in OF_KIND.get(kind, frozenset()):
            raise _invalid()
        if not (_is_custom_text if is_custom else _CHECKS[name])(value, dsr):
            raise _invalid()
    if kind == WishKind.CLOSE:
        if {"reason", "closed_at", "notify"} - wanted.keys():
            raise _invalid()
        return Values(wanted=dict(wanted), seen={})
    if kind == WishKind.TAG:
        here = set(dsr.tag_id_list())
        add, remove = set(wanted.get("add", ())), set(wanted.get("remove", ()))
        return Values(wanted={"add": sorted(add - here), "remove": sorted(remove & here)}, seen={})
    if wanted.keys() - seen.keys():
        raise _invalid()
    differing = {name: _normal(name, value) for name, value in wanted.items() if _normal(name, value) != seen[name]}
    return Values(wanted=differing, seen={name: seen[name] for name in differing})


def check_difference(kind: WishKind, *, dsr: DataSubjectRequest, values: Values) -> None:
    """Raises `WishError` (`no_change`) where there is nothing to do."""
    if kind == WishKind.CLOSE and dsr.state == deeds.CLOSED:
        raise WishError(_("It is closed already."), code="no_change")
    if kind in OF_KIND and all(value == [] for value in values.wanted.values()):
        raise WishError(_("Nothing was different, so nothing is sent."), code="no_change")


def final_step(dsr: DataSubjectRequest) -> WorkflowStep | None:
    """The step that a closed request is in, as far as the workspace has one."""
    steps = WorkflowStep.objects.filter(workspace_id=dsr.workspace_id, mapped_state=deeds.CLOSED, is_gone=False)
    return steps.order_by("-is_final", "-position").first()


def public(values: Mapping[str, Any]) -> dict[str, Any]:
    """What a row may hold in clear: of private fields the names alone."""
    return {name: None if is_private(name) else value for name, value in values.items()}


def private(values: Mapping[str, Any]) -> dict[str, str]:
    """What is kept sealed."""
    return {name: str(value) for name, value in values.items() if is_private(name)}


def _normal(name: str, value: Any) -> Any:
    return sorted(value) if name == "purposes" else value


def _invalid() -> WishError:
    return WishError(_("This form is incomplete. Please try again."), code="invalid")


def _is_text(longest: int, *, may_be_empty: bool = False) -> Callable[[Any, DataSubjectRequest], bool]:
    def check(value: Any, _dsr: DataSubjectRequest) -> bool:
        return isinstance(value, str) and len(value) <= longest and (may_be_empty or bool(value.strip()))

    return check


_is_custom_text = _is_text(LONGEST_MESSAGE, may_be_empty=True)


def _is_flag(value: Any, _dsr: DataSubjectRequest) -> bool:
    return isinstance(value, bool)


def _is_instant(value: Any, _dsr: DataSubjectRequest) -> bool:
    try:
        return isinstance(value, str) and datetime.fromisoformat(value).tzinfo is not None
    except ValueError:
        return False


def _is_operator(value: Any, dsr: DataSubjectRequest) -> bool:
    return value is None or dsr.workspace.operators.filter(upstream_id=value).exists()


def _is_area(value: Any, dsr: DataSubjectRequest) -> bool:
    return dsr.workspace.areas.filter(upstream_id=value).exists()


def _are_tags(value: Any, dsr: DataSubjectRequest) -> bool:
    return dsr.workspace.tags.filter(upstream_id__in=value).count() == len(set(value))


def _are_purposes(value: Any, dsr: DataSubjectRequest) -> bool:
    return bool(value) and set(value) <= {*words.RIGHTS, *dsr.purpose_list()}


_CHECKS: dict[str, Callable[[Any, DataSubjectRequest], bool]] = {
    "operator": _is_operator,
    "area": _is_area,
    "add": _are_tags,
    "remove": _are_tags,
    "purposes": _are_purposes,
    "complex": _is_flag,
    "notify": _is_flag,
    "received": _is_instant,
    "expires": _is_instant,
    "closed_at": _is_instant,
    "locale": _is_text(LONGEST_LOCALE),
    "title": _is_text(LONGEST_TITLE),
    "reason": lambda value, _dsr: value in words.CLOSED_REASONS,
    "description": _is_text(LONGEST_REASON, may_be_empty=True),
    "message": _is_text(LONGEST_MESSAGE, may_be_empty=True),
}
