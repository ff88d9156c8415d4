"""A mail that is to go -> its words, in the reader's language, as text and HTML. Nothing personal: reference, clock, link. Called by `delivery.py`.

Reads rows at the last moment, so that a mail tells what is true when it goes.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import translation
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from dsrportal.alerts.checking import is_old, read_at
from dsrportal.alerts.desks import Desk
from dsrportal.alerts.listing import Listed, Part, listed
from dsrportal.clocks import day_of
from dsrportal.models import Alert, DataSubjectRequest, Mail, SetAsideRow, Workspace
from dsrportal.models.alerts import AlertClock, MailKind

NEW_SINCE = timedelta(days=1)


@dataclass(frozen=True, kw_only=True, slots=True)
class Line:
    """One request: its number, where it is, what the clock says, and what to think of that."""

    reference: str
    place: str
    what: str
    note: str
    url: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Section:
    """Requests under one title."""

    title: str
    lines: list[Line]


@dataclass(frozen=True, kw_only=True, slots=True)
class Letter:
    """What a mail says. `watch` proves what was looked at, one sentence each."""

    subject: str
    sections: list[Section]
    watch: list[str] = field(default_factory=list)
    url: str
    why: str


def compose(mail: Mail, *, desk: Desk, alerts: Collection[Alert], unchecked: Collection[int], now: datetime) -> Letter:
    """The words of a mail. `alerts` still hold; `unchecked` are the keys of workspaces that could not be asked. Call it under the reader's language."""
    read = read_at(desk.workspaces, now=now)
    notes = {
        workspace.pk: unchecked_note(read[workspace.pk], workspace=workspace, now=now)
        for workspace in desk.workspaces
        if workspace.pk in unchecked
    }
    if mail.kind == MailKind.DIGEST:
        return _digest(desk, alerts=alerts, notes=notes, read=read, since=_since(mail, now=now), now=now)
    rows = _alerted(desk, alerts=alerts, now=now)
    lines = [_line(one, desk=desk, notes=notes) for one in rows]
    if len(lines) == 1:
        subject = f"{lines[0].reference}: {lines[0].what}"
        url = lines[0].url
    else:
        subject = ngettext("%(n)d deadline needs you", "%(n)d deadlines need you", len(lines)) % {"n": len(lines)}
        url = absolute(reverse("notices.notices"))
    why = _("You are told at once because the day is today or has passed.")
    return Letter(subject=subject, sections=[Section(title="", lines=lines)] if lines else [], url=url, why=why)


def message(mail: Mail, *, letter: Letter, language: str) -> EmailMultiAlternatives:
    """The mail as it goes over the wire; tried again it has the same Message-ID."""
    context = {"letter": letter, "language": language}
    text = render_to_string("alerts/mail.txt", context)
    sent = EmailMultiAlternatives(
        subject=" ".join(letter.subject.split()),
        body=text,
        to=[mail.person.email],
        headers={
            "Message-ID": mail.message_id,
            "Auto-Submitted": "auto-generated",
            "List-Unsubscribe": f"<{absolute(reverse('alert_wishes.wishes'))}>",
        },
    )
    sent.attach_alternative(render_to_string("alerts/mail.html", context), "text/html")
    return sent


def language_of(desk: Desk) -> str:
    """The language that the person reads in."""
    return desk.person.language if desk.person.language in dict(settings.LANGUAGES) else settings.LANGUAGE_CODE


def since_words(at: datetime | None, *, zone: ZoneInfo, now: datetime) -> str:
    """`02:10`, with the date when that was on another day; "the beginning" where nothing was ever read."""
    if at is None:
        return _("the beginning")
    local, today = at.astimezone(zone), now.astimezone(zone).date()
    return date_format(local, "H:i" if local.date() == today else _("j M H:i"), use_l10n=False)


def _digest(
    desk: Desk,
    *,
    alerts: Collection[Alert],
    notes: dict[int, str],
    read: dict[int, datetime | None],
    since: datetime,
    now: datetime,
) -> Letter:
    rows = listed(desk, now=now)
    # An alert may be a day or two ahead of the list, where its own day was none to work on.
    known = {(one.workspace.pk, one.upstream_id) for one in rows}
    rows += [one for one in _alerted(desk, alerts=alerts, now=now) if (one.workspace.pk, one.upstream_id) not in known]
    titles = {
        Part.OVERDUE: _("Overdue"),
        Part.DUE: _("Due within five working days"),
        Part.EXTEND: _("Extend or answer"),
    }
    sections = [
        Section(title=title, lines=[_line(one, desk=desk, notes=notes) for one in rows if one.part == part])
        for part, title in titles.items()
    ]
    counts = {part: sum(one.part == part for one in rows) for part in Part}
    told = [
        words % {"n": counts[part]}
        for part, words in (
            (Part.OVERDUE, _("%(n)d overdue")),
            (Part.DUE, _("%(n)d due soon")),
            (Part.EXTEND, _("%(n)d to extend or answer")),
        )
        if counts[part]
    ]
    return Letter(
        subject=_("Deadlines: %(what)s") % {"what": ", ".join(told) or _("nothing is due")},
        sections=[section for section in sections if section.lines],
        watch=proof(desk.workspaces, read=read, since=since, now=now),
        url=absolute(reverse("notices.notices")),
        why=_("You get this once a working day because you work on these requests."),
    )


