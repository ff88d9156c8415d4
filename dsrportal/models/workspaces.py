"""A Dastra workspace that the portal mirrors, and how to reach it."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from dsrportal import credentials


class AuthMode(models.TextChoices):
    """The two ways into Dastra's API."""

    KEY = "key", _("API key")
    OAUTH = "oauth", _("Public and private key (OAuth2)")


class Hold(models.TextChoices):
    """Why a workspace's pulls stopped short and wait for somebody."""

    MISSING = "missing", _("More than a fifth of the requests were missing")
    REFUSED = "refused", _("Dastra refuses the key")
    NOT_THE_API = "not_the_api", _("The address does not answer as Dastra's API")


class ClockProfile(models.TextChoices):
    """The law that a workspace's legal clocks follow. The values are those of `dsrportal.clocks`."""

    GDPR = "gdpr", _("GDPR: one month from receipt")
    UK = "uk", _("UK GDPR: one month, with the holidays of the United Kingdom")
    CCPA = "ccpa", _("CCPA: 45 days from receipt")
    UPSTREAM = "upstream", _("The date that Dastra sets")


class PauseRule(models.TextChoices):
    """What an answer to a question does to the clock. The values are those of `dsrportal.clocks`."""

    SUSPEND = "suspend", _("The time that was left goes on")
    RESTART = "restart", _("A new month begins")


class Workspace(models.Model):
    """One Dastra workspace (`/v1/ws/{upstream_id}`): address, sealed secret, calendar, and the hold it may be under.

    `read_sequence` numbers the reads from Dastra: a row is only overwritten by a read with a higher number than its own.
    `change_number` grows in the transaction of every change that a page of the workspace shows (`note_change`).
    `target_days` is the team's own target, in calendar days from receipt; None: it has none.
    `rules_number` grows with whatever legal dates depend on (law, country, region, zone, added holidays, the target): rows that were computed by an
    older number are computed anew.
    The lease lets one pull run at a time over all processes; `lease_number` grows with every lease taken, and a pull whose number is
    no longer the current one may not commit.
    """

    slug = models.SlugField(_("short name"), max_length=60, unique=True)
    name = models.CharField(_("name"), max_length=120, unique=True)
    upstream_id = models.BigIntegerField(_("workspace id in Dastra"))
    base_url = models.CharField(_("address of the API"), max_length=300)
    auth_mode = models.CharField(_("way in"), max_length=8, choices=AuthMode, default=AuthMode.KEY)
    token_url = models.CharField(_("address that issues tokens"), max_length=300, blank=True)
    public_key = models.CharField(_("public key"), max_length=300, blank=True)
    secret_sealed = models.BinaryField()
    secret_last_four = models.CharField(max_length=4)
    secret_changed_at = models.DateTimeField()
    search_key_sealed = models.BinaryField()
    country = models.CharField(_("country"), max_length=2, default="FR")
    region = models.CharField(_("region"), max_length=10, blank=True)
    time_zone = models.CharField(_("time zone"), max_length=60, default="Europe/Paris")
    profile = models.CharField(_("law"), max_length=8, choices=ClockProfile, default=ClockProfile.GDPR)
    pause_policy = models.CharField(_("after a pause"), max_length=7, choices=PauseRule, default=PauseRule.SUSPEND)
    target_days = models.PositiveSmallIntegerField(_("own target"), null=True, blank=True)
    rules_number = models.IntegerField(default=1)
    rules_changed_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField()
    disabled_at = models.DateTimeField(null=True, blank=True)
    hold = models.CharField(max_length=16, choices=Hold, blank=True)
    hold_sentence = models.CharField(max_length=400, blank=True)
    held_at = models.DateTimeField(null=True, blank=True)
    read_sequence = models.BigIntegerField(default=0)
    change_number = models.BigIntegerField(default=0)
    lease_owner = models.CharField(max_length=64, blank=True)
    lease_until = models.DateTimeField(null=True)
    lease_number = models.BigIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["base_url", "upstream_id"], name="one_workspace_per_upstream_id")
        ]
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    @classmethod
    def note_change(cls, workspace_id: int) -> None:
        """Raise the number that pages ask for. Call it in the transaction that changes the rows, before it locks any of them: who sees the new
        number then sees the new rows too, and nobody waits for another in a circle."""
        cls.objects.filter(pk=workspace_id).update(change_number=models.F("change_number") + 1)

    @property
    def is_enabled(self) -> bool:
        """Whether jobs read it and people may act in it."""
        return self.disabled_at is None

    def set_secret(self, secret: str) -> None:
        """Seal the private key or API key; keeps the last four characters in clear, so that people can tell keys apart."""
        self.secret_sealed = credentials.seal(secret, context=self._context("secret"))
        self.secret_last_four = secret[-4:]

    def read_secret(self) -> str:
        """The secret in clear, for the connection alone. Raises `credentials.CannotDecryptError`."""
        return credentials.unseal(self.secret_sealed, context=self._context("secret"))

    def set_search_key(self, search_key: str) -> None:
        """Seal the key of this workspace's word digests."""
        self.search_key_sealed = credentials.seal(search_key, context=self._context("search key"))

    def read_search_key(self) -> str:
        """The key of this workspace's word digests. Raises `credentials.CannotDecryptError`."""
        return credentials.unseal(self.search_key_sealed, context=self._context("search key"))

    def _context(self, what: str) -> str:
        # The address belongs to the context: a secret copied to a row that points elsewhere does not open.
        return f"workspace {self.base_url} {self.upstream_id} {what}"
