"""A file of a request: POST alone, since it asks Dastra, is audited, and is nothing for a link to be followed by itself."""

from __future__ import annotations

import uuid

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from dsrportal.actions import files
from dsrportal.actions.files import NoFileError
from dsrportal.actions.reading import GoneError, ReadingError
from dsrportal.queries.sentences import in_words
from dsrportal.views import dsr as dsr_views


@require_POST
def download(request: HttpRequest, slug: str, upstream_id: int, file_id: uuid.UUID) -> HttpResponseBase:
    """`/w/<slug>/requests/<upstream_id>/files/<file_id>/`: handed on as it comes, to be saved and never to be shown, whatever Dastra calls it."""
    found, row = dsr_views.find(request, slug=slug, upstream_id=upstream_id)
    if not found.membership.may_see_identity:
        raise PermissionDenied
    try:
        opened = files.open_file(row, file_id=str(file_id), workspace=found.workspace, by=found.user, now=found.now)
    except ReadingError as error:
        said = _("The file could not be read from Dastra: %(sentence)s")
        messages.warning(request, said % {"sentence": in_words(error.sentence)})
        return redirect(reverse("dsr.dsr", args=[slug, upstream_id]))
    except NoFileError:
        messages.warning(request, _("Dastra no longer has this file."))
        return redirect(reverse("dsr.dsr", args=[slug, upstream_id]))
    except GoneError:
        messages.warning(request, _("Dastra no longer has this request."))
        return redirect(reverse("register.register", args=[slug]))
    response = StreamingHttpResponse(opened, content_type="application/octet-stream")
    response["Content-Disposition"] = content_disposition_header(as_attachment=True, filename=opened.name)
    response["X-Content-Type-Options"] = "nosniff"
    response["Cache-Control"] = "no-store"
    if opened.length is not None:
        response["Content-Length"] = str(opened.length)
    return response
