"""Writing to a person about their request: the page, its draft, and the button that sends. Nothing here asks Dastra but that button.

Every post keeps what was typed before it does anything else, so that nothing is lost to a mistake, a refusal, or a session that ends.
"""

from __future__ import annotations

import uuid
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from dsrportal.actions import drafts, outbox
from dsrportal.actions import messages as writing
from dsrportal.actions.refusals import WishError
from dsrportal.forms.answering import MessageForm, first_values
from dsrportal.models import DataSubjectRequest, OutboxEntry
from dsrportal.models.correspondence import LetterPurpose
from dsrportal.models.outbox import WishState
from dsrportal.queries import letters
from dsrportal.views import dsr as dsr_views
from dsrportal.views.access import Visit

UNPROCESSABLE = 422
NO_CONTENT = 204


@require_http_methods(["GET", "HEAD", "POST"])
def message(request: HttpRequest, slug: str, upstream_id: int) -> HttpResponse:
    """`/w/<slug>/requests/<upstream_id>/message/`: the deeds are `send`, `fill` (the letter), `save`, `keep` (the same, for a script: 204),
    `out:<uid>` (takes a file away) and `discard`. `purpose` says what to begin with."""
    found, row = dsr_views.find(request, slug=slug, upstream_id=upstream_id)
    found.require_acting()
    if not found.membership.may_see_identity:
        raise PermissionDenied
    if request.method != "POST":
        return _page(request, found, row=row, form=_begun(request, found, row=row))
    deed = request.POST.get("deed", "")
    if deed == "discard":
        drafts.discard(row, by=found.user)
        messages.info(request, _("The draft is gone. Nothing was sent."))
        return redirect("dsr.dsr", slug=slug, upstream_id=upstream_id)
    form = MessageForm(request.POST)
    is_sent = deed == "send" and form.is_valid() and _sent_before(found, form=form)
    if is_sent:
        return redirect("dsr.dsr", slug=slug, upstream_id=upstream_id)
    if not form.is_valid() or not _keep(request, found, row=row, form=form, deed=deed):
        return _page(request, found, row=row, form=form, status=UNPROCESSABLE)
    return _done(request, found, row=row, form=form, deed=deed)


def _done(request: HttpRequest, found: Visit, *, row: DataSubjectRequest, form: MessageForm, deed: str) -> HttpResponse:
    """What follows when the draft is kept."""
    if deed == "keep":
        return HttpResponse(status=NO_CONTENT)
    if deed == "send":
        return _send(request, found, row=row, form=form)
    return redirect("answering.message", slug=found.workspace.slug, upstream_id=row.upstream_id)


def _begun(request: HttpRequest, found: Visit, *, row: DataSubjectRequest) -> MessageForm:
    """The person's draft, or an empty one in the language of the request."""
    draft = drafts.find(row, by=found.user)
    if draft is not None:
        return MessageForm(
            initial=first_values(purpose=draft.purpose, language=draft.language, ground=draft.ground, text=draft.text)
        )
    asked = request.GET.get("purpose", "")
    purpose = asked if asked in LetterPurpose.values else LetterPurpose.FREE
    return MessageForm(initial=first_values(purpose=purpose, language=_language(row), ground="", text=""))


def _language(row: DataSubjectRequest) -> str:
    """The person's own, where there are letters in it; else the reader's."""
    for code in (row.locale, get_language() or ""):
        if code[:2].lower() in letters.LANGUAGES:
            return code[:2].lower()
    return letters.LANGUAGES[0]


def _keep(request: HttpRequest, found: Visit, *, row: DataSubjectRequest, form: MessageForm, deed: str) -> bool:
    """Save the draft, with what the deed asks for. False, and the reason in the form, where a file or a letter cannot be taken."""
    values = form.cleaned_data
    purpose, language, text = LetterPurpose(values["purpose"]), values["language"], values["text"]
    ground = form.ground()
    is_kept = True
    if deed == "fill":
        text = _with_letter(found, row=row, text=text, purpose=purpose, language=language)
        if text == values["text"]:
            form.add_error("purpose", _("There is no letter for this in this language."))
            is_kept = False
    draft = drafts.save(row, text=text, purpose=purpose, language=language, ground=ground, by=found.user, now=found.now)
    if deed.startswith("out:"):
        drafts.take_out(row, uid=_uid(deed.removeprefix("out:")), by=found.user)
    try:
        drafts.enclose(draft, files=_files(request.FILES.getlist("added")))
    except WishError as error:
        form.add_error("added", error.sentence)
        is_kept = False
    return is_kept


def _with_letter(found: Visit, *, row: DataSubjectRequest, text: str, purpose: LetterPurpose, language: str) -> str:
    """The letter in place of an empty text or of another letter that nobody has touched; else below what was written."""

    def letter(purpose: LetterPurpose, language: str) -> str:
        return letters.filled(found.workspace, row, purpose=purpose, language=language, now=found.now)

    wanted = letter(purpose, language) if purpose in letters.PURPOSES else ""
    if not wanted:
        return text
    plain = text.strip()
    untouched = (
        {letter(one, code).strip() for one in letters.PURPOSES for code in letters.LANGUAGES} if plain else set()
    )
    return wanted if not plain or plain in untouched else f"{text.rstrip()}\n\n{wanted}"


def _files(uploaded: list[UploadedFile[Any]]) -> list[tuple[str, bytes]]:
    """Names and bytes. Raises `WishError` for what the post could not hold."""
    if any((file.size or 0) > drafts.LARGEST_FILE for file in uploaded):
        raise drafts.too_large()
    read = [(file.name or "", file.read(), file.size) for file in uploaded]
    if any(len(content) != size for _name, content, size in read):
        raise drafts.too_large()  # beyond what one post may hold, a file comes without its content
    return [(name, content) for name, content, _size in read]


def _sent_before(found: Visit, *, form: MessageForm) -> bool:
    return OutboxEntry.objects.filter(action_id=form.cleaned_data["action_id"], by=found.user).exists()


def _send(request: HttpRequest, found: Visit, *, row: DataSubjectRequest, form: MessageForm) -> HttpResponse:
    values = form.cleaned_data
    try:
        entry = writing.write(
            action_id=values["action_id"],
            dsr=row,
            text=values["text"],
            purpose=LetterPurpose(values["purpose"]),
            language=values["language"],
            ground=form.ground(),
            by=found.user,
            now=found.now,
        )
    except WishError as error:
        if error.code == "not_allowed":
            raise PermissionDenied from error
        form.add_error("text" if error.code == "invalid" else None, error.sentence)
        return _page(request, found, row=row, form=form, status=UNPROCESSABLE)
    drafts.discard(row, by=found.user)  # what the same post left when it was sent twice
    if entry.state == WishState.HELD and entry.not_before <= found.now:
        entry = outbox.send(entry.pk, now=found.now)
    if entry.state == WishState.DONE:
        messages.success(request, _("The message is in Dastra."))
    return redirect("dsr.dsr", slug=found.workspace.slug, upstream_id=row.upstream_id)


def _uid(text: str) -> uuid.UUID:
    try:
        return uuid.UUID(text)
    except ValueError:
        return uuid.UUID(int=0)


def _page(
    request: HttpRequest, found: Visit, *, row: DataSubjectRequest, form: MessageForm, status: int = 200
) -> HttpResponse:
    context: dict[str, Any] = {
        **dsr_views.page_context(request, found, row=row),
        "form": form,
        "draft": drafts.find(row, by=found.user),
        "here": reverse("answering.message", args=[found.workspace.slug, row.upstream_id]),
    }
    return render(request, "answering/message.html", context, status=status)
