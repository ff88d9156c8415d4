"""A file of a request, carried from Dastra to the person who asked for it: never stored, each one audited. Called by `views.files`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from datetime import datetime

from django.utils.translation import gettext as _

from dsrportal.actions.conversation import safe_name
from dsrportal.actions.reading import GoneError, ReadingError
from dsrportal.dastra.client import DastraClient
from dsrportal.dastra.errors import DastraError, NotFound, NotTheApi
from dsrportal.dastra.files import Download
from dsrportal.mirror import connections, refresh
from dsrportal.models import AuditEvent, DataSubjectRequest, User, Workspace
from dsrportal.models.audit import Operation

WEB_PAGES = frozenset({"text/html", "application/xhtml+xml"})
WEB_NAMES = (".htm", ".html", ".xhtml", ".eml", ".md", ".txt")


class NoFileError(Exception):
    """The request has no such file, or no longer."""


class OpenedDownload:
    """A file on its way: `name` is safe to save under, `length` in bytes or None. Iterate once; `close()` drops the connection."""

    def __init__(self, download: Download, *, name: str, held: ExitStack) -> None:
        self._download, self._held = download, held
        self.name = name
        self.length = download.length

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._download)

    def close(self) -> None:
        """Drop the connection to Dastra."""
        self._download.close()
        self._held.close()


def open_file(
    dsr: DataSubjectRequest, *, file_id: str, workspace: Workspace, by: User, now: datetime
) -> OpenedDownload:
    """Begin to read a file that Dastra lists for this request, and for no other. Raises `ReadingError`, `GoneError` or `NoFileError`.

    Sources: GET …/DataSubjectRequests/{id}, …/DataSubjectMessages, then the file's own address.
    """
    if not workspace.is_enabled:
        raise ReadingError(_("This workspace is disabled, so Dastra is not read."))
    outcome = "failed"
    try:
        with ExitStack() as stack:
            client = stack.enter_context(connections.connect(workspace, interactive=True))
            found = _find(dsr, file_id=file_id, workspace=workspace, client=client, now=now)
            opened = OpenedDownload(found[0], name=found[1], held=stack.pop_all())
        outcome = "done"
    except DastraError as error:
        raise ReadingError(error.sentence) from error
    except (GoneError, NoFileError):
        outcome = "gone"
        raise
    finally:
        AuditEvent.objects.create(
            at=now,
            by=by,
            workspace=workspace,
            operation=Operation.DOWNLOAD,
            upstream_id=dsr.upstream_id,
            reference=dsr.reference,
            outcome=outcome,
            details={"file": file_id},
        )
    return opened


def _find(
    dsr: DataSubjectRequest, *, file_id: str, workspace: Workspace, client: DastraClient, now: datetime
) -> tuple[Download, str]:
    """The file and its name, if it is one of the request's own: Dastra's address of a message's file names no request."""
    read = refresh.refresh_request(workspace, upstream_id=dsr.upstream_id, client=client, now=now)
    if read is None:
        raise GoneError
    letters = client.correspondence
    attachment = next((one for one in read.attachments if one.upstream_id == file_id), None)
    is_of_message = attachment is None
    if attachment is None:
        messages = letters.list_messages(dsr.upstream_id).items
        attachment = next(
            (one for message in messages for one in message.attachments if one.upstream_id == file_id), None
        )
    if attachment is None or attachment.is_removed:
        raise NoFileError
    name = safe_name(attachment.name)
    open_it = letters.download_of_message if is_of_message else letters.download_attachment
    try:
        download = open_it(dsr.upstream_id, file_id)
    except NotFound as error:
        raise NoFileError from error
    if download.content_type in WEB_PAGES and not name.lower().endswith(WEB_NAMES):
        download.close()
        raise NotTheApi  # a login page in place of a photograph
    return download, name
