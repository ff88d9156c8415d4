"""The two mails about an account itself: an invitation, and the link to a new password. Called by their jobs, since a mail server may take its time and
how long an answer takes must not tell whose address is known. Plain text; nothing of a data subject is near."""

from __future__ import annotations

import logging
import smtplib
from datetime import datetime

from django.conf import settings
from django.contrib.auth.tokens import default_token_generator
from django.core.cache import cache
from django.core.mail import EmailMessage
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import translation
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode
from django.utils.translation import gettext as _

from dsrportal.actions import invitations
from dsrportal.models import Invitation, User

logger = logging.getLogger(__name__)

MARK_SECONDS = 24 * 60 * 60
"""The queue delivers nothing twice after so long."""


def send_invitation(invitation_id: int, *, now: datetime) -> str:
    """Send an open invitation that was not sent yet, in the language of who invites, and note how that ended. Returns a word for the log."""
    invitation = Invitation.objects.select_related("workspace", "invited_by").filter(pk=invitation_id).first()
    if invitation is None or invitation.sent_at is not None or not invitation.is_open(now):
        return "nothing to send"
    with translation.override(_language_of(invitation.invited_by)):
        subject = _("You are invited to %(workspace)s in DSR Portal") % {"workspace": invitation.workspace.name}
        context = {"invitation": invitation, "url": f"{settings.PORTAL_URL}{invitations.path_of(invitation)}"}
        is_sent = _send(subject, template="joining/mail_invitation.txt", context=context, to=invitation.email)
    mine = Invitation.objects.filter(pk=invitation.pk, nonce=invitation.nonce)
    mine.update(**({"sent_at": now, "failed_at": None} if is_sent else {"failed_at": now}))
    return "sent" if is_sent else "failed"


def send_reset(user_id: int, *, asked_at: datetime) -> str:
    """Send the link to a new password, good for a few hours and once, to the address of an open account: once for what was asked at one moment. Returns
    a word for the log."""
    user = User.objects.filter(pk=user_id, is_active=True).exclude(email="").first()
    mark = f"password-reset-sent:{user_id}:{asked_at.isoformat()}"
    if user is None or not cache.add(mark, 1, MARK_SECONDS):
        return "nothing to send"
    values = {"uidb64": urlsafe_base64_encode(force_bytes(user.pk)), "token": default_token_generator.make_token(user)}
    with translation.override(_language_of(user)):
        context = {"person": user, "url": f"{settings.PORTAL_URL}{reverse('joining.reset', kwargs=values)}"}
        subject = _("Your new password for DSR Portal")
        is_sent = _send(subject, template="joining/mail_reset.txt", context=context, to=user.email)
    if not is_sent:
        cache.delete(mark)
    return "sent" if is_sent else "failed"


def _send(subject: str, *, template: str, context: dict[str, object], to: str) -> bool:
    message = EmailMessage(subject=" ".join(subject.split()), body=render_to_string(template, context), to=[to])
    try:
        message.send()
    except (OSError, smtplib.SMTPException) as error:
        logger.warning("the mail server did not take a mail about an account: %s", type(error).__name__)
        return False
    return True


def _language_of(user: User) -> str:
    return user.language if user.language in dict(settings.LANGUAGES) else settings.LANGUAGE_CODE
