"""Walks a paged list to its end, whatever the server does with the page size and the total. Called by `client.py`.

Advances by what came, never by what was asked for, and would rather raise IncompleteList than call a cut list complete.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator
from dataclasses import dataclass, replace
from typing import Any, Protocol, TypeVar

from .errors import IncompleteList, MalformedAnswer, NotFound, Rejected
from .reading import many
from .row import Row
from .schema import Page
from .values import BadValueError, whole_number
from .wire_json import RepeatedKeys

LARGEST_PAGE = 500
SMALL_PAGE = 50
"""What is asked for where a larger page is too large an answer."""
MOST_PAGES = 2_000
MOST_NAMELESS_PAGES = 5
_PAST_THE_END = {400, 404, 410}


class HasId(Protocol):
    @property
    def upstream_id(self) -> int: ...


Identified = TypeVar("Identified", bound=HasId)


@dataclass(frozen=True, slots=True)
class Envelope:
    """A list answer: its rows, the server's total where it is a number that can be meant, and whether it is all there is."""

    rows: list[Any]
    total: int | None = None
    whole: bool = False


def rows_of(value: object) -> Envelope:
    """`{items, total, size, page}`, `{workSpaces}` or a plain array. Raises MalformedAnswer for anything else."""
    if isinstance(value, list):
        return Envelope(value, whole=True)
    if isinstance(value, dict) and not isinstance(value, RepeatedKeys):
        fields = {key.lower(): entry for key, entry in value.items()}
        if isinstance(fields.get("items"), list):
            return Envelope(fields["items"], total=_total(fields.get("total")))
        if isinstance(fields.get("workspaces"), list):
            return Envelope(fields["workspaces"], whole=True)
    raise MalformedAnswer("Dastra answered with something else than a list.")


def walk(
    fetch: Callable[[int], object], *, read: Callable[[Row], Identified], first: int = 1
) -> Iterator[Page[Identified]]:
    """The pages from number `first` on. `fetch` gets a page number and gives the decoded answer.

    A sane total ends the walk as soon as so many rows came; without one, a page shorter than the longest before it or an
    empty one does. Raises IncompleteList for an empty page that the total contradicts, for a page that only repeats,
    for page after page without a single usable id, and past 2,000 pages.
    """
    known: set[int] = set()
    previous: list[int | None] = []
    row_count = 0
    longest = 0
    nameless = 0
    expected: int | None = None
    for number in range(first, first + MOST_PAGES):
        try:
            envelope = rows_of(fetch(number))
        except (NotFound, Rejected) as error:
            if number == first or error.status not in _PAST_THE_END:
                raise
            if expected is not None:
                raise IncompleteList("Dastra's list ended before the count that it gave.") from error
            return
        page = replace(many(envelope.rows, read=read), total=envelope.total, number=number)
        ids: list[int | None] = [item.upstream_id for item in page.items]
        ids.extend(row.upstream_id for row in page.rejected)
        row_count += page.size
        # A start in the middle says nothing of how many rows lie before it, so only a start at page 1 can be counted.
        expected = envelope.total if first == 1 and envelope.total is not None and envelope.total >= row_count else None
        if number > first and ids and known.issuperset(ids):
            if expected is None and number > first + 1 and ids == previous:
                return  # a server that answers past its end with its last page again
            raise IncompleteList("Dastra sends the same page of its list again and again.")
        nameless = nameless + 1 if ids and not any(ids) else 0
        if nameless > MOST_NAMELESS_PAGES:
            raise IncompleteList("Dastra sends page after page of rows that nobody can tell apart.")
        if not ids and expected is not None and expected > row_count:
            raise IncompleteList("Dastra sent an empty page before the end of its list.")
        yield page
        short = not ids or (number > first and page.size < longest)
        if envelope.whole or (row_count >= expected if expected is not None else short):
            return
        known.update(upstream_id for upstream_id in ids if upstream_id is not None)
        previous = ids
        longest = max(longest, page.size)
    raise IncompleteList("Dastra's list has no end.")


def without(page: Page[Identified], *, ids: Container[int]) -> Page[Identified]:
    """The page, less the items that were handed out before."""
    return replace(page, items=tuple(item for item in page.items if item.upstream_id not in ids))


def _total(value: object) -> int | None:
    """A count that can be meant: a whole number or its digits, not negative, not beyond what a walk could ever reach."""
    try:
        total = whole_number(value)
    except BadValueError:
        return None
    return total if 0 <= total <= MOST_PAGES * LARGEST_PAGE else None
