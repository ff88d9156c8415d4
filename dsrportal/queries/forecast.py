"""Which open requests are likely to be late, judged by how long the steps have taken. Called by the overview, and by the register for its list.

A request is at risk when today plus the time of its own step and of each that follows, each by its 85th percentile, lies beyond its date: as if it
had only just come into its step. A later step that less than half as many went through is left out. Two queries; never writes.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from django.db.models import Q, Sum

from dsrportal.clocks import add_months
from dsrportal.models import DataSubjectRequest, Tally, WorkflowStep, Workspace
from dsrportal.models.figures import TallyKind
from dsrportal.queries.percentiles import FEWEST, HIGH, MEDIAN, percentile

MONTHS = 12


@dataclass(frozen=True, kw_only=True, slots=True)
class StepPace:
    """How long a step takes. `count` is how often it was left, `median` and `high` (85th percentile) are days, None where it was left fewer
    than five times. `remaining` is what a request in it still needs, None for a final step and where no step on its way has a figure."""

    step: WorkflowStep
    count: int
    median: int | None
    high: int | None
    remaining: int | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Forecast:
    """The pace of every step, in order."""

    paces: tuple[StepPace, ...]

    def span(self, pace: StepPace, *, today: date) -> tuple[date, date] | None:
        """The dates, from today on, that a request in the step is likely to miss; None where none is."""
        if not pace.remaining:
            return None
        return today, today + timedelta(days=pace.remaining - 1)

    def condition(self, *, today: date) -> Q:
        """What is likely to be late, as a condition on rows; what is late already is not in it."""
        found = Q(pk__in=())
        for pace in self.paces:
            span = self.span(pace, today=today)
            if span is not None:
                found |= Q(step_id=pace.step.pk, clock_on__gte=span[0], clock_on__lte=span[1])
        return Q(clock_rank=DataSubjectRequest.RUNNING) & found


def of_workspace(workspace: Workspace, *, today: date, steps: Mapping[int, WorkflowStep] | None = None) -> Forecast:
    """By the steps that were left in the last twelve months. Two queries; one where the steps are known."""
    if steps is None:
        steps = {step.pk: step for step in WorkflowStep.objects.filter(workspace=workspace)}
    histograms: dict[str, dict[int, int]] = defaultdict(dict)
    since = add_months(today.replace(day=1), 1 - MONTHS)
    lines = Tally.objects.filter(workspace=workspace, kind=TallyKind.STEP, day__gte=since).values("group", "days")
    for line in lines.annotate(number=Sum("count")).order_by():
        histograms[line["group"]][line["days"]] = line["number"]
    ordered = sorted(steps.values(), key=lambda step: (step.position, step.upstream_id))
    paces = [_pace(step, histogram=histograms[str(step.upstream_id)]) for step in ordered]
    return Forecast(
        paces=tuple(replace(pace, remaining=_remaining(pace, paces[nth + 1 :])) for nth, pace in enumerate(paces))
    )


def _pace(step: WorkflowStep, *, histogram: Mapping[int, int]) -> StepPace:
    count = sum(histogram.values())
    median, high = (percentile(histogram, rank=rank) if count >= FEWEST else None for rank in (MEDIAN, HIGH))
    return StepPace(step=step, count=count, median=median, high=high, remaining=None)


def _remaining(pace: StepPace, later: Sequence[StepPace]) -> int | None:
    """The days from here to the end; a step that less than half as many went through lies beside the way."""
    if pace.step.is_final:
        return None
    way = [pace, *(one for one in later if not one.step.is_final and 2 * one.count >= pace.count)]
    known = [one.high for one in way if one.high is not None]
    return sum(known) if known else None