def _since(mail: Mail, *, now: datetime) -> datetime:
    earlier = Mail.objects.filter(person=mail.person, kind=MailKind.DIGEST, created_at__lt=mail.created_at)
    return earlier.order_by("-created_at").values_list("created_at", flat=True).first() or now - NEW_SINCE


def proof(
    workspaces: Collection[Workspace], *, read: dict[int, datetime | None], since: datetime, now: datetime
) -> list[str]:
    """How many requests were looked at, when they were read, and what could not be: what makes "nothing is due" worth something."""
    keys = [workspace.pk for workspace in workspaces]
    open_rows = DataSubjectRequest.objects.filter(workspace__in=keys, archived=False, is_closed=False)
    count, unreadable = open_rows.count(), SetAsideRow.objects.filter(workspace__in=keys).count()
    new = open_rows.filter(created_at__gt=since, created_at__lte=now).count()
    requests = ngettext("%(n)d open request", "%(n)d open requests", count) % {"n": count}
    places = ngettext("%(n)d workspace", "%(n)d workspaces", len(keys)) % {"n": len(keys)}
    told = [
        _("Looked at: %(requests)s in %(workspaces)s.") % {"requests": requests, "workspaces": places},
        ngettext("%(n)d new request since the last digest.", "%(n)d new requests since the last digest.", new)
        % {"n": new},
        ngettext("%(n)d could not be read.", "%(n)d could not be read.", unreadable) % {"n": unreadable}
        if unreadable
        else _("None was unreadable."),
    ]
    for workspace in workspaces:
        at = read[workspace.pk]
        words = _("%(name)s: not checked since %(time)s.") if is_old(at, now=now) else _("%(name)s: read at %(time)s.")
        time = since_words(at, zone=ZoneInfo(workspace.time_zone), now=now)
        told.append(words % {"name": workspace.name, "time": time})
    return told


def _alerted(desk: Desk, *, alerts: Collection[Alert], now: datetime) -> list[Listed]:
    """Each request once, by its most pressing date."""
    places = {workspace.pk: workspace for workspace in desk.workspaces}
    found: dict[tuple[int, int], Listed] = {}
    for alert in sorted(alerts, key=lambda one: (one.due_on, one.pk)):
        if alert.workspace_id not in places or (alert.workspace_id, alert.upstream_id) in found:
            continue
        workspace = places[alert.workspace_id]
        found[alert.workspace_id, alert.upstream_id] = Listed(
            part=Part.EXTEND if alert.clock == AlertClock.EXTEND else Part.DUE,
            workspace=workspace,
            upstream_id=alert.upstream_id,
            reference=alert.reference,
            clock=AlertClock(alert.clock),
            due_on=alert.due_on,
            today=day_of(now, zone=ZoneInfo(workspace.time_zone)),
        )
    return list(found.values())


def _line(one: Listed, *, desk: Desk, notes: dict[int, str]) -> Line:
    return Line(
        reference=" ".join(one.reference.split()) or f"#{one.upstream_id}",
        place=one.workspace.name if len(desk.workspaces) > 1 else "",
        what=clock_words(one.clock, due_on=one.due_on, today=one.today),
        note=notes.get(one.workspace.pk, ""),
        url=absolute(reverse("dsr.dsr", args=[one.workspace.slug, one.upstream_id])),
    )


def clock_words(clock: AlertClock, *, due_on: date, today: date) -> str:
    """`respond by Tue 10 Mar 2026, due today`."""
    words = _("extend or answer by %(day)s") if clock == AlertClock.EXTEND else _("respond by %(day)s")
    left = (due_on - today).days
    if left < 0:
        how = ngettext("%(n)d day overdue", "%(n)d days overdue", -left) % {"n": -left}
    elif left == 0:
        how = _("due today")
    else:
        how = ngettext("%(n)d day left", "%(n)d days left", left) % {"n": left}
    return f"{words % {'day': date_format(due_on, _('D j M Y'), use_l10n=False)}}, {how}"


def unchecked_note(at: datetime | None, *, workspace: Workspace, now: datetime) -> str:
    """`not checked since 02:10`."""
    time = since_words(at, zone=ZoneInfo(workspace.time_zone), now=now)
    return _("not checked since %(time)s") % {"time": time}


def absolute(path: str) -> str:
    """The address of a page for whoever is not in the portal."""
    return f"{settings.PORTAL_URL}{path}"


def reading_in(desk: Desk) -> translation.override:
    """A context in which words come in the reader's language."""
    return translation.override(language_of(desk))
