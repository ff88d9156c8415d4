"""What is recorded of one request's clock, and what the mirror saw change, read once for its page: as facts for the clocks, as lines to correct, and
as events of the timeline. Called by `queries.detail` and its clock panel; never writes.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.db.models import Value
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from dsrportal import credentials
from dsrportal.clocks import day_of
from dsrportal.mirror.legal import Ledger, ledger_of
from dsrportal.models import (
    DataSubjectRequest,
    DateChange,
    Extension,
    Membership,
    Pause,
    Refusal,
    StepChange,
    Workspace,
)
from dsrportal.models.history import DateReason
from dsrportal.queries.clockmark import long_day
from dsrportal.queries.timeline_event import Event

MOST_CHANGES = 50
SAME_MOVE = timedelta(minutes=10)
ICONS = {"pause": "circle-pause", "extension": "calendar-clock", "refusal": "ban"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Recorded:
    """All that is kept of one request's clock, the withdrawn too, oldest first; and the latest changes that reads brought."""

    pauses: list[Pause]
    extensions: list[Extension]
    refusals: list[Refusal]
    steps: list[StepChange]
    dates: list[DateChange]

    @property
    def entries(self) -> list[Pause | Extension | Refusal]:
        """The ledger in one list, by the time it was recorded."""
        return sorted([*self.pauses, *self.extensions, *self.refusals], key=lambda entry: entry.at)

    @property
    def open_pause(self) -> Pause | None:
        """The question that is out, if any."""
        return next((one for one in self.pauses if one.answered_on is None and not one.is_withdrawn), None)

    @property
    def ledger(self) -> Ledger:
        """What counts of it, as the clocks take it."""
        return ledger_of(pauses=self.pauses, extensions=self.extensions, refusals=self.refusals)

    @property
    def unexplained_count(self) -> int:
        """How many changes of Dastra's date nothing accounts for."""
        return sum(change.reason == DateReason.UNEXPLAINED for change in self.dates)


@dataclass(frozen=True, kw_only=True, slots=True)
class Line:
    """One standing entry beside the clock: what it says, and the address that takes it back (empty where it may not be)."""

    kind: str
    icon: str
    text: str
    withdraw_url: str


def of_request(dsr: DataSubjectRequest) -> Recorded:
    """Five queries."""
    people = ("by", "withdrawn_by")
    return Recorded(
        pauses=list(Pause.objects.filter(dsr=dsr).select_related(*people, "answered_by")),
        extensions=list(Extension.objects.filter(dsr=dsr).select_related(*people)),
        refusals=list(Refusal.objects.filter(dsr=dsr).select_related(*people)),
        steps=list(StepChange.objects.filter(dsr=dsr).order_by("-seen_at", "-pk")[:MOST_CHANGES]),
        dates=list(DateChange.objects.filter(dsr=dsr).order_by("-seen_at", "-pk")[:MOST_CHANGES]),
    )


def unexplained_count(workspace: Workspace) -> int:
    """How many live requests have a date that was changed in Dastra for no reason that is known here. One query."""
    flags = {"archived": Value(value=False), "has_unexplained_change": Value(value=True)}
    return DataSubjectRequest.objects.filter(workspace=workspace, **flags).count()


def lines(recorded: Recorded, *, dsr: DataSubjectRequest, workspace: Workspace) -> list[Line]:
    """What stands, to be corrected by taking it back. Of a closed request only a refusal may be."""
    found = []
    for entry in recorded.entries:
        if entry.is_withdrawn:
            continue
        kind = str(entry._meta.model_name)  # noqa: SLF001  documented API of Django
        may = isinstance(entry, Refusal) or not (dsr.is_closed or dsr.archived)
        url = reverse("ledger.withdraw", args=[workspace.slug, dsr.upstream_id, kind, entry.pk]) if may else ""
        found.append(Line(kind=kind, icon=ICONS[kind], text=_says(entry), withdraw_url=url))
    return found


