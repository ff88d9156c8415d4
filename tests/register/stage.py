"""Rows for the register's tests, straight into the mirror's tables: varied, with gaps, and the same for the same seed."""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from typing import Any

from dsrportal import credentials, identity
from dsrportal.models import Area, DataSubjectRequest, IdentityWord, Operator, Tag, WorkflowStep, Workspace
from dsrportal.models.requests import identity_context
from tests.legal import with_legal_dates

STATES = ["Open", "IdentityValidation", "Processing", "Active", "Closed"]
RIGHTS = ["Access", "Rectification", "Erasure", "Portability", "NewRight"]
FAR_FUTURE = datetime.fromisoformat(DataSubjectRequest.FAR_FUTURE)
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"


class Neighbours:
    """The steps, people, areas and tags of a workspace."""

    def __init__(self, workspace: Workspace) -> None:
        self.steps = [
            WorkflowStep.objects.create(
                workspace=workspace,
                upstream_id=position + 1,
                label=f"Step {position + 1}",
                color="#1E8EE1",
                position=position,
                mapped_state=STATES[position],
                is_final=STATES[position] == "Closed",
            )
            for position in range(len(STATES))
        ]
        self.operators = [
            Operator.objects.create(workspace=workspace, upstream_id=50 + number, display_name=name)
            for number, name in enumerate(["Luc Bernard", "Anna Vos", "Luc Bernard"])
        ]
        self.areas = [
            Area.objects.create(workspace=workspace, upstream_id=70 + number, label=f"Area {number}")
            for number in range(3)
        ]
        self.tags = [
            Tag.objects.create(workspace=workspace, upstream_id=number, label=f"Tag {number}") for number in (3, 17, 31)
        ]


def make_rows(
    workspace: Workspace, *, count: int, seed: int = 1, now: datetime, neighbours: Neighbours | None = None
) -> list[DataSubjectRequest]:
    """Store rows of every kind, ties and gaps among them, and count them per step."""
    chance = random.Random(seed)
    around = neighbours or Neighbours(workspace)
    rows = [_row(workspace, number=number, chance=chance, around=around, now=now) for number in range(count)]
    DataSubjectRequest.objects.bulk_create(rows)
    for step in around.steps:
        mine = DataSubjectRequest.objects.filter(step=step)
        step.live_count = mine.filter(archived=False).count()
        step.archived_count = mine.filter(archived=True).count()
        step.save()
    stored = DataSubjectRequest.objects.filter(workspace=workspace).order_by("pk")
    return list(stored.select_related("step", "operator", "area"))


def name_person(dsr: DataSubjectRequest, *, given_name: str, family_name: str, email: str) -> None:
    """Give a row a person, sealed and findable as the mirror would."""
    fields = {
        "title": f"{dsr.reference} {given_name} {family_name}",
        "given_name": given_name,
        "family_name": family_name,
        "email": email,
    }
    context = identity_context(workspace_id=dsr.workspace_id, upstream_id=dsr.upstream_id)
    dsr.identity_sealed = credentials.seal_fields(fields, context=context)
    dsr.save(update_fields=["identity_sealed"])
    digests = credentials.digest_words(identity.words_of(fields), search_key=dsr.workspace.read_search_key())
    IdentityWord.objects.bulk_create(
        [IdentityWord(dsr=dsr, workspace=dsr.workspace, digest=digest) for digest in digests]
    )


def _row(
    workspace: Workspace, *, number: int, chance: random.Random, around: Neighbours, now: datetime
) -> DataSubjectRequest:
    def some_day(days: int) -> datetime | None:
        # Few different days, so that ties are common.
        return None if chance.random() < 0.15 else now + timedelta(days=chance.randint(-days, days))

    step = None if chance.random() < 0.15 else chance.choice(around.steps)
    expires_at = some_day(20)
    values: dict[str, Any] = {
        "workspace": workspace,
        "upstream_id": 5000 + number,
        "reference": "".join(chance.choice(LETTERS) for _ in range(8)) if chance.random() < 0.95 else "",
        "state": step.mapped_state if step else chance.choice(["Open", "Closed", "Suspended"]),
        "step": step,
        "archived": chance.random() < 0.2,
        "complex": chance.random() < 0.2,
        "operator": chance.choice([None, *around.operators]),
        "area": chance.choice([None, *around.areas]),
        "purposes": _joined(chance.sample(RIGHTS, chance.randint(0, 2))),
        "tag_ids": _joined(str(tag.upstream_id) for tag in chance.sample(around.tags, chance.randint(0, 3))),
        "channel": chance.choice(["Widget", "Internal", ""]),
        "widget_id": chance.choice([None, 3008, 3009]),
        "received_at": some_day(9),
        "created_at": some_day(9),
        "updated_at": some_day(4),
        "closed_at": some_day(9),
        "expires_at": expires_at,
        "clock_at": expires_at or FAR_FUTURE,
        "mail_validated": chance.random() < 0.7,
        "message_count": chance.randint(0, 4),
        "unread_message_count": chance.choice([0, 0, 0, 1, 2]),
        "mirrored_at": now,
        "sequence": 1,
        "digest": number.to_bytes(16, "big"),
    }
    return with_legal_dates(DataSubjectRequest(**values))


def _joined(parts: Any) -> str:
    text = "|".join(parts)
    return f"|{text}|" if text else ""
