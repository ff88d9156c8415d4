"""Walking a list to its end, whatever the server makes of page, size and total."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from dsrportal.dastra import reading
from dsrportal.dastra.errors import DastraError, IncompleteList, MalformedAnswer, NotFound, Rejected, ServerFailure
from dsrportal.dastra.paging import MOST_PAGES, walk

TRUE = object()


class Listing:
    """A paged list of the ids 1 to `count`, served in pages of `length`, with a total of the test's choice."""

    def __init__(self, count: int, *, length: int = 500, total: object = TRUE, beyond: Exception | None = None) -> None:
        self.ids = list(range(1, count + 1))
        self.length = length
        self.total = count if total is TRUE else total
        self.beyond = beyond
        self.calls = 0

    def __call__(self, number: int) -> object:
        self.calls += 1
        ids = self.ids[(number - 1) * self.length : number * self.length]
        if not ids and self.beyond is not None and number > 1:
            raise self.beyond
        rows = [{"id": upstream_id} for upstream_id in ids]
        return {"items": rows, "size": 500, "page": number} | ({} if self.total is ... else {"total": self.total})


def collect(fetch: Callable[[int], object], *, first: int = 1) -> list[int]:
    return [
        item.upstream_id for page in walk(fetch, read=reading.data_subject_request, first=first) for item in page.items
    ]


def scripted(*pages: tuple[Sequence[Any], object]) -> Callable[[int], object]:
    """Pages as (ids, total); past the last one, the last again."""

    def fetch(number: int) -> object:
        ids, total = pages[min(number, len(pages)) - 1]
        return {"items": [{"id": upstream_id} for upstream_id in ids], "total": total}

    return fetch


@pytest.mark.parametrize("count", [0, 1, 499, 500, 501, 1000, 1001, 2345])
def test_with_a_sane_total_a_list_costs_its_pages_and_no_more(count: int) -> None:
    listing = Listing(count)
    assert collect(listing) == listing.ids
    assert listing.calls == max(1, -(-count // 500))


@pytest.mark.parametrize("total", [..., None, -1, "many", 1.0, 1e9, 2_000_000_000, True, [], {}])
@pytest.mark.parametrize("count", [0, 1, 499, 500, 501, 1000])
def test_without_one_at_most_one_call_more(count: int, total: object) -> None:
    listing = Listing(count, total=total)
    assert collect(listing) == listing.ids
    assert listing.calls <= max(1, -(-count // 500)) + 1


@pytest.mark.parametrize("count", [501, 1000, 1001])
def test_a_total_smaller_than_what_came_is_ignored(count: int) -> None:
    listing = Listing(count, total=7)
    assert collect(listing) == listing.ids
    assert listing.calls <= -(-count // 500) + 1


def test_a_total_in_digits_counts() -> None:
    listing = Listing(500, total="500")
    assert collect(listing) == listing.ids
    assert listing.calls == 1


@pytest.mark.parametrize("length", [1, 20, 100, 499])
@pytest.mark.parametrize("total", [TRUE, ...])
def test_a_server_with_its_own_page_size_is_followed(length: int, total: object) -> None:
    listing = Listing(137, length=length, total=total)
    assert collect(listing) == listing.ids


@pytest.mark.parametrize("beyond", [NotFound(status=404), Rejected(status=400), NotFound(status=410)])
def test_a_refusal_past_the_end_is_the_end_when_nothing_says_otherwise(beyond: DastraError) -> None:
    listing = Listing(1000, total=None, beyond=beyond)
    assert collect(listing) == listing.ids


@pytest.mark.parametrize("beyond", [NotFound(status=404), Rejected(status=400)])
def test_a_refusal_before_the_end_is_a_cut_list(beyond: DastraError) -> None:
    with pytest.raises(IncompleteList):
        collect(Listing(1000, total=1500, beyond=beyond))


@pytest.mark.parametrize("error", [NotFound(status=404), Rejected(status=400)])
def test_a_refusal_of_the_first_page_is_no_empty_list(error: DastraError) -> None:
    def refuse(_number: int) -> object:
        raise error

    with pytest.raises(type(error)):
        collect(refuse)


@pytest.mark.parametrize("error", [Rejected(status=422), ServerFailure(status=500)])
def test_other_failures_past_the_first_page_are_failures(error: DastraError) -> None:
    with pytest.raises(type(error)):
        collect(Listing(1000, total=None, beyond=error))


def test_an_empty_page_before_the_end_is_not_the_end() -> None:
    with pytest.raises(IncompleteList):
        collect(scripted(([1, 2], 4), ([], 4), ([3, 4], 4)))


def test_pages_before_the_break_were_handed_out() -> None:
    walked = walk(scripted(([1, 2], 4), ([], 4)), read=reading.data_subject_request)
    assert [item.upstream_id for item in next(walked).items] == [1, 2]
    with pytest.raises(IncompleteList):
        next(walked)


@pytest.mark.parametrize("total", [1000, None])
def test_the_same_page_again_and_again_is_not_a_list(total: int | None) -> None:
    with pytest.raises(IncompleteList):
        collect(scripted((range(1, 501), total)))


def test_a_server_that_answers_past_its_end_with_its_last_page_is_understood() -> None:
    assert collect(scripted(([1, 2], None), ([3, 4], None))) == [1, 2, 3, 4]


def test_page_nought_served_twice_is_not_taken_for_two_pages() -> None:
    with pytest.raises(IncompleteList):
        collect(scripted(([1, 2], 4), ([1, 2], 4), ([3, 4], 4)))


def test_a_list_without_end_is_left() -> None:
    asked: list[int] = []

    def endless(number: int) -> object:
        asked.append(number)
        return {"items": [{"id": number}]}

    with pytest.raises(IncompleteList):
        collect(endless)
    assert len(asked) == MOST_PAGES


def test_rows_that_move_while_we_read_are_tolerated_and_the_total_is_told() -> None:
    pages = list(walk(scripted(([5, 4], 5), ([4, 3], 6), ([2, 1], 6)), read=reading.data_subject_request))
    assert [[item.upstream_id for item in page.items] for page in pages] == [[5, 4], [4, 3], [2, 1]]
    assert [page.total for page in pages] == [5, 6, 6]
    assert [page.number for page in pages] == [1, 2, 3]


def test_a_list_that_shrinks_while_we_read_ends() -> None:
    assert collect(scripted(([1, 2], 3), ([], 2))) == [1, 2]


def test_rejected_rows_count_as_rows() -> None:
    pages = list(walk(scripted(([1, None, 2], 4), ([True], 4)), read=reading.data_subject_request))
    assert [page.size for page in pages] == [3, 1]
    assert [len(page.rejected) for page in pages] == [1, 1]


def test_a_start_in_the_middle_reads_to_the_end() -> None:
    listing = Listing(1200)
    assert collect(listing, first=2) == listing.ids[500:]


@pytest.mark.parametrize(
    "value",
    [
        None,
        "x",
        1,
        {},
        {"error": "x"},
        {"message": "quota"},
        {"items": None},
        {"items": {}},
        {"items": "x"},
        {"total": 0},
    ],
)
def test_what_is_no_list_is_malformed(value: object) -> None:
    with pytest.raises(MalformedAnswer):
        collect(lambda _number: value)


def test_a_plain_array_is_all_there_is() -> None:
    assert collect(lambda _number: [{"id": 1}, {"id": 2}]) == [1, 2]


def test_the_envelope_in_another_case_is_read() -> None:
    assert collect(lambda _number: {"Items": [{"id": 1}], "Total": 1}) == [1]
