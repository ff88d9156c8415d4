"""What follows when a message to a person has gone out, or has not: the legal clock learns of a notice, or the text becomes a draft again. Called by
`settling`, in the transaction that writes the outcome down."""

from __future__ import annotations

import uuid
from datetime import datetime
from zoneinfo import ZoneInfo

from django.utils import translation
from django.utils.translation import gettext as _

from dsrportal.actions import deeds, drafts, ledger
from dsrportal.actions.refusals import LedgerError
from dsrportal.credentials import CannotDecryptError
from dsrportal.models import Enclosure, OutboxEntry, User
from dsrportal.models.correspondence import LetterPurpose
from dsrportal.models.ledger import ExtensionGround, RefusalGround
from dsrportal.models.outbox import WishState


def end(entry: OutboxEntry, *, state: WishState, now: datetime) -> str:
    """Do what the outcome asks for; `entry` still holds its sealed part. Answers a sentence, in the active language, to go with the reason: empty
    where there is nothing to say."""
    if state != WishState.DONE:
        try:
            text = deeds.change_of(entry).wanted["message"]
        except (CannotDecryptError, KeyError):  # settled before, or its key is gone
            Enclosure.objects.filter(entry=entry).delete()
            return ""
        drafts.give_back(entry, text=text, wanted=entry.wanted, now=now)
        return ""
    Enclosure.objects.filter(entry=entry).delete()
    return _recorded(entry, now=now)


def _recorded(entry: OutboxEntry, *, now: datetime) -> str:
    """The notice in the ledger, with the day on which it was sent by the workspace's own clock."""
    purpose = entry.wanted.get("purpose")
    dsr = entry.dsr
    if purpose not in {LetterPurpose.EXTENSION, LetterPurpose.REFUSAL} or dsr is None:
        return ""
    sent_at = entry.claimed_at or now
    notice_on = sent_at.astimezone(ZoneInfo(entry.workspace.time_zone)).date()
    action_id = uuid.uuid5(entry.action_id, "ledger")
    ground = entry.wanted.get("ground", "")
    text = _proof(entry, by=entry.by)
    try:
        if purpose == LetterPurpose.EXTENSION:
            ledger.extend(
                dsr,
                action_id=action_id,
                ground=ExtensionGround(ground),
                notice_on=notice_on,
                text=text,
                by=entry.by,
                now=now,
            )
        else:
            ledger.refuse(
                dsr,
                action_id=action_id,
                ground=RefusalGround(ground),
                notice_on=notice_on,
                text=text,
                by=entry.by,
                now=now,
            )
    except LedgerError as error:
        return _("The message was sent, but the clock did not take it: %(sentence)s") % {"sentence": error.sentence}
    return ""


def _proof(entry: OutboxEntry, *, by: User) -> str:
    """Where the proof of the notice lies, in the words of whoever sent it."""
    with translation.override(by.language or translation.get_language()):
        found = entry.seen.get("sent")
        if found:
            return _("Sent through Dastra: message %(id)s.") % {"id": found}
        return _("Sent through Dastra.")
