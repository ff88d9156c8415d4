"""The calendar feeds: one secret address a person, under which a calendar program reads when their requests are due."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from dsrportal.models.people import User


class FeedScope(models.TextChoices):
    """Whose requests a feed holds."""

    ALL = "all", _("All open requests that I may see")
    MINE = "mine", _("Those assigned to me in Dastra")


class CalendarFeed(models.Model):
    """The feed of one person. No row, no address.

    The token of the address is kept as a SHA-256 alone. A calendar program has no language of its own to tell: `language` is the one in which
    the address was made.
    """

    user = models.OneToOneField(User, on_delete=models.CASCADE, related_name="calendar_feed")
    token_digest = models.CharField(max_length=64, unique=True)
    scope = models.CharField(_("requests"), max_length=4, choices=FeedScope, default=FeedScope.ALL)
    language = models.CharField(max_length=10)
    made_at = models.DateTimeField()
