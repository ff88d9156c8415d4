"""What somebody is writing to a person, kept sealed until it is sent or thrown away: no text is lost to a failed post, a session that ended, or a
refusal. Called by `views.answering`, and by `message_ends` when a message comes back.

One draft a person and request. Nothing of it reaches Dastra, a log or the audit.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db import transaction
from django.utils.translation import gettext as _

from dsrportal import credentials
from dsrportal.actions.conversation import safe_name
from dsrportal.actions.refusals import WishError
from dsrportal.models import DataSubjectRequest, Draft, Enclosure, OutboxEntry, User
from dsrportal.models.correspondence import LetterPurpose

MOST_FILES = 5
LARGEST_FILE = 10 * 1024 * 1024
LARGEST_TOGETHER = 20 * 1024 * 1024
LONGEST_DRAFT = 20_000
KEPT_FOR = timedelta(days=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenFile:
    """A file of a draft: what it is called, and how large it is in bytes."""

    uid: uuid.UUID
    name: str = field(repr=False)
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenDraft:
    """A draft in clear. Use and drop."""

    text: str = field(repr=False)
    purpose: str
    language: str
    ground: str
    files: tuple[OpenFile, ...] = field(repr=False)
    updated_at: datetime


def find(dsr: DataSubjectRequest, *, by: User) -> OpenDraft | None:
    """What the person is writing about this request; what can no longer be opened is left out. Two queries."""
    draft = Draft.objects.filter(dsr=dsr, by=by).first()
    if draft is None:
        return None
    try:
        text = draft.read_text()
    except credentials.CannotDecryptError:
        text = ""
    rows = draft.enclosures.defer("content_sealed")
    return OpenDraft(
        text=text,
        purpose=draft.purpose,
        language=draft.language,
        ground=draft.ground,
        files=tuple(_open_file(row) for row in rows),
        updated_at=draft.updated_at,
    )


def exists(dsr: DataSubjectRequest, *, by: User) -> bool:
    """Whether the person has begun to write. One query."""
    return Draft.objects.filter(dsr=dsr, by=by).exists()


def save(
    dsr: DataSubjectRequest, *, text: str, purpose: LetterPurpose, language: str, ground: str, by: User, now: datetime
) -> Draft:
    """Keep what was written so far, in place of what was kept before. Drafts of this workspace that nobody touched for 30 days go."""
    with transaction.atomic():
        Draft.objects.filter(workspace_id=dsr.workspace_id, updated_at__lt=now - KEPT_FOR).delete()
        draft, _is_new = Draft.objects.select_for_update(no_key=True).get_or_create(
            dsr=dsr, by=by, defaults={"workspace_id": dsr.workspace_id, "updated_at": now}
        )
        draft.purpose, draft.language, draft.ground, draft.updated_at = purpose, language, ground, now
        draft.set_text(text[:LONGEST_DRAFT])
        draft.save(update_fields=["purpose", "language", "ground", "updated_at", "text_sealed"])
    return draft


def enclose(draft: Draft, *, files: Iterable[tuple[str, bytes]]) -> None:
    """Put files, by name and bytes, to the draft. Raises `WishError` (`invalid`), and then none of them is added."""
    added = [(safe_name(name), content) for name, content in files]
    if not added:
        return
    with transaction.atomic():
        Draft.objects.select_for_update(no_key=True).get(pk=draft.pk)
        sizes = list(draft.enclosures.values_list("size", flat=True)) + [len(content) for _name, content in added]
        if len(sizes) > MOST_FILES:
            raise WishError(_("At most %(n)d files go with a message.") % {"n": MOST_FILES}, code="invalid")
        if any(not content for _name, content in added):
            raise WishError(_("One of the files is empty."), code="invalid")
        if any(size > LARGEST_FILE for size in sizes) or sum(sizes) > LARGEST_TOGETHER:
            raise too_large()
        for name, content in added:
            row = Enclosure(draft=draft)
            row.set_file(name=name, content=content)
            row.save()


def too_large() -> WishError:
    """The refusal of files that are too large."""
    megabytes = {"one": LARGEST_FILE // 2**20, "all": LARGEST_TOGETHER // 2**20}
    return WishError(_("A file may have %(one)d MB, all together %(all)d MB.") % megabytes, code="invalid")


def take_out(dsr: DataSubjectRequest, *, uid: uuid.UUID, by: User) -> bool:
    """Take a file away from the person's draft. False where there is no such file."""
    return bool(Enclosure.objects.filter(uid=uid, draft__dsr=dsr, draft__by=by).delete()[0])


def discard(dsr: DataSubjectRequest, *, by: User) -> None:
    """Throw the draft away, with its files."""
    Draft.objects.filter(dsr=dsr, by=by).delete()


def give_back(entry: OutboxEntry, *, text: str, wanted: Mapping[str, str], now: datetime) -> None:
    """Make a message that did not go out a draft again, with its files; what was begun since stands below it. Within the caller's transaction."""
    dsr = DataSubjectRequest.objects.filter(workspace_id=entry.workspace_id, upstream_id=entry.upstream_id or 0).first()
    if dsr is None:  # the attempt may have found that Dastra no longer has it
        Enclosure.objects.filter(entry=entry).delete()
        return
    since = find(dsr, by=entry.by)
    whole = f"{text}\n\n{since.text}" if since and since.text and since.text != text else text
    draft = save(
        dsr,
        text=whole,
        purpose=LetterPurpose(wanted["purpose"]),
        language=wanted.get("language", ""),
        ground=wanted.get("ground", ""),
        by=entry.by,
        now=now,
    )
    Enclosure.objects.filter(entry=entry).update(entry=None, draft=draft)


def _open_file(row: Enclosure) -> OpenFile:
    try:
        name = row.read_name()
    except credentials.CannotDecryptError:
        name = _("A file that cannot be opened")
    return OpenFile(uid=row.uid, name=name, size=row.size)
