"""Saved views: a question to the register with its look, under a name, for one person or for all of a workspace."""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

from dsrportal.models.people import User
from dsrportal.models.workspaces import Workspace


class ViewShape(models.TextChoices):
    """What a view opens."""

    TABLE = "table", _("List")
    BOARD = "board", _("Board")


class SavedView(models.Model):
    """One view. `query` is the register's own query string with filters, columns, order, grouping and density: never a search, which could
    name a person, and no place in the list. A shared one is seen by all members and changed by its owner and admins.
    """

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="saved_views")
    owner = models.ForeignKey(User, on_delete=models.CASCADE, related_name="saved_views")
    name = models.CharField(_("name"), max_length=40)
    is_shared = models.BooleanField(default=False)
    shape = models.CharField(max_length=5, choices=ViewShape, default=ViewShape.TABLE)
    query = models.CharField(max_length=4000, blank=True)
    changed_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint("workspace", "owner", Lower("name"), name="one_view_per_name_and_owner")]
        ordering = ["name", "pk"]
