"""The register as a file: the rows of the list and no other, in its order, harmless in a spreadsheet, and without names unless they were asked for."""

from __future__ import annotations

import csv
import io
import re
import zipfile
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from xml.etree import ElementTree

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from dsrportal.models import Area, AuditEvent, Operator, SyncLane, Tag, User, WorkflowStep, Workspace
from dsrportal.models.audit import Operation
from dsrportal.queries import register_export, spreadsheet
from dsrportal.queries.register_columns import COLUMNS, DEFAULT, offered
from dsrportal.views.export import WATCHED, _Ending
from tests.register.conftest import URL, Ask, walk
from tests.register.stage import make_rows, name_person
from tests.register.test_filters import filters
from tests.register.test_register_page import as_person

EXPORT = f"{URL}export/"
SHEET = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"


@pytest.fixture(autouse=True)
def _nobody_exports(settings: Any, tmp_path: Path) -> Iterator[None]:
    settings.DATA_DIR = tmp_path
    cache.clear()
    yield
    assert not list((tmp_path / "exports").glob("*"))


def export(client: Client, query: str = "", **posted: str) -> bytes:
    answer = client.post(EXPORT, {"question": query, "format": "csv", **posted})
    assert answer.status_code == 200
    return b"".join(answer.streaming_content)  # type: ignore[attr-defined]


def csv_rows(content: bytes) -> list[dict[str, str]]:
    text = content.decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text)))


def xlsx_cells(content: bytes) -> tuple[list[list[str]], str]:
    """All cells as texts, and the sheet's XML."""
    with zipfile.ZipFile(io.BytesIO(content)) as book:
        assert not [name for name in book.namelist() if "sharedStrings" in name]
        xml = book.read("xl/worksheets/sheet1.xml").decode()
    rows = ElementTree.fromstring(xml).iter(f"{SHEET}row")  # noqa: S314  made here
    return [["".join(cell.itertext()) for cell in row] for row in rows], xml


