"""Where the bars of a chart stand: numbers for an SVG that the server draws. Pure; whole units alone, so that no language puts a comma in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

WIDTH, HEIGHT = 640, 200
LEFT, BOTTOM, TOP = 40, 24, 12
ROW, NAME, THICK = 46, 18, 18
"""A lying row: how high it is, where its name's line stands in it, how thick its bar is below the name."""
START = 12
"""Where lying bars begin: half a figure of the axis must fit before them."""
ROUND = (10, 12, 16, 20, 24, 30, 40, 50, 60, 80)
SERIES = ("accent", "plain", "done", "late")


@dataclass(frozen=True, kw_only=True, slots=True)
class Bar:
    """A rectangle. `kind` is one of `SERIES`; an unsure one is hatched."""

    x: int
    y: int
    width: int
    height: int
    kind: str
    title: str
    is_unsure: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Mark:
    """A text at a place; `anchor` is SVG's."""

    x: int
    y: int
    text: str
    anchor: str = "middle"


@dataclass(frozen=True, kw_only=True, slots=True)
class Chart:
    """Bars, the lines behind them (their y or x), texts, and what the colours mean. `is_lying`: rows of bars from left to right."""

    width: int
    height: int
    bars: tuple[Bar, ...]
    lines: tuple[int, ...]
    marks: tuple[Mark, ...]
    legend: tuple[tuple[str, str], ...] = ()
    is_lying: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Group:
    """What stands at one place of the axis: its label (may be empty), a value and a title for each series."""

    label: str
    values: tuple[int, ...]
    titles: tuple[str, ...]
    is_unsure: bool = False


def standing(groups: Sequence[Group], *, kinds: Sequence[str], legend: Sequence[str] = ()) -> Chart:
    """Columns side by side, with an axis of three lines."""
    top = _round_up(max((value for group in groups for value in group.values), default=0))
    floor, room = HEIGHT - BOTTOM, HEIGHT - BOTTOM - TOP
    slot = (WIDTH - LEFT) // max(len(groups), 1)
    thick = max((slot - max(slot // 4, 2)) // max(len(kinds), 1), 1)
    bars, marks = [], []
    for place, group in enumerate(groups):
        left = LEFT + place * slot + (slot - thick * len(kinds)) // 2
        for nth, value in enumerate(group.values):
            height = value * room // top
            if value:
                height = max(height, 1)
            bars.append(
                Bar(
                    x=left + nth * thick,
                    y=floor - height,
                    width=max(thick - 1, 1),
                    height=height,
                    kind=kinds[nth],
                    title=group.titles[nth],
                    is_unsure=group.is_unsure,
                )
            )
        if group.label:
            marks.append(Mark(x=LEFT + place * slot + slot // 2, y=HEIGHT - 6, text=group.label))
    steps = (0, top // 2, top) if top > 1 else (0, top)
    marks += [Mark(x=LEFT - 6, y=floor - step * room // top + 4, text=str(step), anchor="end") for step in steps]
    lines = tuple(floor - step * room // top for step in steps)
    return Chart(
        width=WIDTH,
        height=HEIGHT,
        bars=tuple(bars),
        lines=lines,
        marks=tuple(marks),
        legend=tuple(zip(kinds, legend, strict=False)),
    )


def lying(groups: Sequence[Group], *, kinds: Sequence[str], legend: Sequence[str], is_stacked: bool = False) -> Chart:
    """A row for each group: its name, and below it its bars, one inside the other (the longest first), or, stacked, one after the other."""
    longest = (sum(group.values) if is_stacked else max(group.values) for group in groups)
    top = _round_up(max(longest, default=0))
    room, height = WIDTH - START - LEFT, ROW * len(groups) + BOTTOM
    bars, marks = [], []
    for place, group in enumerate(groups):
        y = place * ROW
        marks.append(Mark(x=START, y=y + NAME, text=_clipped(group.label), anchor="start"))
        for nth, value in enumerate(group.values):
            width = value * room // top
            inset = 0 if is_stacked else 4 * nth
            before = sum(group.values[:nth]) * room // top if is_stacked else 0
            bars.append(
                Bar(
                    x=START + before,
                    y=y + NAME + 6 + inset,
                    width=max(width, 1) if value else 0,
                    height=THICK - 2 * inset,
                    kind=kinds[nth],
                    title=group.titles[nth],
                    is_unsure=group.is_unsure,
                )
            )
    steps = (0, top // 2, top) if top > 1 else (0, top)
    marks += [Mark(x=START + step * room // top, y=height - 6, text=str(step)) for step in steps]
    return Chart(
        width=WIDTH,
        height=height,
        bars=tuple(bars),
        lines=tuple(START + step * room // top for step in steps),
        marks=tuple(marks),
        legend=tuple(zip(kinds, legend, strict=False)),
        is_lying=True,
    )


def _round_up(value: int) -> int:
    """A little more than the value, such that it and its half are short numbers: 1, 2, 4, 6, 8, 10, 12, 16, 20, 24, 30, …, 80, 100, 120, …"""
    unit = 1
    while value > ROUND[-1] * unit:
        unit *= 10
    steps = (1, 2, 4, 6, 8, *ROUND) if unit == 1 else ROUND
    return next(step * unit for step in steps if value <= step * unit)


def _clipped(text: str) -> str:
    longest = 40
    return text if len(text) <= longest else f"{text[: longest - 1]}…"
