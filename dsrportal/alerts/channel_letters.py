"""A message that is to go to a channel -> its words, in the channel's language. Nothing personal: reference, clock, link. Called by `channel_delivery.py`.

Reads rows at the last moment, so that a message tells what is true when it goes.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.conf import settings
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from dsrportal.alerts.checking import read_at
from dsrportal.alerts.letters import absolute, clock_words, proof, unchecked_note
from dsrportal.alerts.listing import Listed, Part, listed_in
from dsrportal.alerts.markup import Line, Message, Section, fitted, plain
from dsrportal.clocks import Policy, day_of
from dsrportal.models import Channel, ChannelAlert, ChannelMessage
from dsrportal.models.alerts import AlertClock, MailKind
from dsrportal.models.thresholds import Threshold, ThresholdKind

NEW_SINCE = timedelta(days=1)
FORMAT = 1
"""The number of the document's shape, for programs."""


def reading_in(channel: Channel) -> translation.override:
    """A context in which words come in the language of the channel's readers."""
    known = channel.language in dict(settings.LANGUAGES)
    return translation.override(channel.language if known else settings.LANGUAGE_CODE)


def compose(
    message: ChannelMessage,
    *,
    channel: Channel,
    law: Policy | None,
    alerts: Collection[ChannelAlert],
    is_unchecked: bool,
    now: datetime,
) -> Message:
    """The words of a message. `alerts` still hold; `is_unchecked`: Dastra could not be asked. Call it under the channel's language."""
    workspace = channel.workspace
    read = read_at([workspace], now=now)
    note = unchecked_note(read[workspace.pk], workspace=workspace, now=now) if is_unchecked else ""
    rows = _alerted(alerts, channel=channel, now=now)
    is_late = any(Threshold(alert.threshold).kind == ThresholdKind.OVERDUE for alert in alerts)
    if message.kind != MailKind.DIGEST:
        return _told_at_once(message, channel=channel, rows=rows, note=note, is_late=is_late, now=now)
    listed = listed_in(workspace, policy=law, now=now)
    # An alert may be a day or two ahead of the list, where its own day was none to work on.
    known = {one.upstream_id for one in listed}
    listed += [one for one in rows if one.upstream_id not in known]
    titles = {
        Part.OVERDUE: _("Overdue"),
        Part.DUE: _("Due within five working days"),
        Part.EXTEND: _("Extend or answer"),
    }
    sections = [
        Section(title=title, lines=[_line(one, note=note) for one in listed if one.part == part])
        for part, title in titles.items()
    ]
    words = {
        Part.OVERDUE: _("%(n)d overdue"),
        Part.DUE: _("%(n)d due soon"),
        Part.EXTEND: _("%(n)d to extend or answer"),
    }
    counts = {part: sum(one.part == part for one in listed) for part in Part}
    told = [words[part] % {"n": counts[part]} for part in Part if counts[part]]
    what = ", ".join(told) or _("nothing is due")
    return Message(
        title=_("%(workspace)s: %(what)s") % {"workspace": plain(workspace.name), "what": what},
        sections=_cut([section for section in sections if section.lines]),
        watch=[plain(sentence) for sentence in proof([workspace], read=read, since=_since(message, now=now), now=now)],
        link_words=_("All requests in the portal"),
        url=_register(channel),
        is_late=counts[Part.OVERDUE] > 0,
        facts=_facts(message.kind, channel=channel, now=now) | {"counts": {str(part): n for part, n in counts.items()}},
    )


def test_message(channel: Channel, *, now: datetime) -> Message:
    """What shows that the channel works, and names no request."""
    return Message(
        title=_("%(workspace)s: a test") % {"workspace": plain(channel.workspace.name)},
        sections=[],
        watch=[_("Deadlines of data subject requests will be told here.")],
        link_words=_("To the portal"),
        url=absolute(reverse("board.board", args=[channel.workspace.slug])),
        facts=_facts("test", channel=channel, now=now),
    )


def _told_at_once(
    message: ChannelMessage, *, channel: Channel, rows: list[Listed], note: str, is_late: bool, now: datetime
) -> Message:
    lines = [_line(one, note=note) for one in rows]
    words = ngettext("%(n)d deadline needs somebody", "%(n)d deadlines need somebody", len(lines)) % {"n": len(lines)}
    return Message(
        title=_("%(workspace)s: %(what)s") % {"workspace": plain(channel.workspace.name), "what": words},
        sections=_cut([Section(title="", lines=lines)]) if lines else [],
        link_words=_("All requests in the portal"),
        url=_register(channel),
        is_late=is_late,
        facts=_facts(message.kind, channel=channel, now=now) | {"count": len(lines)},
    )


def _cut(sections: list[Section]) -> list[Section]:
    return fitted(sections, more=_("and %(n)d more"))


def _since(message: ChannelMessage, *, now: datetime) -> datetime:
    earlier = ChannelMessage.objects.filter(
        channel_id=message.channel_id, kind=MailKind.DIGEST, created_at__lt=message.created_at
    )
    return earlier.order_by("-created_at").values_list("created_at", flat=True).first() or now - NEW_SINCE


def _alerted(alerts: Iterable[ChannelAlert], *, channel: Channel, now: datetime) -> list[Listed]:
    """Each request once, by its most pressing date."""
    found: dict[int, Listed] = {}
    for alert in sorted(alerts, key=lambda one: (one.due_on, one.pk)):
        found.setdefault(
            alert.upstream_id,
            Listed(
                part=Part.EXTEND if alert.clock == AlertClock.EXTEND else Part.DUE,
                workspace=channel.workspace,
                upstream_id=alert.upstream_id,
                reference=alert.reference,
                clock=AlertClock(alert.clock),
                due_on=alert.due_on,
                today=day_of(now, zone=ZoneInfo(channel.workspace.time_zone)),
            ),
        )
    return list(found.values())


def _line(one: Listed, *, note: str) -> Line:
    return Line(
        reference=plain(one.reference) or f"#{one.upstream_id}",
        url=absolute(reverse("dsr.dsr", args=[one.workspace.slug, one.upstream_id])),
        what=clock_words(one.clock, due_on=one.due_on, today=one.today),
        note=note,
        facts={"clock": str(one.clock), "due_on": one.due_on.isoformat(), "days_left": (one.due_on - one.today).days},
    )


def _register(channel: Channel) -> str:
    return absolute(reverse("register.register", args=[channel.workspace.slug]))


def _facts(kind: str, *, channel: Channel, now: datetime) -> dict[str, str | int]:
    return {
        "format": FORMAT,
        "kind": str(kind),
        "workspace": channel.workspace.slug,
        "language": channel.language,
        "sent_at": now.isoformat(timespec="seconds"),
    }
