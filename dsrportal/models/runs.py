"""What the background jobs did, are doing, and when they last succeeded."""

from __future__ import annotations

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from dsrportal.models.workspaces import Workspace


class Lane(models.TextChoices):
    """The three pulls from Dastra."""

    ACTIVE = "active", _("Open requests")
    FULL = "full", _("All requests")
    OVERTAKING = "overtaking", _("Overdue in Dastra")


class SyncLane(models.Model):
    """One pull of one workspace: when it was last tried, when it last succeeded, and what went wrong since.

    `requested_at` is set by "run now" and cleared when a run starts, so that repeated clicks do nothing.
    """

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="lanes")
    lane = models.CharField(max_length=12, choices=Lane)
    last_attempt_at = models.DateTimeField(null=True)
    last_success_at = models.DateTimeField(null=True)
    last_error_code = models.CharField(max_length=40, blank=True)
    last_error = models.CharField(max_length=400, blank=True)
    requested_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["workspace", "lane"], name="one_row_per_lane")]


class SyncOutcome(models.TextChoices):
    """How a pull ended."""

    RUNNING = "running", _("Running")
    COMPLETE = "complete", _("Complete")
    HELD = "held", _("On hold")
    FAILED = "failed", _("Failed")


class SyncRun(models.Model):
    """One pull, with its counts. `seen`, `stored`, `unchanged`, `gone` count requests; `calls` counts HTTP calls."""

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="runs")
    lane = models.CharField(max_length=12, choices=Lane)
    outcome = models.CharField(max_length=8, choices=SyncOutcome, default=SyncOutcome.RUNNING)
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)
    calls = models.IntegerField(default=0)
    seen = models.IntegerField(default=0)
    stored = models.IntegerField(default=0)
    unchanged = models.IntegerField(default=0)
    gone = models.IntegerField(default=0)
    set_aside = models.IntegerField(default=0)
    error_code = models.CharField(max_length=40, blank=True)
    error = models.CharField(max_length=400, blank=True)

    class Meta:
        indexes = [models.Index(fields=["workspace", "lane", "-started_at"], name="run_latest")]
        ordering = ["-started_at"]


class JobHeartbeat(models.Model):
    """A sign of life. One row per name: `cluster` is stamped by a job that went the whole way through the queue and a worker,
    each other name by the job of that name when it ends well. `beat_at` is None for a job that has not ended well since it was declared at `since`."""

    name = models.CharField(max_length=60, unique=True)
    beat_at = models.DateTimeField(null=True)
    since = models.DateTimeField(default=timezone.now)


class JobAttempt(models.Model):
    """A job that began, written before its work and deleted at its end, because a worker that is killed cannot count its own attempt: what is
    left here is running or died. `subject` are the ids it works for (`12`, `12 full`), empty for a job of the timetable."""

    job = models.CharField(max_length=60)
    subject = models.CharField(max_length=80, blank=True)
    started_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["job", "subject", "started_at"], name="attempt_latest")]
