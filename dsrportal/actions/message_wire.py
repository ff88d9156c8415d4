"""A message to a person on the wire: its files first, then the text, once, and then read back. Called by `outbox.py` alone.

Dastra takes no number of ours with a message. So the messages that it lists are noted before the write, and afterwards only a new one with the same text
is the one. Until the text is sent nothing reaches the person, so files may be looked for and brought again; the text is never sent a second time.
"""

from __future__ import annotations

import html
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from dsrportal.actions import deeds
from dsrportal.actions.writing import Clock, Verdict, not_sent, nothing_changed, proves, renew_claim
from dsrportal.credentials import CannotDecryptError
from dsrportal.dastra import schema
from dsrportal.dastra.client import DastraClient
from dsrportal.dastra.errors import DastraError, NotFound, Rejected
from dsrportal.mirror import connections, refresh
from dsrportal.models import Enclosure, OutboxEntry
from dsrportal.models.outbox import WishState

MOST_ATTEMPTS = 4
"""How often files whose upload got no answer are looked for and brought again."""
TOO_LARGE = 413
WRONG_KIND = 415


class _StopError(Exception):
    """The attempt is over with this verdict."""

    def __init__(self, verdict: Verdict) -> None:
        super().__init__(verdict.code)
        self.verdict = verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class _Line:
    """What an attempt works with."""

    entry: OutboxEntry
    text: str
    client: DastraClient
    clock: Clock


def attempt(entry: OutboxEntry, *, clock: Clock) -> Verdict:
    """Send a claimed message. Raises nothing of Dastra's."""
    try:
        text = deeds.change_of(entry).wanted["message"]
        with connections.connect(entry.workspace, interactive=True) as client:
            return _attempt(_Line(entry=entry, text=text, client=client, clock=clock))
    except _StopError as stop:
        return stop.verdict
    except DastraError as error:
        return not_sent(entry, error, now=clock())  # the connection itself, or a read before anything was written
    except CannotDecryptError:
        reason = _("What was to be written can no longer be opened.")
        return Verdict(WishState.REFUSED, reason=reason, code="unreadable")


def check(entry: OutboxEntry, *, clock: Clock) -> Verdict:
    """Find out whether a message of unknown outcome was sent. `unknown` while that cannot be told yet."""
    is_proof = proves(entry, now=clock())
    if not entry.seen.get("posting"):
        # The text was not sent; at most a file was on its way, and Dastra may still be at work on it.
        if not is_proof:
            return Verdict(WishState.UNKNOWN, reason=entry.reason, code="not_seen_yet")
        if entry.attempts >= MOST_ATTEMPTS:
            reason = _("The files could not be brought to Dastra. Nothing was sent to the person.")
            return Verdict(WishState.REFUSED, reason=reason, code="not_applied")
        return Verdict(WishState.HELD, code="never_sent")
    try:
        text = deeds.change_of(entry).wanted["message"]
        with connections.connect(entry.workspace, interactive=True) as client:
            return _look(_Line(entry=entry, text=text, client=client, clock=clock), is_proof=is_proof)
    except DastraError:
        return Verdict(WishState.UNKNOWN, reason=entry.reason, code="unreadable")
    except CannotDecryptError:
        return _may_be_sent() if is_proof else Verdict(WishState.UNKNOWN, reason=entry.reason, code="unreadable")


def _attempt(line: _Line) -> Verdict:
    entry = line.entry
    read = refresh.refresh_request(entry.workspace, upstream_id=entry.target, client=line.client, now=line.clock())
    if read is None:
        return Verdict(WishState.REFUSED, reason=_("The request is no longer in Dastra."), code="gone")
    if sentence := _stands_against(entry, read):
        return Verdict(WishState.REFUSED, reason=sentence, code="conflict")
    listed = line.client.correspondence.list_messages(entry.target).items
    if entry.seen.get("posting") and (found := _new_one(line, listed)):  # a try that was taken for lost went through
        return _done(line, found)
    # What was there before the first try; a later try may meet what an earlier one brought.
    before = {"messages": [one.upstream_id for one in listed], "files": [one.upstream_id for one in read.attachments]}
    _note(line, **{name: entry.seen.get(name, ids) for name, ids in before.items()})
    enclosed = _bring_files(line, read)
    _note(line, posting=True)
    try:
        line.client.correspondence.send_message(entry.target, line.text, attachments=[one.raw for one in enclosed])
    except DastraError as error:
        if error.outcome_unknown:
            return _looked(line, sentence=error.sentence)
        return _refused(line, error)
    return _looked(line)


def _stands_against(entry: OutboxEntry, read: schema.DataSubjectRequest) -> str:
    """What became of the request since the person wrote, that they may want to write something else now."""
    if read.archived:
        return _("It was archived in Dastra meanwhile.")
    if read.state == deeds.CLOSED and not entry.seen.get("closed"):
        return _("It was closed in Dastra meanwhile.")
    return ""


