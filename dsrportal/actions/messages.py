"""A wish to write to a person: checked and kept, its text and files sealed. Called by the page that writes; `outbox` sends it.

Nothing goes out by itself: a letter is a text to begin with, and whoever presses the button has it before them.
"""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from dsrportal.actions import changes, deeds
from dsrportal.actions.refusals import WishError
from dsrportal.dastra.correspondence import LONGEST_MESSAGE
from dsrportal.models import (
    DataSubjectRequest,
    Draft,
    Enclosure,
    Extension,
    Membership,
    OutboxEntry,
    Refusal,
    User,
    Workspace,
)
from dsrportal.models.correspondence import LetterPurpose
from dsrportal.models.ledger import ExtensionGround, RefusalGround
from dsrportal.models.outbox import OPEN_STATES, WishKind
from dsrportal.queries import letters
from dsrportal.queries.clockmark import long_day

__all__ = ["LONGEST_MESSAGE", "write"]

GROUNDS: dict[LetterPurpose, type[ExtensionGround | RefusalGround]] = {
    LetterPurpose.EXTENSION: ExtensionGround,
    LetterPurpose.REFUSAL: RefusalGround,
}
"""What a notice that feeds the legal clock has to name."""


def write(
    *,
    action_id: uuid.UUID,
    dsr: DataSubjectRequest,
    text: str,
    purpose: LetterPurpose,
    language: str,
    ground: str,
    by: User,
    now: datetime,
    hold_seconds: int | None = None,
) -> OutboxEntry:
    """Keep a wish to send `text`, and the files of the person's draft, in `hold_seconds` (by default the setting `UNDO_SECONDS`) from now. The draft
    becomes the wish. The same `action_id` again gives the same row. Raises `WishError`.
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n").strip()
    wanted = {"message": text, "purpose": str(purpose), "language": language, "ground": ground}
    if known := _known(action_id, dsr=dsr, by=by, wanted=wanted):
        return known
    _check(dsr, text=text, purpose=purpose, ground=ground, by=by, now=now)
    hold = settings.UNDO_SECONDS if hold_seconds is None else hold_seconds
    entry = OutboxEntry(
        action_id=action_id,
        workspace=dsr.workspace,
        dsr=dsr,
        upstream_id=dsr.upstream_id,
        by=by,
        kind=WishKind.MESSAGE,
        seen_step_upstream_id=dsr.step.upstream_id if dsr.step else None,
        seen_updated_at=dsr.updated_at,
        wanted=changes.public(wanted),
        seen={"closed": dsr.is_closed},
        created_at=now,
        not_before=now + timedelta(seconds=hold),
    )
    entry.set_private({"wanted": changes.private(wanted)})
    try:
        with transaction.atomic():
            Workspace.note_change(dsr.workspace_id)
            entry.save(force_insert=True)
            Enclosure.objects.filter(draft__dsr=dsr, draft__by=by).update(draft=None, entry=entry)
            Draft.objects.filter(dsr=dsr, by=by).delete()
    except IntegrityError:
        if known := _known(action_id, dsr=dsr, by=by, wanted=wanted):
            return known
        raise _busy(dsr) from None
    return entry


def _known(action_id: uuid.UUID, *, dsr: DataSubjectRequest, by: User, wanted: dict[str, str]) -> OutboxEntry | None:
    entry = OutboxEntry.objects.filter(action_id=action_id).select_related("workspace", "by").first()
    if entry is None:
        return None
    kept = (entry.workspace_id, entry.upstream_id, entry.kind, entry.by_id)
    is_same = kept == (dsr.workspace_id, dsr.upstream_id, WishKind.MESSAGE, by.pk)
    is_same = is_same and entry.wanted == changes.public(wanted)
    if is_same and entry.private_sealed is not None:
        is_same = deeds.change_of(entry).wanted == wanted
    if not is_same:
        raise WishError(_("This form was used before. Please try again."), code="reused")
    return entry


def _check(dsr: DataSubjectRequest, *, text: str, purpose: LetterPurpose, ground: str, by: User, now: datetime) -> None:
    membership = Membership.objects.filter(user=by, workspace_id=dsr.workspace_id).first()
    is_allowed = membership is not None and membership.may_act and membership.may_see_identity
    if not is_allowed or not by.is_active or not dsr.workspace.is_enabled:
        raise WishError(_("You may not write to the people of this workspace."), code="not_allowed")
    if not text:
        raise WishError(_("There is no text yet."), code="invalid")
    if len(text) > LONGEST_MESSAGE:
        numbers = {"n": len(text), "most": LONGEST_MESSAGE}
        raise WishError(_("The text has %(n)d characters; Dastra takes %(most)d.") % numbers, code="invalid")
    if missing := letters.gaps(text):
        raise WishError(_("Still to be filled in: %(gaps)s.") % {"gaps": "; ".join(missing)}, code="invalid")
    if dsr.archived:
        raise WishError(_("It is archived in Dastra."), code="stale")
    _check_clock(dsr, purpose=purpose, ground=ground, now=now)
    open_wishes = OutboxEntry.objects.filter(workspace_id=dsr.workspace_id, upstream_id=dsr.upstream_id)
    if open_wishes.filter(state__in=OPEN_STATES).exists():
        raise _busy(dsr)


def _check_clock(dsr: DataSubjectRequest, *, purpose: LetterPurpose, ground: str, now: datetime) -> None:
    """A notice that could not be recorded afterwards is not sent under that name."""
    if purpose not in GROUNDS:
        return
    if ground not in GROUNDS[purpose].values:
        raise WishError(_("Say on what ground."), code="invalid")
    if purpose == LetterPurpose.REFUSAL:
        if Refusal.objects.filter(dsr=dsr, withdrawn_at=None).exists():
            raise WishError(_("A refusal is recorded already."), code="stale")
        return
    if dsr.is_closed:
        raise WishError(_("It is closed: its dates stay as they are."), code="stale")
    if Extension.objects.filter(dsr=dsr, withdrawn_at=None).exists():
        raise WishError(_("It is extended already. Two further months are all that the law gives."), code="stale")
    today = now.astimezone(ZoneInfo(dsr.workspace.time_zone)).date()
    if dsr.extend_by is None or dsr.received_on is None:
        raise WishError(_("No date of receipt is known, so no clock runs. Enter it in Dastra first."), code="stale")
    if today > dsr.extend_by:
        sentence = _("The person had to be told by %(day)s: told later, an extension does not exist (GDPR Art. 12(3)).")
        raise WishError(sentence % {"day": long_day(dsr.extend_by)}, code="stale")


def _busy(dsr: DataSubjectRequest) -> WishError:
    entries = OutboxEntry.objects.filter(workspace_id=dsr.workspace_id, upstream_id=dsr.upstream_id)
    entry = entries.filter(state__in=OPEN_STATES).select_related("by").first()
    name = entry.by.display_name() if entry else _("Someone")
    return WishError(_("%(name)s is already changing this request.") % {"name": name}, code="busy")
