"""Rows for the overview's tests: every kind of clock, verdict, age, group and gap, the same for the same seed, straight into the mirror's tables."""

from __future__ import annotations

import random
from datetime import date, datetime, timedelta

from dsrportal.clocks import Extension, Pause, Refusal
from dsrportal.mirror import figures, reckoning
from dsrportal.mirror.legal import Ledger, legal_fields
from dsrportal.models import Area, DataSubjectRequest, Operator, StepChange, WorkflowStep, Workspace

RIGHTS = ["Access", "Erasure", "Opposition", "NewRight"]
STATES = ["Open", "Processing", "Active", "Closed"]


def make_rows(workspace: Workspace, *, count: int, now: datetime, seed: int = 1) -> None:
    """Store rows, moves between steps, and the tallies of both."""
    chance = random.Random(seed)
    steps = [
        WorkflowStep.objects.create(
            workspace=workspace,
            upstream_id=nth + 1,
            label=f"Step {nth + 1}",
            position=nth,
            mapped_state=state,
            is_final=state == "Closed",
        )
        for nth, state in enumerate(STATES)
    ]
    names = ["Luc Bernard", "Anna Vos", "Jan Smit"]
    people = [
        Operator.objects.create(workspace=workspace, upstream_id=50 + nth, display_name=name)
        for nth, name in enumerate(names)
    ]
    areas = [Area.objects.create(workspace=workspace, upstream_id=70 + nth, label=f"Area {nth}") for nth in range(3)]
    rules = reckoning.rules_of(workspace.pk)
    rows = []
    for number in range(count):
        step = chance.choice([*steps, steps[-1], None])
        state = step.mapped_state if step else chance.choice(["Open", "Closed"])
        received_at = now - timedelta(days=int(chance.expovariate(1 / 40)), hours=chance.randint(0, 30))
        closed_at = min(now, received_at + timedelta(days=chance.randint(0, 60))) if state == "Closed" else None
        row = DataSubjectRequest(
            workspace=workspace,
            upstream_id=9000 + number,
            state=state,
            step=step,
            archived=chance.random() < 0.15,
            operator=chance.choices([None, *people], [3, 8, 4, 1])[0],
            area=chance.choices([None, *areas], [2, 6, 3, 1])[0],
            purposes="".join(f"|{one}" for one in chance.sample(RIGHTS, chance.randint(0, 2))) + "|",
            received_at=received_at if chance.random() < 0.95 else None,
            closed_at=closed_at if chance.random() < 0.95 else None,
            clock_at=now,
            mirrored_at=now,
            sequence=1,
            digest=number.to_bytes(16, "big"),
        )
        if row.purposes == "|":
            row.purposes = ""
        ledger = _ledger(chance, received_on=received_at.date())
        for name, value in legal_fields(row, ledger=ledger, rules=rules).items():
            setattr(row, name, value)
        rows.append(row)
    DataSubjectRequest.objects.bulk_create(rows)
    StepChange.objects.bulk_create(_move(workspace, chance=chance, steps=steps, now=now) for _n in range(count))
    figures.recount(workspace, now=now)


def _ledger(chance: random.Random, *, received_on: date) -> Ledger:
    pauses: tuple[Pause, ...] = ()
    extension, refusal = None, None
    asked_on = received_on + timedelta(days=chance.randint(0, 10))
    if chance.random() < 0.25:
        answered_on = asked_on + timedelta(days=chance.randint(0, 20)) if chance.random() < 0.4 else None
        pauses = (Pause(asked_on=asked_on, answered_on=answered_on),)
    if chance.random() < 0.25:
        extension = Extension(notice_on=received_on + timedelta(days=chance.randint(5, 45)), has_ground=True)
    if chance.random() < 0.1:
        refusal = Refusal(notice_on=received_on + timedelta(days=chance.randint(5, 45)))
    return Ledger(pauses=pauses, extension=extension, refusal=refusal)


def _move(workspace: Workspace, *, chance: random.Random, steps: list[WorkflowStep], now: datetime) -> StepChange:
    seen_at = now - timedelta(days=chance.randint(0, 200))
    entered_at = seen_at - timedelta(days=chance.randint(0, 12)) if chance.random() < 0.9 else None
    return StepChange(
        workspace=workspace,
        upstream_id=chance.randint(9000, 9999),
        seen_at=seen_at,
        sequence=1,
        from_step_upstream_id=chance.choice(steps[:-1]).upstream_id,
        to_step_upstream_id=steps[-1].upstream_id,
        entered_at=entered_at,
    )
