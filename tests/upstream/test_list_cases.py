"""U63 to U88: the envelope of a list, its pages, and the ids in it."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from dsrportal.models import Lane
from tests.dastra.wire import Asked, answer

from .cases import one, table
from .conftest import Stage
from .little import request_row

Envelope = Callable[[Any, Asked], Any]


def instead(value: Any) -> Envelope:
    return lambda _honest, _asked: answer(json.dumps(value))


def with_items(change: Callable[[list[Any]], Any]) -> Envelope:
    return lambda honest, _asked: {**honest, "items": change(honest["items"])}


def many(stage: Stage, count: int) -> None:
    """So many requests, mirrored."""
    stage.dastra.rows = {upstream_id: request_row(upstream_id) for upstream_id in range(1, count + 1)}
    assert stage.pull().outcome == "complete"
    stage.kept = set(stage.dastra.rows)
    stage.dastra.wire.journal.clear()


UNREADABLE: dict[str, tuple[Envelope, str]] = {
    "U63-top-level-text": (instead("x"), "malformed_answer"),
    "U63-top-level-number": (instead(7), "malformed_answer"),
    "U63-top-level-null": (instead(None), "malformed_answer"),
    "U64-items-null": (with_items(lambda _items: None), "malformed_answer"),
    "U64-items-missing": (lambda honest, _asked: {"total": honest["total"]}, "malformed_answer"),
    "U64-items-an-object": (with_items(lambda _items: {"0": {}}), "malformed_answer"),
}


@table("envelope, code", UNREADABLE)
def test_what_is_no_list_ends_the_pass(stage: Stage, envelope: Envelope, code: str) -> None:
    stage.dastra.envelope = envelope
    done = stage.pull()
    assert (done.outcome, done.error_code, done.gone) == ("failed", code, 0)


@one("U63-top-level-empty-list")
def test_an_empty_bare_list_makes_nobody_forgotten(stage: Stage) -> None:
    stage.dastra.envelope = instead([])
    assert stage.pull().gone == 0


@one("U63-top-level-list")
def test_a_bare_list_is_read(stage: Stage) -> None:
    stage.dastra.envelope = lambda honest, _asked: honest["items"]
    stage.dastra.rows[1]["complex"] = True
    assert stage.pull().outcome == "complete"
    assert stage.row().complex


@one("U65-items-hold-null-text-and-list")
def test_entries_that_are_no_objects_spoil_no_other(stage: Stage) -> None:
    stage.dastra.envelope = with_items(lambda items: [None, "x", [1], *items] if items else items)
    stage.dastra.rows[1]["complex"] = True
    done = stage.pull()
    assert (done.outcome, done.gone) == ("complete", 0)
    assert stage.row().complex
    assert stage.aside() == {None: "not an object"}


TOTALS: dict[str, Any] = {
    "U66-total-null": None,
    "U66-total-negative": -3,
    "U66-total-as-text": "3",
    "U66-total-enormous": 1_000_000_000,
    "U66-total-too-small": 1,
}


@table("total", TOTALS)
def test_a_total_that_cannot_be_meant_is_ignored(stage: Stage, total: Any) -> None:
    stage.dastra.envelope = lambda honest, _asked: {**honest, "total": total if honest["items"] else honest["total"]}
    stage.dastra.rows[4] = request_row(4)
    done = stage.pull()
    assert (done.outcome, done.seen) == ("complete", 4)
    stage.kept.add(4)


@one("U66-total-missing")
def test_a_list_without_a_total_is_read_to_its_end(stage: Stage) -> None:
    stage.dastra.envelope = lambda honest, _asked: {"items": honest["items"]}
    assert (stage.pull().outcome, stage.row().complex) == ("complete", False)


def serve_pages(stage: Stage, size: int, change: Callable[[dict[str, Any], int], Any] | None = None) -> None:
    """Pages of `size` rows; `change` gets each page and its number."""

    def envelope(_honest: Any, asked: Asked) -> Any:
        ids, number = stage.dastra.chosen(asked), asked.number("page")
        rows = [stage.dastra.rows[i] for i in ids[(number - 1) * size : number * size]]
        page = {"items": rows, "total": len(ids), "size": size, "page": number}
        return change(page, number) if change else page

    stage.dastra.envelope = envelope


@table("shift", {"U67-total-shrinks-between-pages": -1, "U68-total-grows-between-pages": 1})
def test_a_total_that_changes_makes_the_list_be_read_again(stage: Stage, shift: int) -> None:
    many(stage, 12)
    lists: list[int] = []

    def change(page: dict[str, Any], number: int) -> dict[str, Any]:
        lists.append(number)
        return {**page, "total": page["total"] + (shift if len(lists) == 2 else 0)}

    serve_pages(stage, 5, change)
    done = stage.pull()
    assert (done.outcome, done.gone, done.seen) == ("complete", 0, 12)
    assert lists.count(1) > 2


@table("size", {"U69-size-ignored": 20, "U70-size-clamped": 10, "U71-one-row-a-page": 1})
def test_a_page_size_of_the_server_s_own_is_walked(stage: Stage, size: int) -> None:
    many(stage, 45)
    stage.dastra.rows[45]["complex"] = True
    serve_pages(stage, size)
    done = stage.pull()
    assert (done.outcome, done.seen) == ("complete", 45)
    assert stage.row(45).complex
    assert len(stage.dastra.lists) <= -(-45 // size) + 3


@one("U72-same-page-for-ever")
def test_a_page_that_only_repeats_is_no_list(stage: Stage) -> None:
    many(stage, 12)
    serve_pages(stage, 5, lambda page, _number: {**page, "items": [stage.dastra.rows[i] for i in range(1, 6)]})
    done = stage.pull()
    assert (done.outcome, done.error_code, done.gone) == ("failed", "incomplete_list", 0)
    assert len(stage.dastra.lists) < 12


@one("U73-empty-page-in-the-middle")
def test_an_empty_page_is_not_the_end(stage: Stage) -> None:
    many(stage, 12)
    serve_pages(stage, 5, lambda page, number: {**page, "items": [] if number == 2 else page["items"]})
    done = stage.pull()
    assert (done.outcome, done.error_code, done.gone) == ("failed", "incomplete_list", 0)


@one("U74-an-id-twice-in-a-page")
def test_of_an_id_that_comes_twice_the_last_counts(stage: Stage) -> None:
    stage.dastra.envelope = with_items(lambda items: [{**items[0], "complex": True}, *items] if items else items)
    stage.dastra.rows[1]["channel"] = "Mail"
    assert stage.pull().outcome == "complete"
    assert (stage.row().complex, stage.row().channel) == (False, "Mail")


@one("U75-an-id-again-on-a-later-page")
def test_of_an_id_on_two_pages_the_later_counts(stage: Stage) -> None:
    many(stage, 12)

    old = {**stage.dastra.rows[1]}
    stage.dastra.rows[1]["channel"] = "Mail"

    def change(page: dict[str, Any], number: int) -> dict[str, Any]:
        if number == 1 and page["items"]:
            page["items"] = [old, *page["items"][1:]]
        if number == 2 and page["items"]:
            page["items"] = [*page["items"], stage.dastra.rows[1]]
        return page

    serve_pages(stage, 5, change)
    done = stage.pull()
    assert (done.outcome, done.error) == ("complete", "")
    assert stage.row().channel == "Mail"


@one("U76-sort-ignored")
def test_rows_in_any_order_are_all_read(stage: Stage) -> None:
    many(stage, 12)
    stage.dastra.rows[1]["complex"] = True
    serve_pages(stage, 50, lambda page, _number: {**page, "items": page["items"][::-1]})
    assert stage.pull().seen == 12
    assert stage.row().complex


@one("U77-page-0-is-page-1")
def test_pages_are_counted_from_one(stage: Stage) -> None:
    assert stage.pull().outcome == "complete"
    assert min(asked.number("page") for asked in stage.dastra.lists) == 1


PAST_THE_END: dict[str, int | None] = {
    "U78-past-the-end-404": 404,
    "U78-past-the-end-400": 400,
    "U78-past-the-end-the-last-page-again": None,
}


@table("status", PAST_THE_END)
def test_whatever_comes_after_the_last_page(stage: Stage, status: int | None) -> None:
    """Without a total, a full page does not tell whether it was the last."""
    many(stage, 10)

    def change(page: dict[str, Any], number: int) -> Any:
        if page["items"] or number == 1:
            return {"items": page["items"]}
        last = [stage.dastra.rows[i] for i in range(6, 11)]
        return {"items": last} if status is None else answer(status=status)

    serve_pages(stage, 5, change)
    done = stage.pull()
    assert (done.outcome, done.seen, done.gone) == ("complete", 10, 0), done.error


def test_a_failure_past_the_end_forgets_nothing(stage: Stage) -> None:
    many(stage, 10)
    serve_pages(stage, 5, lambda page, number: {"items": page["items"]} if number < 3 else answer(status=500))
    assert stage.pull().gone == 0


def meddling(stage: Stage, act: Callable[[], object]) -> None:
    """Pages of five, and somebody at work in Dastra before the second is read."""
    done: list[bool] = []

    def envelope(_honest: Any, asked: Asked) -> Any:
        number = asked.number("page")
        if number == 2 and not done:
            done.append(True)
            act()
        ids = stage.dastra.chosen(asked)
        rows = [stage.dastra.rows[i] for i in ids[(number - 1) * 5 : number * 5]]
        return {"items": rows, "total": len(ids), "size": 5, "page": number}

    stage.dastra.envelope = envelope


@one("U79-row-inserted-while-paging")
def test_a_row_inserted_while_paging_costs_no_other(stage: Stage) -> None:
    many(stage, 12)
    meddling(stage, lambda: stage.dastra.rows.update({13: request_row(13)}))
    assert stage.pull().outcome == "complete"
    assert stage.ids() >= set(range(1, 13))
    stage.kept = stage.ids()


@one("U80-row-deleted-while-paging")
def test_a_row_deleted_while_paging_hides_no_other(stage: Stage) -> None:
    many(stage, 12)
    stage.dastra.rows[6]["complex"] = True
    meddling(stage, lambda: stage.dastra.rows.pop(1))
    done = stage.pull()
    assert done.outcome == "complete"
    assert stage.row(6).complex, "it moved up onto a page that was read already"
    stage.kept = stage.ids()
    assert stage.kept >= set(range(2, 13))


@one("U81-row-moved-while-paging")
def test_a_row_archived_while_paging_is_found_in_the_other_list(stage: Stage) -> None:
    many(stage, 12)
    meddling(stage, lambda: stage.dastra.rows[1].update(archived=True))
    assert (stage.pull().outcome, stage.row(1).archived) == ("complete", True)


@one("U82-list-lags-behind-the-single-read")
def test_what_a_list_does_not_show_yet_is_asked_for_and_kept(stage: Stage) -> None:
    many(stage, 12)
    serve_pages(stage, 50, lambda page, _number: {**page, "items": page["items"][1:], "total": page["total"] - 1})
    done = stage.pull(Lane.FULL)
    assert (done.outcome, done.gone) == ("complete", 0)
    assert stage.ids() == stage.kept


@one("U65-pages-without-a-single-usable-id")
def test_page_after_page_of_nameless_rows_is_no_list(stage: Stage) -> None:
    stage.dastra.envelope = with_items(lambda _items: [None, "x"])
    assert (stage.pull().error_code, len(stage.dastra.lists) < 10) == ("incomplete_list", True)


@one("U83-id-as-text")
def test_an_id_written_as_text_is_that_id(stage: Stage) -> None:
    stage.dastra.envelope = with_items(lambda items: [{**row, "id": str(row["id"])} for row in items])
    stage.dastra.rows[1]["complex"] = True
    assert (stage.pull().outcome, stage.row().complex) == ("complete", True)


BAD_IDS = {
    "U84-id-with-a-fraction": "1.0",
    "U85-id-with-an-exponent": "1e0",
    "U86-id-true": "true",
    "U87-id-null": "null",
    "U88-id-beyond-64-bits": "9223372036854775808",
    "U88-id-negative": "-1",
    "U88-id-zero": "0",
}


@table("written", BAD_IDS)
def test_a_row_without_a_usable_id_is_set_aside_alone(stage: Stage, written: str) -> None:
    stage.dastra.rows[2]["complex"] = True
    honest = stage.dastra.text_of(1)
    stage.dastra.raw[1] = honest.replace('"id": 1,', f'"id": {written},', 1)
    done = stage.pull()
    assert (done.outcome, done.gone) == ("complete", 0), done.error
    assert done.set_aside >= 1
    assert stage.row(2).complex
    assert any(reason.startswith("id") for reason in stage.aside().values())
