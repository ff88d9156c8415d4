"""People who sign in, and what each may do in which workspace."""

from __future__ import annotations

from typing import ClassVar

from django.contrib.auth.models import AbstractUser
from django.db import models
from django.utils.translation import gettext_lazy as _

from dsrportal.models.workspaces import Workspace


class User(AbstractUser):
    """A person with an account of the portal. Dastra's own users are `Operator` rows.

    `language` is the one the person reads in, for mails; empty until the person has signed in or chosen. `uses_keys`: single keys of the
    keyboard map do something; `has_compact_board`: the cards of the board are two lines high; `dismissed_hints`: the names of the hints that are not to
    come again, as `|board|dsr|`. `seen_at` is the last activity, `left_at` the last one
    before this sitting (`views.sitting`).
    """

    language = models.CharField(max_length=8, blank=True)
    seen_at = models.DateTimeField(null=True)
    left_at = models.DateTimeField(null=True)
    uses_keys = models.BooleanField(default=True)
    has_compact_board = models.BooleanField(default=False)
    dismissed_hints = models.CharField(max_length=100, blank=True)

    def display_name(self) -> str:
        """The person's full name, else the user name."""
        return self.get_full_name() or self.username


class Role(models.TextChoices):
    """What a person is in one workspace."""

    VIEWER = "viewer", _("Viewer")
    OFFICER = "officer", _("Officer")
    MANAGER = "manager", _("Manager")
    AUDITOR = "auditor", _("Auditor")
    ADMIN = "admin", _("Admin")


class Membership(models.Model):
    """A person's role in a workspace. Who has no row sees nothing of the workspace, not even that it exists.

    `folded_columns` are the keys of the board's columns that the person has folded, as `|3|none|`. `register_columns` are the columns of the
    register in the person's own order, empty for those that everybody begins with; `default_view` is the saved view that it begins with.
    """

    ACTING_ROLES: ClassVar[frozenset[str]] = frozenset({Role.OFFICER, Role.MANAGER, Role.ADMIN})
    DELETING_ROLES: ClassVar[frozenset[str]] = frozenset({Role.MANAGER, Role.ADMIN})
    MANAGING_ROLES: ClassVar[frozenset[str]] = frozenset({Role.MANAGER, Role.ADMIN})
    IDENTITY_ROLES: ClassVar[frozenset[str]] = frozenset({Role.OFFICER, Role.ADMIN})

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="memberships")
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(_("role"), max_length=8, choices=Role)
    folded_columns = models.CharField(max_length=1000, blank=True)
    register_columns = models.CharField(max_length=400, blank=True)
    has_compact_register = models.BooleanField(default=False)
    default_view = models.ForeignKey("dsrportal.SavedView", on_delete=models.SET_NULL, null=True, related_name="+")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "workspace"], name="one_role_per_person_and_workspace")]

    @property
    def may_act(self) -> bool:
        """Whether the person may move, archive and restore requests."""
        return self.role in self.ACTING_ROLES

    @property
    def may_create(self) -> bool:
        """Whether the person may enter a new request, which takes writing down whose it is."""
        return self.may_act and self.may_see_identity

    @property
    def may_delete(self) -> bool:
        """Whether the person may delete a request for good."""
        return self.role in self.DELETING_ROLES

    @property
    def may_manage(self) -> bool:
        """Whether the person answers for the deadlines of all, and so sees the overview."""
        return self.role in self.MANAGING_ROLES

    @property
    def may_see_identity(self) -> bool:
        """Whether names, e-mail, title and texts of data subjects are shown unmasked."""
        return self.role in self.IDENTITY_ROLES

    @property
    def may_audit(self) -> bool:
        """Whether the person may read who did what."""
        return self.role in {Role.ADMIN, Role.AUDITOR}

    @property
    def may_administer(self) -> bool:
        """Whether the person may change the workspace's address, key and people, and run its jobs."""
        return self.role == Role.ADMIN
