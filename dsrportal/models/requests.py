"""The mirror's rows: what the portal keeps of a workspace's data subject requests and of what they refer to.

Only `dsrportal.mirror` writes them. Identity (title, names, e-mail) is kept encrypted, and findable by keyed hashes of whole words;
message, description, address, phone, attachments and free additional data are not kept at all.
"""

from __future__ import annotations

from datetime import date
from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from dsrportal import credentials
from dsrportal.models.workspaces import Workspace


class WorkflowStep(models.Model):
    """A step of the workspace's workflow (`workFlowStep`). `live_count` and `archived_count` count its requests, in the same transaction as the rows.

    `is_learned`: known from requests alone. `is_gone`: Dastra no longer lists it; it stays as a column while requests are in it.
    `notice_html` is Dastra's notice for who works in the step (`descriptionHtml`), as it came: `queries.notice_html` makes it safe to show.
    """

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="steps")
    upstream_id = models.BigIntegerField()
    label = models.CharField(max_length=120)
    color = models.CharField(max_length=7, blank=True)
    position = models.IntegerField(default=0)
    item_limit = models.IntegerField(null=True)
    mapped_state = models.CharField(max_length=50, blank=True)
    notice_html = models.TextField(blank=True)
    is_initial = models.BooleanField(default=False)
    is_final = models.BooleanField(default=False)
    is_learned = models.BooleanField(default=False)
    is_gone = models.BooleanField(default=False)
    live_count = models.IntegerField(default=0)
    archived_count = models.IntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["workspace", "upstream_id"], name="one_step_per_upstream_id")]
        ordering = ["position", "upstream_id"]

    def __str__(self) -> str:
        return self.label


class Tag(models.Model):
    """A tag of the workspace (`TagDto`)."""

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="tags")
    upstream_id = models.BigIntegerField()
    label = models.CharField(max_length=360)
    color = models.CharField(max_length=7, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["workspace", "upstream_id"], name="one_tag_per_upstream_id")]
        ordering = ["label"]


class Operator(models.Model):
    """A Dastra user who may be the assignee (`operator`) of a request."""

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="operators")
    upstream_id = models.BigIntegerField()
    display_name = models.CharField(max_length=250)
    email = models.CharField(max_length=255, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["workspace", "upstream_id"], name="one_operator_per_upstream_id")
        ]
        ordering = ["display_name"]


class Area(models.Model):
    """An organisational unit (`AreaDto`)."""

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="areas")
    upstream_id = models.BigIntegerField()
    label = models.CharField(max_length=80)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["workspace", "upstream_id"], name="one_area_per_upstream_id")]
        ordering = ["label"]


class ExtensionState(models.TextChoices):
    """Whether an extension counts (GDPR Art. 12(3)); empty: none is recorded."""

    VALID = "valid", _("Extended")
    INVALID = "invalid", _("Extension without effect: the person was told too late")


