"""All wishes of a workspace as one list: what waits, what needs somebody, what was done lately. Called by `views.changes` and the rail."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.db.models import Count, Q, QuerySet
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from dsrportal.models import Membership, OutboxEntry, Workspace
from dsrportal.models.outbox import FAILED_STATES, OPEN_STATES, WishKind, WishState
from dsrportal.queries import vocabulary, wish_rows
from dsrportal.queries.detail_timeline import moment
from dsrportal.queries.sentences import in_words

PER_PAGE = 50
LATELY = timedelta(hours=24)

_CONDITIONS: dict[str, Callable[[datetime], Q]] = {
    "attention": lambda _now: Q(state__in=FAILED_STATES, dismissed_at=None),
    "waiting": lambda _now: Q(state__in=OPEN_STATES),
    "done": lambda now: Q(state=WishState.DONE, settled_at__gte=now - LATELY),
    "all": lambda _now: Q(),
}
_LABELS: dict[str, Promise] = {
    "attention": _("Needs attention"),
    "waiting": _("Waiting"),
    "done": _("Done in 24 hours"),
    "all": _("All"),
}
SHOWN = tuple(_CONDITIONS)
_OUTCOMES = {
    "waiting": OPEN_STATES,
    "done": (WishState.DONE,),
    "refused": FAILED_STATES,
    "undone": (WishState.CANCELLED,),
}
_OUTCOME_WORDS: dict[str, Promise] = {
    "waiting": _("%(n)d waiting"),
    "done": _("%(n)d done"),
    "refused": _("%(n)d not done"),
    "undone": _("%(n)d undone"),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Tab:
    """One part of the list with the number of wishes in it."""

    label: str
    url: str
    count: int
    is_current: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class ChangeRow:
    """One wish. An address is empty where the reader may not do it, or where it makes no sense."""

    reference: str
    request_url: str
    what: str
    by: str
    at: str
    machine: str
    state: str
    kind: str
    reason: str
    undo_url: str
    dismiss_url: str
    again_url: str
    compare_url: str
    look_url: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Batch:
    """What was wished together: how much of it waits, is done, needs somebody. `may_undo`: some of it can still be taken back by the reader;
    `may_send`: their page sends what is due."""

    batch_id: str
    text: str
    may_undo: bool
    may_send: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class ChangesPage:
    """What the template draws. `first` and `total` say which part of how many is shown."""

    batch: Batch | None
    tabs: list[Tab]
    rows: list[ChangeRow]
    is_own: bool
    own_url: str
    everybodys_url: str
    first: int
    last: int
    total: int
    previous_url: str
    next_url: str
    is_moving: bool


def attention_count(viewer: Membership) -> int:
    """How many of the person's own wishes in the workspace failed and wait for a decision. One query."""
    mine = OutboxEntry.objects.filter(workspace_id=viewer.workspace_id, by_id=viewer.user_id)
    return mine.filter(state__in=FAILED_STATES, dismissed_at=None).count()


