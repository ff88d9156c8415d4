"""The kinds of wishes in words: while another person's waits, when it is done, and in the story of a request. Called by pages; no query."""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from dsrportal.models.outbox import WishKind

_DOING: dict[str, Promise] = {
    WishKind.MOVE: _("%(name)s is moving this"),
    WishKind.ARCHIVE: _("%(name)s is archiving this"),
    WishKind.RESTORE: _("%(name)s is restoring this"),
    WishKind.ASSIGN: _("%(name)s is assigning this"),
    WishKind.TAG: _("%(name)s is changing the tags"),
    WishKind.EXTEND: _("%(name)s is extending this"),
    WishKind.EDIT: _("%(name)s is editing this"),
    WishKind.CLOSE: _("%(name)s is closing this"),
    WishKind.CREATE: _("%(name)s is entering a new request"),
    WishKind.DELETE: _("%(name)s is deleting this for good"),
    WishKind.MESSAGE: _("%(name)s is writing to the person"),
}
_DONE: dict[str, Promise] = {
    WishKind.MOVE: _("Moved in Dastra."),
    WishKind.ARCHIVE: _("Archived in Dastra."),
    WishKind.RESTORE: _("Restored in Dastra."),
    WishKind.ASSIGN: _("Assigned in Dastra."),
    WishKind.TAG: _("Tags changed in Dastra."),
    WishKind.EXTEND: _("Extended in Dastra."),
    WishKind.EDIT: _("Edited in Dastra."),
    WishKind.CLOSE: _("Closed in Dastra."),
    WishKind.CREATE: _("The new request is in Dastra."),
    WishKind.DELETE: _("Deleted in Dastra."),
    WishKind.MESSAGE: _("The message is in Dastra."),
}
_STORY: dict[str, tuple[Promise, Promise, str]] = {
    WishKind.MOVE: (_("Moved to %(step)s"), _("Not moved to %(step)s"), "arrow-right"),
    WishKind.ARCHIVE: (_("Archived from here"), _("Not archived"), "archive"),
    WishKind.RESTORE: (_("Restored"), _("Not restored"), "archive-restore"),
    WishKind.ASSIGN: (_("Assigned from here"), _("Not assigned"), "user"),
    WishKind.TAG: (_("Tags changed from here"), _("Tags not changed"), "tag"),
    WishKind.EXTEND: (_("Extended from here"), _("Not extended"), "hourglass"),
    WishKind.EDIT: (_("Edited from here"), _("Not edited"), "pencil"),
    WishKind.CLOSE: (_("Closed from here"), _("Not closed"), "circle-check"),
    WishKind.CREATE: (_("Entered from here"), _("Not entered"), "plus"),
    WishKind.DELETE: (_("Deleted from here"), _("Not deleted"), "trash-2"),
    WishKind.MESSAGE: (_("Wrote to the person"), _("Message not sent"), "send"),
}


def doing(kind: str, *, name: str) -> str:
    """What stands on a card while another person's wish waits."""
    return str(_DOING[kind]) % {"name": name}


def done(kind: str) -> str:
    """What is announced when Dastra has it."""
    return str(_DONE[kind])


def story(kind: str, *, is_done: bool, step: str) -> str:
    """A line of a request's story; `step` is where a move went."""
    text = str(_STORY[kind][0 if is_done else 1])
    return text % {"step": step} if kind == WishKind.MOVE else text


def icon(kind: str) -> str:
    """The icon of a wish that is done."""
    return _STORY[kind][2]
