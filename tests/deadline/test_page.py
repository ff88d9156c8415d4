"""The calculator's page: every answer in the address, the same words as the command, nothing that was typed lost."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import pytest
from django.http import HttpResponse
from django.test import Client

from dsrportal.clocks import Facts
from dsrportal.models import User, Workspace
from dsrportal.queries.calculator_drawing import drawing
from tests.clocks.saying import FRANCE, clocks, day, extended, pause

URL = "/deadline/"
PAUSED = {"received": "2026-03-02", "asked": "2026-03-04", "answered": "2026-03-16", "today": "2026-04-10"}


@pytest.fixture
def ask(client: Client, stranger: User) -> Any:
    """A function that asks the page as somebody who has nothing to do with any request."""
    client.force_login(stranger)

    def get(query: Any = "", **headers: str) -> str:
        asked = query if isinstance(query, str) else urlencode(query, doseq=True)
        answer: HttpResponse = client.get(f"{URL}?{asked}", headers=headers)  # type: ignore[assignment]
        assert answer.status_code == 200
        return answer.content.decode()

    return get


def test_the_answer_holds_all_dates_and_the_reasons(ask: Any) -> None:
    page = ask(PAUSED)
    assert '<time datetime="2026-04-14">Tuesday 14 April 2026</time>' in page
    assert "4 days left, 2 of them working" in page
    for label, date in [
        ("Without pauses", "2026-04-02"),
        ("Extend by", "2026-04-02"),
        ("Refuse by", "2026-04-02"),
        ("Dastra&#x27;s 30 days", "2026-04-01"),
    ]:
        assert f'<th scope="row">{label}</th><td><time datetime="{date}">' in page
    assert "13 days earlier than the law" in page
    assert "12 days of pause in all" in page
    assert "EDPB Guidelines 01/2022" in page
    assert "Paused from Wednesday 4 March 2026 to Monday 16 March 2026, 12 days" in page


def test_what_was_asked_is_in_the_form_again(ask: Any) -> None:
    page = ask(PAUSED | {"profile": "uk", "region": "SCT", "complex": "on"})
    assert 'name="received" value="2026-03-02"' in page
    assert 'name="asked" value="2026-03-04"' in page
    assert 'name="answered" value="2026-03-16"' in page
    assert '<option value="uk" selected>' in page
    assert 'name="region" value="SCT"' in page
    assert "Holidays of GB SCT." in page
    assert '<details class="disclosure" open>' in page


def test_the_fragment_is_the_answer_alone_and_says_it(ask: Any) -> None:
    part = ask(PAUSED, HX_Request="true")
    assert part.lstrip().startswith('<section class="deadline__answer" id="deadline-answer"')
    assert "<form" not in part
    assert 'data-announce="Respond by Tuesday 14 April 2026, 4 days left, 2 of them working"' in part


def test_invalid_answers_keep_what_was_typed_and_say_how_to_mend_it(ask: Any) -> None:
    page = ask({"received": "31/02/2026", "asked": ["soon", ""], "answered": ["", "2026-03-04"], "country": "ZZ"})
    assert 'type="text" name="received" value="31/02/2026"' in page
    assert 'type="text" id="asked-1" name="asked" value="soon"' in page
    assert 'name="answered" value="2026-03-04"' in page
    for sentence in (
        "“31/02/2026” is no day: write 2026-03-31, or an instant such as 2026-03-31T22:30Z.",
        "“soon” is no day: write it as 2026-03-31.",
        "A pause needs the day on which the person was asked.",
        "No holidays are known for the country “ZZ”.",
    ):
        assert sentence in page
    assert 'aria-invalid="true" aria-describedby="deadline-errors"' in page


def test_markup_that_was_typed_is_text(ask: Any) -> None:
    page = ask({"received": "<script>alert(1)</script>", "region": '"><img src=x>', "asked": "<b>"})
    assert "<script>alert" not in page
    assert "<img src=x" not in page
    assert "<b>" not in page


@pytest.mark.parametrize(
    "query",
    [
        "received=",
        "received=2026-03-02&asked=&answered=",
        "received=2026-03-02&received=2026-05-05",
        "received=%00&country=%00",
        "received=2026-03-02&profile=nothing&pause_policy=nothing",
        "received=2026-03-02T99:99Z",
        "received=2026-03-02T00:00%2B99:00",
        "received=2199-12-30&extended_on=2199-12-30",
        "received=1970-01-02&today=2199-12-30",
        "received=1970-01-02T00:00-24:00",
        "received=2026-03-02&profile=upstream&expires=2199-12-30T23:59Z&time_zone=Pacific/Kiritimati",
        "received=2026-03-02&" + "&".join(["asked=2026-03-03"] * 50),
    ],
)
def test_no_address_is_an_error(ask: Any, query: str) -> None:
    assert "deadline-answer" in ask(query)


def test_without_a_question_it_answers_for_today_in_the_persons_workspace(
    client: Client, officer: User, workspace: Workspace
) -> None:
    workspace.country, workspace.region = "DE", "BY"
    workspace.save()
    client.force_login(officer)
    assert "Holidays of DE BY." in client.get(URL).content.decode()


def test_an_address_says_the_same_to_everybody(ask: Any, client: Client, officer: User, workspace: Workspace) -> None:
    workspace.country = "DE"
    workspace.save()
    client.force_login(officer)
    assert "Holidays of FR." in client.get(f"{URL}?received=2026-03-02").content.decode()


def test_the_page_asks_little_of_the_database(
    client: Client, stranger: User, django_assert_max_num_queries: Any
) -> None:
    client.force_login(stranger)
    with django_assert_max_num_queries(6):
        client.get(f"{URL}?{urlencode(PAUSED)}")


def test_marks_of_one_day_are_one_and_near_ones_stand_at_different_heights() -> None:
    facts: dict[str, Any] = {"pauses": (pause("2026-03-04", "2026-03-16"),), "extension": extended("2026-03-31")}
    from_march = clocks("2026-03-02", today="2026-03-31", **facts)
    line = drawing(from_march, facts=_facts(facts), policy=FRANCE, today=day("2026-03-31"))
    assert line is not None
    assert [(mark.number, mark.on.isoformat(), mark.text) for mark in line.marks] == [
        (1, "2026-03-02", "Received"),
        (2, "2026-03-31", "Told of the extension · Today"),
        (3, "2026-04-01", "Dastra's 30 days"),
        (4, "2026-04-02", "Last day for the notice of an extension or a refusal"),
        (5, "2026-06-02", "Without pauses"),
        (6, "2026-06-15", "Respond by"),
    ]
    assert (line.marks[0].x, line.marks[-1].x) == ("3.00%", "97.00%")
    assert len({mark.height for mark in line.marks[1:4]}) == 3
    assert [mark.number for mark in line.marks if mark.is_due] == [6]


def test_without_a_receipt_there_is_no_line() -> None:
    assert drawing(clocks(None), facts=_facts({}), policy=FRANCE, today=day("2026-03-31")) is None


def _facts(facts: dict[str, Any]) -> Facts:
    return Facts(received_on=day("2026-03-02"), **facts)