def page(
    workspace: Workspace,
    *,
    viewer: Membership,
    show: str,
    is_own: bool,
    number: int,
    now: datetime,
    batch_id: uuid.UUID | None = None,
) -> ChangesPage:
    """Six queries, one more for a batch. `show` is one of `SHOWN`; `number` counts pages from 1 and is clamped."""
    url = reverse("changes.changes", args=[workspace.slug])
    entries = OutboxEntry.objects.filter(workspace=workspace)
    if batch_id is not None:
        entries = entries.filter(batch_id=batch_id)
    elif is_own:
        entries = entries.filter(by_id=viewer.user_id)
    counts = entries.aggregate(**{name: Count("pk", filter=_counted(name, now=now)) for name in SHOWN})

    def address(name: str = show, *, own: bool = is_own, page: int = 1) -> str:
        whose = f"batch={batch_id}" if batch_id else f"by={'me' if own else 'all'}"
        return f"{url}?show={name}&{whose}" + (f"&page={page}" if page > 1 else "")

    total = counts[show]
    last_page = max((total + PER_PAGE - 1) // PER_PAGE, 1)
    number = min(max(number, 1), last_page)
    first = (number - 1) * PER_PAGE
    rows = _rows(entries.filter(_CONDITIONS[show](now)), first=first, workspace=workspace, viewer=viewer)
    return ChangesPage(
        batch=_batch(entries, batch_id=batch_id, viewer=viewer) if batch_id is not None else None,
        tabs=[
            Tab(label=str(_LABELS[name]), url=address(name), count=counts[name], is_current=name == show)
            for name in SHOWN
        ],
        rows=rows,
        is_own=is_own,
        own_url=f"{url}?show={show}&by=me",
        everybodys_url=f"{url}?show={show}&by=all",
        first=first + 1 if rows else 0,
        last=first + len(rows),
        total=total,
        previous_url=address(page=number - 1) if number > 1 else "",
        next_url=address(page=number + 1) if number < last_page else "",
        is_moving=counts["waiting"] > 0,
    )


def _batch(entries: QuerySet[OutboxEntry], *, batch_id: uuid.UUID, viewer: Membership) -> Batch:
    mine = Q(by_id=viewer.user_id)
    found = entries.aggregate(
        all=Count("pk"),
        held=Count("pk", filter=mine & Q(state=WishState.HELD)),
        own_open=Count("pk", filter=mine & Q(state__in=OPEN_STATES)),
        **{name: Count("pk", filter=Q(state__in=states)) for name, states in _OUTCOMES.items()},
    )
    parts = [
        ngettext("%(n)d request", "%(n)d requests", found["all"]) % {"n": found["all"]},
        *(_OUTCOME_WORDS[name] % {"n": found[name]} for name in _OUTCOMES if found[name]),
    ]
    return Batch(
        batch_id=str(batch_id),
        text=", ".join(str(part) for part in parts),
        may_undo=viewer.may_act and found["held"] > 0,
        may_send=viewer.may_act and found["own_open"] > 0,
    )


def _counted(name: str, *, now: datetime) -> Q:
    return _CONDITIONS[name](now) or Q(pk__isnull=False)


def _rows(entries: QuerySet[OutboxEntry], *, first: int, workspace: Workspace, viewer: Membership) -> list[ChangeRow]:
    known = vocabulary.of_workspace(workspace)
    zone = ZoneInfo(workspace.time_zone)
    latest = entries.select_related("by", "dsr").order_by("-created_at", "-pk")[first : first + PER_PAGE]

    newest_url = f"{reverse('register.register', args=[workspace.slug])}?sortBy=dateDemand"

    def row(entry: OutboxEntry) -> ChangeRow:
        def url(deed: str, *, may: bool) -> str:
            return reverse(f"wishes.{deed}", args=[workspace.slug, entry.pk]) if may and viewer.may_act else ""

        is_own = entry.by_id == viewer.user_id
        is_failed = entry.state in FAILED_STATES and entry.dismissed_at is None
        request_url = reverse("dsr.dsr", args=[workspace.slug, entry.dsr.upstream_id]) if entry.dsr else ""
        is_conflict = is_own and is_failed and entry.state == WishState.CONFLICT
        return ChangeRow(
            reference=_reference(entry),
            request_url=request_url,
            what=wish_rows.summary(entry, known=known, zone=zone),
            by=entry.by.display_name(),
            at=moment(entry.created_at, zone=zone),
            machine=entry.created_at.isoformat(),
            state=str(WishState(entry.state).label),
            kind=_look(WishState(entry.state)),
            reason=in_words(entry.reason),
            undo_url=url("undo", may=is_own and entry.state == WishState.HELD),
            dismiss_url=url("dismiss", may=is_own and is_failed),
            again_url=url("again", may=is_own and is_failed and entry.may_be_repeated),
            compare_url=f"{request_url}#wish" if is_conflict and request_url else "",
            look_url=newest_url if entry.kind == WishKind.CREATE and is_failed else "",
        )

    return [row(entry) for entry in latest]


def _reference(entry: OutboxEntry) -> str:
    """The request's number; a new one has none until Dastra gives it."""
    if entry.dsr and entry.dsr.reference:
        return entry.dsr.reference
    return f"#{entry.upstream_id}" if entry.upstream_id else "–"


def _look(state: WishState) -> str:
    """The icon beside the state."""
    if state == WishState.DONE:
        return "circle-check"
    if state in FAILED_STATES:
        return "circle-alert"
    return "undo-2" if state == WishState.CANCELLED else "hourglass"
