"""Counts that are kept with the rows they count, so that the overview of a hundred thousand requests is a handful of sums.

Written by `dsrportal.mirror.figures` alone, in the transaction of the rows; what time changes (overdue, age) is a sum over days. Nobody's data.
"""

from __future__ import annotations

from enum import StrEnum
from typing import ClassVar

from django.db import models

from dsrportal.models.workspaces import Workspace


class TallyKind(StrEnum):
    """What is counted, and what `day`, `group` and `days` of a line say; where nothing is said of one, it says nothing.

    Live is not archived. A week is named by its Monday, a month by its first day.
    """

    OPEN = "open"  # open live requests; group: step
    RUNNING = "running"  # open live requests whose clock runs; day: respond by; group: assignee
    RISK = "risk"  # the same; day: respond by; group: step
    UNDECIDED = "undecided"  # open live requests that may still be extended; day: extend by
    FIRST = "first"  # open live requests with a clock; day: extend by, the end of the first period
    PAUSED = "paused"  # open live requests that are paused
    NEEDS_DATA = "needs_data"  # open live requests whose date is not known
    AGE = "age"  # open live requests; day: received, or none
    RECEIVED = "received"  # all requests; day: week of receipt
    CLOSED = "closed"  # closed requests; day: week of closing; group: verdict
    CLOSED_FIRST = "closed_first"  # the same; group: verdict by the first period, without pauses and extensions
    TOOK_RIGHT = "took_right"  # closed requests; day: month of closing; group: right; days: from receipt
    TOOK_AREA = "took_area"  # the same; group: area
    TOOK_ASSIGNEE = "took_assignee"  # the same; group: assignee
    STEP = "step"  # times that a step was left; day: month; group: the step's upstream id; days: that it took


class Tally(models.Model):
    """One count. `key` is all that identifies the line, in one text, so that a batch finds its lines by one index. `group` is a key of the
    portal (step, assignee, area), a code, or empty for none; `days` is `NO_DAYS` where the span is not known."""

    NO_DAYS: ClassVar[int] = -1

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="tallies")
    key = models.CharField(max_length=80)
    kind = models.CharField(max_length=13)
    day = models.DateField()
    group = models.CharField(max_length=40, blank=True)
    days = models.IntegerField(default=0)
    count = models.IntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["workspace", "key"], name="one_tally_per_key")]
        indexes = [models.Index(fields=["workspace", "kind", "day"], name="tally_in_time")]


class TallyCheck(models.Model):
    """When a workspace's tallies were last counted anew from the rows, and how many lines differed then; `differed_at` is the last time any did."""

    workspace = models.OneToOneField(Workspace, on_delete=models.CASCADE, related_name="tally_check")
    checked_at = models.DateTimeField()
    differing = models.IntegerField(default=0)
    differed_at = models.DateTimeField(null=True)
