"""Who was told of which legal date, when and why: the ledger of alerts, the notices of the bell, and the mails that wait or went. Written by
`dsrportal.alerts` alone. Nothing of a data subject is in any of them: a reference, a clock, a day."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from dsrportal.models.people import User
from dsrportal.models.requests import DataSubjectRequest, Operator
from dsrportal.models.thresholds import Threshold
from dsrportal.models.workspaces import Workspace


class AlertClock(models.TextChoices):
    """Which of the legal dates an alert is about."""

    RESPOND = "respond", _("Respond by")
    EXTEND = "extend", _("Extend by")


class AlertState(models.TextChoices):
    """`waiting` for a mail; `sent` in one; `portal`: told by the bell alone, since no mail reaches the person, or no digest; `away`: likewise, since
    somebody else is told meanwhile; `muted`: likewise, since the person wants no mail of it; `dry`: nobody was told, since the workspace only tries
    its rules; `cancelled` before a mail went. What is away, muted or dry waits for a mail once that is over, if it still holds."""

    WAITING = "waiting", _("Waiting")
    SENT = "sent", _("Sent")
    PORTAL = "portal", _("In the portal only")
    AWAY = "away", _("Away")
    MUTED = "muted", _("Muted")
    DRY = "dry", _("Dry run")
    CANCELLED = "cancelled", _("Cancelled")


class Because(models.TextChoices):
    """Why this person was told."""

    ASSIGNEE = "assignee", _("Has the request")
    UNASSIGNED = "unassigned", _("Nobody has it")
    UNMATCHED = "unmatched", _("Whoever has it has no account here")
    ESCALATION = "escalation", _("Answers for the deadlines")
    MANAGER = "manager", _("Hears of every deadline as a manager")
    NAMED = "named", _("Named in the rules")
    DEPUTY = "deputy", _("Stands in")
    AWAY = "away", _("Whoever has it is away")


class CancelledBecause(models.TextChoices):
    """Why an alert was not sent."""

    CLOSED = "closed", _("The request is closed")
    GONE = "gone", _("Dastra no longer has the request")
    ARCHIVED = "archived", _("The request is archived")
    MOVED = "moved", _("The date is another one now")
    LATER = "later", _("A later alert took its place")
    NOT_THEIRS = "not_theirs", _("Somebody else has it now")
    RULES = "rules", _("The rules no longer ask for it")


class MailKind(models.TextChoices):
    """One alert at once; the digest of a day; or many alerts that came at once, in one mail."""

    ALERT = "alert", _("At once")
    DIGEST = "digest", _("Daily digest")
    SUMMARY = "summary", _("Many at once")


class MailState(models.TextChoices):
    """Where a mail stands. `failed`: the server will never take it."""

    WAITING = "waiting", _("Waiting")
    SENT = "sent", _("Sent")
    CANCELLED = "cancelled", _("Cancelled")
    FAILED = "failed", _("Refused by the mail server")


class Mail(models.Model):
    """One message to one person. `key` says what it is about, so that it is made once; `message_id` is the same however often it is tried.

    A sender takes the lease (`lease_token`, until `lease_until` by the real clock) before it sends; `attempts` counts those. `on` is the reader's
    day. After a failure nothing is tried before `not_before`.
    """

    person = models.ForeignKey(User, on_delete=models.CASCADE, related_name="mails")
    kind = models.CharField(max_length=7, choices=MailKind)
    key = models.CharField(max_length=80, unique=True)
    on = models.DateField()
    message_id = models.CharField(max_length=300, unique=True)
    state = models.CharField(max_length=9, choices=MailState, default=MailState.WAITING)
    created_at = models.DateTimeField()
    not_before = models.DateTimeField()
    lease_token = models.CharField(max_length=32, blank=True)
    lease_until = models.DateTimeField(null=True)
    attempts = models.IntegerField(default=0)
    last_error = models.CharField(max_length=200, blank=True)
    settled_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["state", "not_before"], name="mail_due"),
            models.Index(fields=["person", "kind", "created_at"], name="mail_of_person"),
        ]


class Alert(models.Model):
    """One person, one legal date of one request, one threshold (a `Threshold`): never a second row for the same. `due_on` is the legal date,
    `fires_on` the day on which the threshold was reached. `raising` is the run that made it. `unchecked_since`: Dastra could not be asked when it
    was sent. `stands_in_for` is away, and this person is told in their place."""

    KEY: ClassVar[tuple[str, ...]] = ("workspace", "upstream_id", "clock", "threshold", "due_on", "person")

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="alerts")
    dsr = models.ForeignKey(DataSubjectRequest, on_delete=models.SET_NULL, null=True, related_name="alerts")
    upstream_id = models.BigIntegerField()
    reference = models.CharField(max_length=40, blank=True)
    clock = models.CharField(max_length=7, choices=AlertClock)
    threshold = models.CharField(max_length=11)
    due_on = models.DateField()
    fires_on = models.DateField()
    person = models.ForeignKey(User, on_delete=models.CASCADE, related_name="alerts")
    because = models.CharField(max_length=10, choices=Because)
    stands_in_for = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    state = models.CharField(max_length=9, choices=AlertState, default=AlertState.WAITING)
    raised_at = models.DateTimeField()
    raising = models.UUIDField()
    mail = models.ForeignKey(Mail, on_delete=models.SET_NULL, null=True, related_name="alerts")
    sent_at = models.DateTimeField(null=True)
    was_unchecked = models.BooleanField(default=False)
    unchecked_since = models.DateTimeField(null=True)
    cancelled_at = models.DateTimeField(null=True)
    cancelled_because = models.CharField(max_length=10, choices=CancelledBecause, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["workspace", "upstream_id", "clock", "threshold", "due_on", "person"],
                name="one_alert_per_person_and_threshold",
            )
        ]
        indexes = [
            models.Index(fields=["workspace", "-raised_at"], name="alert_latest"),
            models.Index(fields=["person", "-raised_at"], name="alert_of_person"),
            models.Index(fields=["state", "workspace"], name="alert_waiting", condition=models.Q(state="waiting")),
            models.Index(fields=["raising"], name="alert_raising"),
        ]

    @property
    def is_immediate(self) -> bool:
        """Whether it interrupts."""
        return Threshold(self.threshold).is_immediate


class NoticeKind(models.TextChoices):
    """What a notice is about. `many`: deadlines that came at once and would have filled the bell; they are its parts."""

    ALERT = "alert", _("Deadline")
    MANY = "many", _("Many deadlines at once")
    STALE = "stale", _("Old data")
    PARKED = "parked", _("Stopped job")


class Notice(models.Model):
    """Something behind the bell of one person, made once for each `key` (`dsrportal.alerts.notes`); of an alert in the transaction of that alert.

    `facts` are ids, codes, counts and instants in ISO 8601: the words are made for whoever reads (`queries.notice_words`). What is `ended_at` is over
    and needs no reading. A notice that is part of another is not shown by itself. Without a `workspace` it concerns the whole portal.
    """

    person = models.ForeignKey(User, on_delete=models.CASCADE, related_name="notices")
    kind = models.CharField(max_length=7, choices=NoticeKind, default=NoticeKind.ALERT)
    key = models.CharField(max_length=120)
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, null=True, related_name="notices")
    alert = models.OneToOneField(Alert, on_delete=models.CASCADE, null=True, related_name="notice")
    part_of = models.ForeignKey("self", on_delete=models.SET_NULL, null=True, related_name="parts")
    facts = models.JSONField(default=dict)
    created_at = models.DateTimeField()
    read_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["person", "key"], name="one_notice_per_person_and_key")]
        indexes = [
            models.Index(fields=["person", "-created_at"], name="notice_of_person"),
            models.Index(
                fields=["person"],
                name="notice_unread",
                condition=models.Q(read_at__isnull=True, ended_at__isnull=True, part_of__isnull=True),
            ),
            models.Index(
                fields=["key"], name="notice_open", condition=models.Q(alert__isnull=True, ended_at__isnull=True)
            ),
        ]


class AssigneeAccount(models.Model):
    """An admin's word on whose account a Dastra user has, where the e-mail addresses do not tell."""

    operator = models.OneToOneField(Operator, on_delete=models.CASCADE, related_name="account")
    person = models.ForeignKey(User, on_delete=models.CASCADE, related_name="operators")
