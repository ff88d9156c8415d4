"""Settings of a workspace's letters, for its admins. To everyone else the page does not exist."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from dsrportal.actions import letters as actions
from dsrportal.forms.answering import LANGUAGE_NAMES, LetterForm
from dsrportal.models.correspondence import LetterPurpose
from dsrportal.queries import letters as query
from dsrportal.views import access
from dsrportal.views.access import Visit

UNPROCESSABLE = 422


@require_safe
def letters(request: HttpRequest, slug: str) -> HttpResponse:
    """`/settings/workspaces/<slug>/letters/`: every letter, by purpose and language."""
    found = _visit(request, slug=slug)
    every = query.of_workspace(found.workspace)
    rows = [
        {
            "label": purpose.label,
            "cells": [{"letter": one, "name": LANGUAGE_NAMES[one.language]} for one in every if one.purpose == purpose],
        }
        for purpose in query.PURPOSES
    ]
    return render(request, "answering/letters.html", {"workspace": found.workspace, "rows": rows})


@require_http_methods(["GET", "HEAD", "POST"])
def letter(request: HttpRequest, slug: str, purpose: str, language: str) -> HttpResponse:
    """`/settings/workspaces/<slug>/letters/<purpose>/<language>/`: the deeds are `save` and `restore` (the portal's own text)."""
    found = _visit(request, slug=slug)
    if purpose not in query.PURPOSES or language not in query.LANGUAGES:
        raise Http404
    kind = LetterPurpose(purpose)
    shown = query.find(found.workspace, purpose=kind, language=language)
    own = query.built_in(found.workspace, purpose=kind, language=language)
    is_restored = request.POST.get("deed") == "restore" and bool(own)
    form = LetterForm(request.POST if request.method == "POST" else None, initial={"text": shown.text})
    if is_restored or (request.method == "POST" and form.is_valid()):
        text = own if is_restored else form.cleaned_data["text"]
        actions.change(found.workspace, purpose=kind, language=language, text=text, by=found.user, now=found.now)
        messages.success(request, _("Saved."))
        return redirect("letters.letters", slug=slug)
    context = {
        "workspace": found.workspace,
        "form": form,
        "letter": shown,
        "label": kind.label,
        "language_name": LANGUAGE_NAMES[language],
        "variables": [f"{{{name}}}" for name in query.VARIABLES],
        "may_restore": shown.is_own and bool(own),
    }
    return render(request, "answering/letter.html", context, status=UNPROCESSABLE if form.errors else 200)


def _visit(request: HttpRequest, *, slug: str) -> Visit:
    access.require_settings(request)
    found = access.visit(request, slug=slug)
    found.require_admin()
    return found