def test_an_export_has_the_rows_of_the_list_in_its_order(
    workspace: Workspace, officer: User, now: datetime, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(register_export, "AT_ONCE", 7)
    monkeypatch.setattr("django.utils.timezone.now", lambda: now)  # what is overdue at this moment is so a second later
    rows = make_rows(workspace, count=60, now=now)
    client = as_person(officer)
    orders = [
        "",
        "sortBy=operator&asc=false",
        "group=step&sortBy=dateDemand&asc=true",
        "group=right",
        "sortBy=dateClosed&asc=true",
    ]
    for number, (pairs, _fits) in enumerate([*filters(rows, now=now), ([("archived", "true")], None)]):
        query = f"{urlencode(pairs)}&{orders[number % len(orders)]}&columns=id"
        wanted = walk(ask, f"{query}&size=25")
        assert wanted, query
        assert [int(row["Id in Dastra"]) for row in csv_rows(export(client, f"{query}&page=2&size=25"))] == wanted, (
            query
        )


def test_the_columns_are_those_of_the_list(
    workspace: Workspace, officer: User, now: datetime, ask: Ask, read_lately: SyncLane
) -> None:
    make_rows(workspace, count=20, now=now)
    client = as_person(officer)
    for columns in (",".join(offered(COLUMNS, has_target=False)), "operator,clock", ""):
        query = f"size=100&columns={columns}"
        heads = register_export._heads(
            tuple(key for key in columns.split(",") if key not in {"", "person", "demandId"})
            or tuple(key for key in DEFAULT if key not in {"person", "demandId"}),
            with_identity=False,
        )
        found = csv_rows(export(client, query))
        assert list(found[0]) == heads
        for line, row in zip(found, ask(query).rows, strict=True):
            assert line["Reference"].lstrip("'") == row.reference
            assert line["Clock"] == row.cells["clock"].mark.text
            assert line["Respond by"] == str(row.cells["clock"].respond_by or "")
            assert line["Assignee"] == row.cells["operator"].name
            assert line["As of"]


def test_a_sheet_says_the_same(workspace: Workspace, officer: User, now: datetime, read_lately: SyncLane) -> None:
    make_rows(workspace, count=25, now=now)
    client = as_person(officer)
    query = "columns=operator,workFlowStep,area,tags,nbMessages"
    cells, _xml = xlsx_cells(export(client, query, format="xlsx"))
    lines = [list(row.values()) for row in csv_rows(export(client, query))]
    assert [[cell for cell in row if cell] for row in cells[1:]] == [[cell for cell in line if cell] for line in lines]


def test_nothing_becomes_a_formula(workspace: Workspace, officer: User, now: datetime) -> None:
    rows = make_rows(workspace, count=12, now=now)
    nasty = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", " =1", "http://example.test/"]
    Operator.objects.filter(workspace=workspace).update(display_name=nasty[0])
    for model, texts in ((WorkflowStep, nasty[1:6]), (Area, nasty[3:6]), (Tag, nasty[5:8])):
        for one, text in zip(model.objects.filter(workspace=workspace), texts, strict=False):
            model.objects.filter(pk=one.pk).update(label=text)
    for row in rows:
        name_person(row, given_name="=HYPERLINK(1)", family_name="x", email="@x")
    client = as_person(officer)
    for line in csv_rows(export(client, identity="true")):
        for cell in line.values():
            assert not cell.lstrip().startswith(spreadsheet.FORMULA_BEGINS), cell
        assert line["Name"] == "'=HYPERLINK(1) x"
    _cells, xml = xlsx_cells(export(client, format="xlsx", identity="true"))
    assert "=HYPERLINK(1) x" in xml
    assert not re.search(r"<f[ >]|<hyperlink", xml)


@pytest.mark.one_database
def test_names_are_there_only_when_asked_and_only_for_who_may_see_them(
    workspace: Workspace, officer: User, manager: User, now: datetime
) -> None:
    for row in make_rows(workspace, count=4, now=now):
        name_person(row, given_name="Zoé", family_name="Maraboutin", email="zoe@example.test")
    client = as_person(officer)
    for file_format in ("csv", "xlsx"):
        assert b"Maraboutin" not in export(client, "columns=person,clock", format=file_format)
    line = csv_rows(export(client, "columns=clock", identity="true"))[0]
    assert (line["Name"], line["E-mail"]) == ("Zoé Maraboutin", "zoe@example.test")
    assert as_person(manager).post(EXPORT, {"identity": "true"}).status_code == 403
    assert b"M." not in export(as_person(manager), "columns=person,id")

    events = AuditEvent.objects.filter(operation=Operation.EXPORT).order_by("pk")
    assert [(event.by, event.details["identity"], event.details["format"]) for event in events] == [
        (officer, False, "csv"),
        (officer, False, "xlsx"),
        (officer, True, "csv"),
        (manager, False, "csv"),
    ]
    assert not [event for event in events if "oe" in str(event.details)]


@pytest.mark.one_database
def test_one_export_at_a_time(workspace: Workspace, officer: User, manager: User, now: datetime) -> None:
    make_rows(workspace, count=3, now=now)
    client = as_person(officer)
    first = client.post(EXPORT, {"format": "csv"})
    assert first.status_code == 200
    watched = client.post(EXPORT, {"format": "csv"}, headers={WATCHED: "1"})
    assert (watched.status_code, b"not ready" in watched.content) == (409, True)
    assert client.post(EXPORT, {"question": "states=Open"})["Location"] == f"{URL}?states=Open"
    assert export(as_person(manager)), "somebody else's does not wait"
    assert b"".join(first.streaming_content)  # type: ignore[attr-defined]
    assert export(client)


def test_a_reader_who_goes_away_is_not_waited_for() -> None:
    told: list[str] = []

    def parts() -> Iterator[str]:
        try:
            yield "one"
            yield "two"
        finally:
            told.append("closed")

    answer = _Ending(parts(), over=lambda: told.append("over"))
    assert next(iter(answer)) == "one"
    answer.close()
    assert told == ["closed", "over"]


@pytest.mark.one_database
def test_a_name_of_a_file_tells_of_nobody_and_the_count_comes_first(
    workspace: Workspace, officer: User, now: datetime
) -> None:
    rows = [row for row in make_rows(workspace, count=9, now=now) if not row.archived]
    answer = as_person(officer).post(EXPORT, {"question": "", "format": "xlsx"})
    assert answer["X-Count"] == str(len(rows))
    assert answer["Content-Disposition"] == f'attachment; filename="requests-acme-france-{now:%Y-%m-%d}.xlsx"'
    assert "no-store" in answer["Cache-Control"]
    assert b"".join(answer.streaming_content)  # type: ignore[attr-defined]


@pytest.mark.one_database
def test_queries_grow_with_pages_not_with_rows(
    workspace: Workspace, officer: User, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_rows(workspace, count=90, now=now)
    client = as_person(officer)

    def counted() -> int:
        with CaptureQueriesContext(connection) as queries:
            export(client, "size=100")
        return len(queries)

    monkeypatch.setattr(register_export, "AT_ONCE", 200)
    whole = counted()
    monkeypatch.setattr(register_export, "AT_ONCE", 20)
    assert whole < counted() <= whole + 4
    assert whole <= 14


@pytest.mark.parametrize("text", ["=", "+1", "-", "@x", "\t", "\r=", " =1", "\n=1", "\u00a0=1"])
def test_what_begins_like_a_formula_gets_an_apostrophe(text: str) -> None:
    assert spreadsheet.harmless(text) == f"'{text}"


@pytest.mark.parametrize("text", ["", "a=1", "1-2", "'=1", "é"])
def test_what_does_not_stays_as_it_is(text: str) -> None:
    assert spreadsheet.harmless(text) == text