def events(
    recorded: Recorded,
    *,
    viewer: Membership,
    labels: dict[int, str],
    moved_here: Collection[tuple[int | None, datetime | None]],
    zone: ZoneInfo,
) -> Iterator[Event]:
    """The ledger and the changes as events, but for what people did from here, which has events of its own: `moved_here` are the steps and
    times of their moves. Free text only for who may see identities."""
    for entry in recorded.entries:
        kind = str(entry._meta.model_name)  # noqa: SLF001  documented API of Django
        remark = _text(entry) if viewer.may_see_identity else ""
        yield Event(
            at=entry.at, kind="clock", icon=ICONS[kind], text=_says(entry), by=entry.by.display_name(), remark=remark
        )
        if isinstance(entry, Pause) and entry.answered_on and entry.answer_recorded_at and entry.answered_by:
            text = _("Pause ended: answered on %s") % long_day(entry.answered_on)
            yield Event(
                at=entry.answer_recorded_at, kind="clock", icon="play", text=text, by=entry.answered_by.display_name()
            )
        if entry.withdrawn_at and entry.withdrawn_by:
            text = _("Withdrawn: %s") % _says(entry)
            yield Event(
                at=entry.withdrawn_at, kind="clock", icon="undo-2", text=text, by=entry.withdrawn_by.display_name()
            )
    for change in recorded.dates:
        if change.reason != DateReason.HERE:
            yield _date_event(change, zone=zone)
    for move in recorded.steps[1:]:  # the latest one is the row's own
        if any(to == move.to_step_upstream_id and at and abs(at - move.seen_at) < SAME_MOVE for to, at in moved_here):
            continue
        names = {"from": _step(move.from_step_upstream_id, labels), "to": _step(move.to_step_upstream_id, labels)}
        text = _("Moved from %(from)s to %(to)s") % names
        yield Event(
            at=move.seen_at,
            kind="dastra",
            icon="arrow-right",
            text=text,
            remark=_("In Dastra; seen here at this time."),
        )


def _date_event(change: DateChange, *, zone: ZoneInfo) -> Event:
    names = {"from": _local(change.from_at, zone=zone), "to": _local(change.to_at, zone=zone)}
    is_unexplained = change.reason == DateReason.UNEXPLAINED
    return Event(
        at=change.seen_at,
        kind="dastra",
        icon="triangle-alert" if is_unexplained else "calendar",
        text=_("Dastra's date changed from %(from)s to %(to)s") % names,
        remark=_("Nothing that is recorded here accounts for it.") if is_unexplained else change.get_reason_display(),
    )


def _local(moment: datetime | None, *, zone: ZoneInfo) -> str:
    return long_day(day_of(moment, zone=zone)) if moment else _("none")


def _step(upstream_id: int | None, labels: dict[int, str]) -> str:
    return _("no step") if upstream_id is None else labels.get(upstream_id, _("a step that is gone"))


def _says(entry: Pause | Extension | Refusal) -> str:
    """What an entry records, in one line."""
    if isinstance(entry, Pause):
        days = "" if entry.answered_on is None else _length((entry.answered_on - entry.asked_on).days)
        values = {"day": long_day(entry.asked_on), "why": entry.get_reason_display(), "days": days}
        if days:
            return _("Paused from %(day)s for %(days)s: %(why)s") % values
        return _("Paused since %(day)s: %(why)s") % values
    values = {"day": long_day(entry.notice_on), "why": entry.get_ground_display()}
    if isinstance(entry, Extension):
        return _("Extended, person told on %(day)s: %(why)s") % values
    return _("Refused, person told on %(day)s: %(why)s") % values


def _length(days: int) -> str:
    return ngettext("%(n)d day", "%(n)d days", days) % {"n": days}


def _text(entry: Pause | Extension | Refusal) -> str:
    try:
        return entry.read_text()
    except credentials.CannotDecryptError:
        return _("The text cannot be read: its key is missing.")
