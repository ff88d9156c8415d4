"""Conditions joined by "and" and "or": each means what it says, together too; nonsense is left out of an address and named in the form."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import datetime, timedelta
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from dsrportal.models import DataSubjectRequest, SyncLane, User, Workspace
from dsrportal.queries import register_where
from dsrportal.queries.register_where import FIELDS, Where
from tests.register.conftest import URL, Ask
from tests.register.stage import make_rows
from tests.register.test_register_page import as_person

Test = Callable[[DataSubjectRequest], bool]
FORM = f"{URL}conditions/"


def conditions(now: datetime) -> dict[str, Test]:
    """Conditions as an address has them, and what each means."""
    today = timezone.localdate(now)
    soon, long_ago = today + timedelta(days=12), today - timedelta(days=5)
    return {
        "step.is.2": lambda row: row.step is not None and row.step.upstream_id == 2,
        "step.not.2": lambda row: row.step is None or row.step.upstream_id != 2,
        "step.none": lambda row: row.step is None,
        "state.is.Closed": lambda row: row.state == "Closed",
        "right.is.Access": lambda row: "Access" in row.purpose_list(),
        "right.not.Access": lambda row: "Access" not in row.purpose_list(),
        "right.none": lambda row: not row.purposes,
        "assignee.is.51": lambda row: row.operator is not None and row.operator.upstream_id == 51,
        "assignee.not.51": lambda row: row.operator is None or row.operator.upstream_id != 51,
        "assignee.none": lambda row: row.operator is None,
        "area.not.70": lambda row: row.area is None or row.area.upstream_id != 70,
        "tag.is.17": lambda row: 17 in row.tag_id_list(),
        "tag.none": lambda row: not row.tag_ids,
        "channel.is.Widget": lambda row: row.channel == "Widget",
        "clock.is.overdue": lambda row: row.clock_rank == row.RUNNING and row.clock_on < today,
        "clock.not.overdue": lambda row: not (row.clock_rank == row.RUNNING and row.clock_on < today),
        "due.next.12": lambda row: row.respond_by is not None and today <= row.respond_by <= soon,
        f"due.until.{soon}": lambda row: row.respond_by is not None and row.respond_by <= soon,
        "due.none": lambda row: row.respond_by is None,
        "received.last.5": lambda row: row.received_on is not None and long_ago <= row.received_on <= today,
        f"received.from.{long_ago}": lambda row: row.received_on is not None and row.received_on >= long_ago,
        "unread.more.0": lambda row: row.unread_message_count > 0,
        "messages.fewer.2": lambda row: row.message_count < 2,
        "complex.yes": lambda row: row.complex,
        "confirmed.no": lambda row: not row.mail_validated,
    }


def test_each_condition_and_random_groups_of_them_show_the_rows_they_mean(
    workspace: Workspace, now: datetime, ask: Ask
) -> None:
    rows = [row for row in make_rows(workspace, count=110, now=now) if not row.archived]
    known = conditions(now)
    chance = random.Random(3)
    join: dict[str, Callable[..., bool]] = {"all": all, "any": any}
    wholes = [f"all(all({text}))" for text in known]
    wholes += [random_whole(chance, known=list(known)) for _ in range(40)]
    some = 0
    for text in wholes:
        where = register_where.read(text)
        assert where.text() == text

        def fits(row: DataSubjectRequest, where: Where = where) -> bool:
            return join[where.join](
                join[group.join](known[one.text()](row) for one in group.conditions) for group in where.groups
            )

        wanted = sorted(row.upstream_id for row in rows if fits(row))
        some += bool(wanted) and len(wanted) < len(rows)
        page = ask(urlencode({"where": text, "size": "100"}))
        assert sorted(row.upstream_id for row in page.rows) == wanted, text
    assert some > 45


def random_whole(chance: random.Random, *, known: list[str]) -> str:
    """Up to three groups of up to three conditions."""
    groups = [
        f"{chance.choice(['all', 'any'])}({','.join(chance.sample(known, chance.randint(1, 3)))})"
        for _ in range(chance.randint(1, 3))
    ]
    return f"{chance.choice(['all', 'any'])}({','.join(groups)})"


@pytest.mark.parametrize(
    "text",
    [
        "", "all", "all()", "all(any())", "step.is.2", "none(all(step.is.2))", "all(all(step.is.2)", "all(all(step.is))", "all(all(step.is.x))",
        "all(all(step.more.1))", "all(all(nothing.is.1))", "all(all(due.from.2026-13-01))", "all(all(due.last.99999))", "all(all(complex.yes.1))",
        "all(all(state.is.1';--))", "all(all(clock.is.nonsense))", "all(all(step.is.99999999999999999999))", "all(all(all(step.is.2)))",
        "all(all(state.none))", "all(" + "all(step.is.2)," * 400 + "all(step.is.2))", "all(all(__class__.is.1))", "all(all(step.is.\x00))",
    ],
)  # fmt: skip
def test_nonsense_is_everything(text: str) -> None:
    assert register_where.read(text) == register_where.EVERYTHING


def test_what_makes_sense_of_an_address_stays_and_what_is_not_here_is_said(
    workspace: Workspace, now: datetime, ask: Ask
) -> None:
    make_rows(workspace, count=10, now=now)
    page = ask("where=all(any(step.is.1,step.is.999,due.last.x),all(tag.is.998))")
    assert page.filters.where.text() == "all(any(step.is.1))"
    assert page.has_left_out
    assert len(register_where.read(f"all(any({','.join(['complex.yes'] * 50)}))").groups[0].conditions) == 20


def test_chips_say_the_conditions_and_take_them_away(workspace: Workspace, now: datetime, ask: Ask) -> None:
    make_rows(workspace, count=10, now=now)
    page = ask("where=all(any(step.is.1,step.not.2),all(received.last.30,complex.no,assignee.none))&unread=true")
    assert [chip.text for chip in page.chips][:2] == [
        "Step is Step 1 or Step is not Step 2",
        "Received within the last 30 days and Complex: no and Assignee is empty",
    ]
    less = ask(page.chips[0].remove_url.partition("?")[2])
    assert less.filters.where.text() == "all(all(received.last.30,complex.no,assignee.none))"
    assert less.filters.unread
    whole = ask("where=any(any(step.is.1,state.is.Open),all(complex.yes))")
    assert [chip.text for chip in whole.chips] == ["(Step is Step 1 or State is Qualification) or (Complex: yes)"]
    assert ask(whole.chips[0].remove_url.partition("?")[2]).chips == []


def test_every_field_has_its_words_and_conditions_cost_no_query(
    workspace: Workspace, officer: User, now: datetime, read_lately: SyncLane
) -> None:
    make_rows(workspace, count=10, now=now)
    client = as_person(officer)

    def counted(query: str) -> int:
        with CaptureQueriesContext(connection) as queries:
            assert client.get(f"{URL}?{query}").status_code == 200
        return len(queries)

    one = {"choice": "not.1", "day": "next.5", "number": "more.1", "flag": "no"}
    texts = [f"{name}.{one[field.kind]}" for name, field in FIELDS.items() if field.of not in {"code", "clock"}]
    whole = f"any(all({','.join(texts)}),any(state.is.Open,right.not.Access,channel.none,clock.not.paused))"
    assert counted(urlencode({"where": whole})) == counted("unread=true")


def test_the_form_builds_the_address(workspace: Workspace, officer: User, now: datetime) -> None:
    make_rows(workspace, count=10, now=now)
    client = as_person(officer)
    first = client.get(f"{FORM}?{urlencode({'question': 'states=Open&sortBy=area&asc=true'})}")
    assert [len(block.lines) for _n, block, _lines in first.context["blocks"]] == [1]
    sent = {
        "question": first.context["question"],
        "join": "any",
        "join-0": "all",
        "field-0-0": "due",
        "operation-0-0": "next",
        "value-0-0": "7",
        "field-0-1": "assignee",
        "operation-0-1": "none",
    }
    more = client.get(FORM, {**sent, "do": "group"})
    assert [len(block.lines) for _n, block, _lines in more.context["blocks"]] == [2, 1]
    assert b'id="field-1-0" name="field-1-0" autofocus' in more.content
    sent |= {"join-1": "any", "field-1-0": "step", "operation-1-0": "is", "value-1-0": "3"}
    applied = client.get(FORM, {**sent, "do": "apply"})
    query = parse_qs(urlsplit(applied["Location"]).query)
    assert query == {
        "states": ["Open"],
        "sortBy": ["area"],
        "asc": ["true"],
        "where": ["any(all(due.next.7,assignee.none),any(step.is.3))"],
    }
    again = client.get(f"{FORM}?{urlencode({'question': urlsplit(applied['Location']).query})}")
    assert [len(block.lines) for _n, block, _lines in again.context["blocks"]] == [2, 1]
    fewer = client.get(FORM, {**sent, "do": "drop-1-0"})
    assert [len(block.lines) for _n, block, _lines in fewer.context["blocks"]] == [2]


@pytest.mark.parametrize(
    ("field", "operation", "value", "sentence"),
    [
        ("step", "is", "", "Choose a value."),
        ("state", "is", "1;--", "Choose a value."),
        ("due", "from", "", "Choose a day."),
        ("due", "until", "2026-02-31", "Choose a day."),
        ("received", "last", "-1", "Enter a whole number from 0 to 3650."),
        ("unread", "more", "many", "Enter a whole number from 0 to 10000."),
    ],
)
def test_what_is_missing_is_said_beside_it_and_nothing_is_lost(
    field: str, operation: str, value: str, sentence: str, workspace: Workspace, officer: User
) -> None:
    sent = {"join": "all", "join-0": "any", "field-0-0": field, "operation-0-0": operation, "value-0-0": value}
    answer = as_person(officer).get(FORM, {**sent, "do": "apply", "question": "states=Open"})
    assert answer.status_code == 200
    page = answer.content.decode()
    assert sentence in page
    assert 'aria-invalid="true"' in page
    line = answer.context["blocks"][0][1].lines[0]
    assert (line.condition.field, line.condition.operation, line.condition.value) == (field, operation, value)


def test_another_field_begins_with_its_own_operation_and_no_value(workspace: Workspace, officer: User) -> None:
    sent = {
        "join": "all",
        "join-0": "any",
        "was-0-0": "step",
        "field-0-0": "due",
        "operation-0-0": "is",
        "value-0-0": "3",
    }
    line = as_person(officer).get(FORM, sent).context["blocks"][0][1].lines[0]
    assert (line.condition.field, line.condition.operation, line.condition.value) == ("due", "from", "")
    nonsense = {"join": "x", "join-0": "y", "field-0-0": "__class__", "operation-0-0": "z", "do": "drop-9-9-x"}
    assert as_person(officer).get(FORM, nonsense).status_code == 200