class DataSubjectRequest(models.Model):
    """A request of a data subject, as Dastra last told it (`DataSubjectRequest`).

    Written by `dsrportal.mirror.store` alone. `purposes` and `tag_ids` are texts such as `|Access|Erasure|` and `|3|17|`, so that
    one row shows everything on the board without a join. `clock_at` is `expires_at`, or the far future where there is none, so that
    sorting by Dastra's date needs no special case; `is_closed` is made by the database from the state, so that open ones sort first
    by index. `sequence` is the number of the read it came from; `digest` tells an unchanged row.

    The legal dates (`LEGAL_FIELDS`) are days in the workspace's time zone, computed by `mirror.legal` from the row, the ledger and the
    workspace's rules. What time changes is derived from them and never stored; so `respond_by` is empty while a pause is open, since it moves
    every day: `without_pauses` and `paused_working_left`, the working days that were left when it began, stand still. `refuse_by` is
    `extend_by`. `clock_on` and `clock_rank` are the order by the legal clock: what needs data, what runs, what is paused, what is closed.
    `target_on` is the team's own target, no legal date, and empty while a pause moves it.
    `closed_on` is the day of the closing, `late_days` the verdict on it (negative: early). `restated_at` and `restated_from` tell that a change of
    the rules moved it.
    """

    FAR_FUTURE: ClassVar[str] = "9999-01-01T00:00:00+00:00"
    NO_DAY: ClassVar[date] = date(1900, 1, 1)
    NEEDS_DATA, RUNNING, PAUSED, CLOSED = range(4)
    LEGAL_FIELDS: ClassVar[tuple[str, ...]] = (
        "received_on", "is_receipt_from_creation", "respond_by", "extend_by", "without_pauses", "paused_since", "paused_working_left",
        "extension_state", "refused_on", "is_refusal_late", "target_on", "upstream_due_on", "closed_on", "late_days", "clock_on", "rules_number",
    )  # fmt: skip

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="dsrs")
    upstream_id = models.BigIntegerField()
    reference = models.CharField(_("reference"), max_length=40, blank=True)
    state = models.CharField(_("state"), max_length=40, blank=True)
    step = models.ForeignKey(
        WorkflowStep,
        on_delete=models.SET_NULL,
        null=True,
        related_name="dsrs",
        verbose_name=_("step"),
        db_index=False,  # dsr_board begins with it; a second index would be chosen and sort in memory
    )
    archived = models.BooleanField(default=False)
    archived_at = models.DateTimeField(null=True)
    complex = models.BooleanField(default=False)
    operator = models.ForeignKey(
        Operator, on_delete=models.SET_NULL, null=True, related_name="dsrs", verbose_name=_("assignee")
    )
    area = models.ForeignKey(Area, on_delete=models.SET_NULL, null=True, related_name="dsrs", verbose_name=_("area"))
    purposes = models.TextField(_("rights"), blank=True)
    tag_ids = models.TextField(blank=True)
    channel = models.CharField(_("channel"), max_length=40, blank=True)
    locale = models.CharField(max_length=10, blank=True)
    widget_id = models.BigIntegerField(null=True)
    received_at = models.DateTimeField(_("received"), null=True)
    created_at = models.DateTimeField(_("created"), null=True)
    updated_at = models.DateTimeField(_("updated"), null=True)
    is_closed = models.GeneratedField(
        expression=models.Case(
            models.When(state="Closed", then=models.Value(True)),  # noqa: FBT003  a value of SQL
            default=models.Value(False),  # noqa: FBT003
        ),
        output_field=models.BooleanField(),
        db_persist=True,
    )
    expires_at = models.DateTimeField(_("Dastra's date"), null=True)
    clock_at = models.DateTimeField()
    closed_at = models.DateTimeField(_("closed"), null=True)
    closed_reason = models.CharField(max_length=40, blank=True)
    mail_validated = models.BooleanField(default=False)
    identity_validated_at = models.DateTimeField(null=True)
    message_count = models.IntegerField(default=0)
    unread_message_count = models.IntegerField(default=0)
    last_message_at = models.DateTimeField(null=True)
    identity_sealed = models.BinaryField(null=True)
    identity_forgotten_at = models.DateTimeField(null=True)
    step_entered_at = models.DateTimeField(null=True)
    received_on = models.DateField(null=True)
    is_receipt_from_creation = models.BooleanField(default=False)
    respond_by = models.DateField(_("respond by"), null=True)
    extend_by = models.DateField(_("extend by"), null=True)
    without_pauses = models.DateField(null=True)
    paused_since = models.DateField(null=True)
    paused_working_left = models.SmallIntegerField(null=True)
    extension_state = models.CharField(max_length=7, choices=ExtensionState, blank=True)
    refused_on = models.DateField(null=True)
    is_refusal_late = models.BooleanField(default=False)
    target_on = models.DateField(_("own target"), null=True)
    upstream_due_on = models.DateField(null=True)
    closed_on = models.DateField(null=True)
    late_days = models.IntegerField(null=True)
    clock_on = models.DateField(default=NO_DAY)
    clock_rank = models.GeneratedField(
        expression=models.Case(
            models.When(state="Closed", then=models.Value(CLOSED)),
            models.When(paused_since__isnull=False, then=models.Value(PAUSED)),
            models.When(respond_by__isnull=True, then=models.Value(NEEDS_DATA)),
            default=models.Value(RUNNING),
        ),
        output_field=models.SmallIntegerField(),
        db_persist=True,
    )
    rules_number = models.IntegerField(default=0)
    restated_at = models.DateTimeField(null=True)
    restated_from = models.DateField(null=True)
    has_unexplained_change = models.BooleanField(default=False)
    mirrored_at = models.DateTimeField()
    sequence = models.BigIntegerField()
    digest = models.BinaryField(max_length=16)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["workspace", "upstream_id"], name="one_request_per_upstream_id")]
        indexes = [
            models.Index(fields=["step", "archived", "clock_rank", "clock_on", "id"], name="dsr_board"),
            models.Index(fields=["step", "archived", "closed_at", "id"], name="dsr_closings"),
            models.Index(fields=["workspace", "archived", "state", "clock_rank", "clock_on", "id"], name="dsr_state"),
            models.Index(fields=["workspace", "archived", "clock_rank", "clock_on", "id"], name="dsr_legal"),
            models.Index(fields=["workspace", "archived", "is_closed", "clock_at", "id"], name="dsr_clock"),
            models.Index(fields=["workspace", "archived", "received_at", "id"], name="dsr_received"),
            models.Index(fields=["workspace", "archived", "updated_at", "id"], name="dsr_updated"),
            models.Index(fields=["workspace", "reference"], name="dsr_reference"),
            models.Index(fields=["workspace", "received_on"], name="dsr_received_on"),
            models.Index(fields=["workspace", "closed_on"], name="dsr_closed_on"),
            models.Index(fields=["workspace", "operator", "clock_rank", "clock_on"], name="dsr_operator"),
            models.Index(
                fields=["workspace", "clock_on"],
                condition=models.Q(has_unexplained_change=True),
                name="dsr_unexplained",
            ),
        ]

    def identity_context(self) -> str:
        """What the sealed identity is bound to: a copy in another row does not open."""
        return identity_context(workspace_id=self.workspace_id, upstream_id=self.upstream_id)

    def read_identity(self) -> dict[str, str]:
        """`title`, `given_name`, `family_name`, `email` in clear; empty where nothing is kept. Raises `credentials.CannotDecryptError`."""
        if self.identity_sealed is None:
            return {}
        return credentials.unseal_fields(self.identity_sealed, context=self.identity_context())

    def purpose_list(self) -> list[str]:
        """The rights that the person invokes, in Dastra's order."""
        return [part for part in self.purposes.split("|") if part]

    def tag_id_list(self) -> list[int]:
        """The upstream ids of the tags, in Dastra's order."""
        return [int(part) for part in self.tag_ids.split("|") if part]


