"""The columns that the register can show: what each is called, what it needs of a row, by what it sorts. Used by the register and its export.

A column's key is its name in an address: Dastra's own where it has one. The reference is always first and cannot be left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from dsrportal.queries import clock_state

LOCKED = "demandId"
OWN_TARGET = "ownTarget"
SEPARATOR = ","


@dataclass(frozen=True, kw_only=True, slots=True)
class LedgerColumn:
    """One column. `fields` are what `.values()` has to read for it, `sort` a key of `register_sorts.SORTS` or empty; `begins_up`: a first
    click sorts upwards; `kind` is the class of its head and cells."""

    key: str
    label: str | Promise
    fields: tuple[str, ...]
    sort: str = ""
    begins_up: bool = True
    kind: str = ""


_ALL = (
    LedgerColumn(key=LOCKED, label=_("Reference"), fields=(), sort="demandId", kind="ledger__main"),
    LedgerColumn(key="clock", label=_("Respond by"), fields=clock_state.FIELDS, sort="clock", kind="ledger__clock"),
    LedgerColumn(
        key="expiryTime", label=_("Dastra's date"), fields=("expires_at", *clock_state.FIELDS), sort="expiryTime"
    ),
    LedgerColumn(key="purposes", label=_("Rights"), fields=("purposes", "complex")),
    LedgerColumn(key="workFlowStep", label=_("Step"), fields=(), sort="workFlowStep"),
    LedgerColumn(key="state", label=_("State"), fields=("state",), sort="state", kind="ledger__minor"),
    LedgerColumn(key="person", label=_("Person"), fields=("identity_sealed", "mail_validated")),
    LedgerColumn(key="operator", label=_("Assignee"), fields=(), sort="operator"),
    LedgerColumn(key="area", label=_("Area"), fields=("area_id",), sort="area"),
    LedgerColumn(key="dateDemand", label=_("Received"), fields=("received_at",), sort="dateDemand", begins_up=False),
    LedgerColumn(
        key="dateUpdate", label=_("Updated"), fields=(), sort="dateUpdate", begins_up=False, kind="ledger__minor"
    ),
    LedgerColumn(
        key="nbMessages",
        label=_("Messages"),
        fields=("message_count", "unread_message_count"),
        sort="nbMessagesNotViewed",
        begins_up=False,
        kind="num",
    ),
    LedgerColumn(key="tags", label=_("Tags"), fields=("tag_ids",)),
    LedgerColumn(key="extendBy", label=_("Extend by"), fields=("extend_by", "extension_state", "is_closed")),
    LedgerColumn(key=OWN_TARGET, label=_("Own target"), fields=("target_on",), sort="ownTarget"),
    LedgerColumn(key="inStep", label=_("In this step"), fields=("step_entered_at",), kind="num"),
    LedgerColumn(key="channel", label=_("Channel"), fields=("channel",), sort="channel"),
    LedgerColumn(
        key="lastMessageDate",
        label=_("Last message"),
        fields=("last_message_at",),
        sort="lastMessageDate",
        begins_up=False,
    ),
    LedgerColumn(key="dateCreation", label=_("Created"), fields=("created_at",), sort="dateCreation", begins_up=False),
    LedgerColumn(key="dateClosed", label=_("Closed"), fields=("closed_at",), sort="dateClosed", begins_up=False),
    LedgerColumn(key="closedReason", label=_("Closed as"), fields=("closed_reason",)),
    LedgerColumn(key="widgetId", label=_("Form"), fields=("widget_id",), kind="num"),
    LedgerColumn(key="id", label=_("Id in Dastra"), fields=(), sort="id", kind="num"),
)
COLUMNS: dict[str, LedgerColumn] = {column.key: column for column in _ALL}
DEFAULT: tuple[str, ...] = tuple(COLUMNS)[:13]
"""What is shown to who has chosen nothing."""


def keep_known(keys: Iterable[str]) -> tuple[str, ...]:
    """The columns among these that exist, each once, the reference first; empty where none of them exists."""
    known = [key for key in dict.fromkeys(keys) if key in COLUMNS and key != LOCKED]
    return (LOCKED, *known) if known else ()


def offered(keys: Iterable[str], *, has_target: bool) -> tuple[str, ...]:
    """The columns among these that a workspace has: that of the own target only where it has one."""
    return tuple(key for key in keys if has_target or key != OWN_TARGET)


def read(text: str) -> tuple[str, ...]:
    """`clock,operator` of an address or a person's choice -> the keys of the columns, the reference first; empty for nothing."""
    return keep_known(text.split(SEPARATOR)) if text else ()


def written(keys: Sequence[str]) -> str:
    """The other way round: the reference goes without saying."""
    return SEPARATOR.join(key for key in keys if key != LOCKED)


def fields_of(keys: Iterable[str]) -> tuple[str, ...]:
    """What `.values()` has to read for these columns, each once."""
    return tuple(dict.fromkeys(field for key in keys for field in COLUMNS[key].fields))


def moved(keys: Sequence[str], *, key: str, by: int) -> tuple[str, ...]:
    """The columns with one of them so many places further on; the reference stays first."""
    rest = [one for one in keys if one != LOCKED]
    if key not in rest:
        return tuple(keys)
    here = rest.index(key)
    rest.insert(min(max(here + by, 0), len(rest) - 1), rest.pop(here))
    return (LOCKED, *rest)
