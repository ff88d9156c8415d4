"""Groups of few stay hidden, and so does what would give them away; percentiles are what they say; bars stay within their chart."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsrportal.queries import overview_charts as charts
from dsrportal.queries.overview_cells import hidden, shown
from dsrportal.queries.percentiles import percentile

counts_of_groups = st.lists(st.integers(0, 9), max_size=5)


@given(counts_of_groups)
def test_a_group_of_one_to_four_is_never_shown(counts: list[int]) -> None:
    texts = [shown(number, is_hidden=veil) for number, veil in zip(counts, hidden(counts), strict=True)]
    for number, text in zip(counts, texts, strict=True):
        assert (text == "< 5") == (0 < number < 5)
        assert text in {"< 5", "5 or more", str(number)}


@given(counts_of_groups)
def test_the_total_gives_no_hidden_group_away(counts: list[int]) -> None:
    veils = hidden(counts)
    veiled = [number for number, veil in zip(counts, veils, strict=True) if veil]
    if not veiled or all(veils[nth] for nth, number in enumerate(counts) if number):
        return  # nothing is hidden, or nothing is left that could be hidden beside it
    # All that a reader knows: the rest and the total, so the sum of what is hidden, and of each whether it is below five.
    spans = [range(1, 5) if number < 5 else range(5, sum(veiled) + 1) for number in veiled]
    possible = [found for found in product(*spans) if sum(found) == sum(veiled)]
    for nth, number in enumerate(veiled):
        if number < 5:
            assert len({found[nth] for found in possible}) > 1


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        ([3, 20, 8], ["< 5", "20", "5 or more"]),
        ([0, 20, 8], ["0", "20", "8"]),
        ([2, 3, 20], ["< 5", "< 5", "20"]),
        ([1, 1, 20, 6], ["< 5", "< 5", "20", "5 or more"]),
    ],
)
def test_the_smallest_of_the_others_hides_with_a_lonely_one(counts: list[int], expected: list[str]) -> None:
    assert [shown(number, is_hidden=veil) for number, veil in zip(counts, hidden(counts), strict=True)] == expected


@given(st.lists(st.integers(0, 60), min_size=1, max_size=80), st.sampled_from([50, 85]))
def test_a_percentile_is_the_smallest_span_that_enough_kept_to(days: list[int], rank: int) -> None:
    found = percentile({day: days.count(day) for day in days}, rank=rank)
    assert found in days
    assert sum(day <= found for day in days) * 100 >= rank * len(days)
    assert sum(day < found for day in days) * 100 < rank * len(days)


def test_of_nothing_there_is_no_percentile() -> None:
    assert percentile({}, rank=50) is None


@given(st.lists(st.tuples(st.integers(0, 5000), st.integers(0, 5000)), max_size=26), st.booleans())
def test_bars_stay_within_their_chart_and_grow_with_their_value(
    values: list[tuple[int, int]],
    is_stacked: bool,  # noqa: FBT001
) -> None:
    groups = [charts.Group(label="x", values=pair, titles=("a", "b")) for pair in values]
    kinds, legend = ("accent", "plain"), ("One", "Other")
    for chart in (
        charts.standing(groups, kinds=kinds, legend=legend),
        charts.lying(groups, kinds=kinds, legend=legend, is_stacked=is_stacked),
    ):
        assert len(chart.bars) == 2 * len(values)
        for bar in chart.bars:
            assert bar.x >= 0
            assert bar.y >= 0
            assert bar.x + bar.width <= chart.width
            assert bar.y + bar.height <= chart.height
        sizes = [bar.width if chart.is_lying else bar.height for bar in chart.bars]
        numbers = [number for pair in values for number in pair]
        for number, size in zip(numbers, sizes, strict=True):
            assert (size > 0) == (number > 0)