def identity_context(*, workspace_id: int, upstream_id: int) -> str:
    """The context under which a request's identity is sealed."""
    return f"identity {workspace_id} {upstream_id}"


class IdentityWord(models.Model):
    """A keyed hash of one whole word of a request's title or names, or of its e-mail address."""

    dsr = models.ForeignKey(DataSubjectRequest, on_delete=models.CASCADE, related_name="words")
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE)
    digest = models.BinaryField(max_length=16)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["workspace", "digest", "dsr"], name="one_word_per_request")]


class ForgottenRequest(models.Model):
    """A request that Dastra no longer has: an older page that arrives late must not bring it back."""

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE)
    upstream_id = models.BigIntegerField()
    sequence = models.BigIntegerField()
    forgotten_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["workspace", "upstream_id"], name="one_tombstone_per_request")]


class SetAsideRow(models.Model):
    """A row of Dastra's answer that could not be understood: its id where it has one, and the reason; never its content."""

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="set_aside_rows")
    upstream_id = models.BigIntegerField(null=True)
    reason = models.CharField(max_length=200)
    first_seen_at = models.DateTimeField()
    last_seen_at = models.DateTimeField()

    class Meta:
        ordering = ["upstream_id", "reason"]


class DriftNote(models.Model):
    """A field that Dastra sends otherwise than documented: which and how, never its value. `count` counts the answers it was seen in."""

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="drift_notes")
    note = models.CharField(max_length=120)
    count = models.BigIntegerField()
    first_seen_at = models.DateTimeField()
    last_seen_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["workspace", "note"], name="one_row_per_drift_note")]
        ordering = ["note"]