def _bring_files(line: _Line, read: schema.DataSubjectRequest) -> list[schema.Attachment]:
    """The message's files as Dastra knows them, in their order; what is not there yet is uploaded. Raises `_StopError` or DastraError."""
    rows = list(Enclosure.objects.filter(entry=line.entry))
    for row in rows:
        name = row.read_name()
        there = {one.upstream_id: one for one in read.attachments if one.upstream_id and not one.is_removed}
        if row.upstream_id in there:
            continue
        taken = {other.upstream_id for other in rows} | set(line.entry.seen["files"])
        found = next(
            (one.upstream_id for one in there.values() if one.upstream_id not in taken and _is_file(one, row, name)), ""
        )
        if not found:  # a read has just shown that it is not there
            found = _upload(line, row, name=name)
        if not found or found not in there:
            read = line.client.get_request(line.entry.target)
            new = [one for one in read.attachments if one.upstream_id not in taken and _is_file(one, row, name)]
            found = found or next((one.upstream_id for one in new), "")
        row.upstream_id = found
        row.save(update_fields=["upstream_id"])
    known = {one.upstream_id: one for one in read.attachments}
    if any(row.upstream_id not in known for row in rows):
        reason = _("Dastra does not list a file that it took. Nothing was sent to the person.")
        raise _StopError(Verdict(WishState.REFUSED, reason=reason, code="not_applied"))
    return [known[row.upstream_id] for row in rows]


def _upload(line: _Line, row: Enclosure, *, name: str) -> str:
    _note(line)  # the claim counts from here
    try:
        made = line.client.correspondence.upload_attachment(line.entry.target, name=name, content=row.read_content())
    except DastraError as error:
        if error.outcome_unknown:
            raise _StopError(Verdict(WishState.UNKNOWN, reason=error.sentence, code="upload_unknown")) from error
        raise _StopError(_refused(line, error)) from error
    return made.upstream_id if made else ""


def _is_file(one: schema.Attachment, row: Enclosure, name: str) -> bool:
    return one.size == row.size and one.name == name


def _refused(line: _Line, error: DastraError) -> Verdict:
    """Dastra took nothing."""
    if error.status == TOO_LARGE:
        reason = _("Dastra takes no file or text of this size. Nothing was sent to the person.")
        return Verdict(WishState.REFUSED, reason=reason, code=error.code)
    if error.status == WRONG_KIND:
        reason = _("Dastra does not take this kind of file. Nothing was sent to the person.")
        return Verdict(WishState.REFUSED, reason=reason, code=error.code)
    if isinstance(error, Rejected | NotFound) or not error.retryable:
        return Verdict(WishState.REFUSED, reason=nothing_changed(error), code=error.code)
    return not_sent(line.entry, error, now=line.clock())


def _looked(line: _Line, *, sentence: str = "") -> Verdict:
    try:
        return _look(line, is_proof=False, sentence=sentence)
    except DastraError as error:
        reason = _("Dastra could not be read back: %(sentence)s") % {"sentence": error.sentence}
        return Verdict(WishState.UNKNOWN, reason=reason, code=error.code)


def _look(line: _Line, *, is_proof: bool, sentence: str = "") -> Verdict:
    """Raises DastraError."""
    listed = line.client.correspondence.list_messages(line.entry.target).items
    if found := _new_one(line, listed):
        return _done(line, found)
    if not is_proof:
        return Verdict(WishState.UNKNOWN, reason=sentence, code="not_seen_yet")
    before = set(line.entry.seen["messages"])
    if any(one.author is not None and one.upstream_id not in before for one in listed):
        return _may_be_sent()  # a new message that is not the person's and not quite this one
    reason = _("Dastra does not list the message: it was not sent.")
    return Verdict(WishState.REFUSED, reason=reason, code="not_applied")


def _new_one(line: _Line, listed: tuple[schema.Message, ...]) -> schema.Message | None:
    before = set(line.entry.seen["messages"])
    wanted = _plain(line.text)
    return next(
        (
            one
            for one in listed
            if one.upstream_id not in before and wanted in {_plain(one.text), _plain(html.unescape(one.text))}
        ),
        None,
    )


def _plain(text: str) -> str:
    """The words, whatever became of the spaces and line ends."""
    return " ".join(text.split())


def _done(line: _Line, found: schema.Message) -> Verdict:
    entry = line.entry
    entry.seen = {**entry.seen, "sent": found.upstream_id}
    OutboxEntry.objects.filter(pk=entry.pk, state__in=[WishState.SENDING, WishState.UNKNOWN]).update(seen=entry.seen)
    sent = {one.upstream_id for one in found.attachments}
    lost = sum(upstream_id not in sent for upstream_id in entry.enclosures.values_list("upstream_id", flat=True))
    reason = (
        _("Dastra sent the message without %(n)s of its files: they are beside the request.") % {"n": lost}
        if lost
        else ""
    )
    with suppress(DastraError):  # it is sent all the same; the next pull brings the counters
        refresh.refresh_request(entry.workspace, upstream_id=entry.target, client=line.client, now=line.clock())
    return Verdict(WishState.DONE, code="read_back", reason=reason)


def _may_be_sent() -> Verdict:
    reason = _("Whether Dastra sent the message could not be found out. Look at its messages before you write again.")
    return Verdict(WishState.REFUSED, reason=reason, code="may_exist")


def _note(line: _Line, **noted: Any) -> None:
    """Renew the claim and keep what is noted with it. Raises `_StopError` where another process has taken over."""
    seen = {**line.entry.seen, **noted}
    if not renew_claim(line.entry, now=line.clock(), seen=seen):
        raise _StopError(Verdict(WishState.UNKNOWN, code="overtaken"))
