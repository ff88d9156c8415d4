"""The overview's tables by group: time to close by right, area and assignee, time in each step, the load to come, the forecast. Pure.

Called by `queries.overview` with counts that are read already. Groups of fewer than five are not shown as numbers (`overview_cells.hidden`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import date, timedelta

from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _

from dsrportal.clocks import Policy, Rest, holiday_name
from dsrportal.models import Tally
from dsrportal.models.figures import TallyKind
from dsrportal.queries import overview_charts as charts
from dsrportal.queries import words
from dsrportal.queries.clockmark import long_day, past_day, short_day
from dsrportal.queries.forecast import Forecast
from dsrportal.queries.overview_cells import Cell, Column, Sureness, Table, count, few, grouped, head, hidden, shown
from dsrportal.queries.overview_counts import Line
from dsrportal.queries.overview_links import Links
from dsrportal.queries.percentiles import FEWEST, HIGH, MEDIAN, percentile
from dsrportal.queries.vocabulary import Vocabulary

LOAD_WEEKS = 8
LEVELS = (1, 5, 10, 20)
MOST_BARS = 12
NONE = "–"

Histograms = Mapping[str, Counter[int]]


def took(
    kind: TallyKind, histograms: Histograms, *, vocabulary: Vocabulary, links: Links, since: date, today: date
) -> Table:
    """Time to close of the groups of one kind: how many, median, 85th percentile; the largest group first."""
    named = {TallyKind.TOOK_RIGHT: _right, TallyKind.TOOK_AREA: _area, TallyKind.TOOK_ASSIGNEE: _assignee}[kind]
    found = sorted(histograms.items(), key=lambda item: (-item[1].total(), item[0]))
    veiled = hidden([histogram.total() for _group, histogram in found])
    rows, bars = [], []
    for (group, histogram), is_hidden in zip(found, veiled, strict=True):
        name, asked = named(group, vocabulary)
        number = histogram.total()
        known = {days: n for days, n in histogram.items() if days != Tally.NO_DAYS}
        is_few = is_hidden or sum(known.values()) < FEWEST
        median, high = (None if is_few else percentile(known, rank=rank) for rank in (MEDIAN, HIGH))
        rows.append(
            (
                head(name),
                count(shown(number, is_hidden=is_hidden), url=links.closed(number, since=since, until=None, **asked)),
                count(_days(median)),
                count(_days(high)),
            )
        )
        if median is not None and high is not None:
            bars.append(
                charts.Group(
                    label=name,
                    values=(high, median),
                    titles=(
                        _("%(name)s: 85 of 100 within %(n)d days") % {"name": name, "n": high},
                        _("%(name)s: half within %(n)d days") % {"name": name, "n": median},
                    ),
                )
            )
    title, column = {
        TallyKind.TOOK_RIGHT: (_("Time to close by right"), _("Right")),
        TallyKind.TOOK_AREA: (_("Time to close by area"), _("Area")),
        TallyKind.TOOK_ASSIGNEE: (_("Time to close by assignee"), _("Assignee")),
    }[kind]
    return Table(
        key=kind.replace("_", "-"),
        title=title,
        sentence=_took_sentence(bars, since=since, today=today),
        how=_took_how(kind),
        columns=(
            Column(text=column, is_number=False),
            Column(text=_("Closed")),
            Column(text=_("Median, days")),
            Column(text=_("85th percentile, days")),
        ),
        rows=tuple(rows),
        chart=charts.lying(bars[:MOST_BARS], kinds=("plain", "accent"), legend=(_("85th percentile"), _("Median")))
        if bars
        else None,
    )


def steps(forecast: Forecast, lines: Iterable[Line], *, links: Links, sureness: Sureness) -> Table:
    """How long each step takes, and how many are in it."""
    inside: Counter[str] = Counter()
    for line in lines:
        if line.kind == TallyKind.OPEN:
            inside[line.group] += line.number
    rows, bars = [], []
    for pace in forecast.paces:
        number = inside.pop(str(pace.step.pk), 0)
        url = links.to(number, is_open=True, workflows=(pace.step.upstream_id,))
        left = few() if 0 < pace.count < FEWEST else grouped(pace.count)
        rows.append(
            (
                head(pace.step.label),
                count(sureness.say(number), url=url),
                count(left),
                count(_days(pace.median)),
                count(_days(pace.high)),
            )
        )
        if pace.median is not None and pace.high is not None:
            titles = (
                _("%(name)s: 85 of 100 within %(n)d days") % {"name": pace.step.label, "n": pace.high},
                _("%(name)s: half within %(n)d days") % {"name": pace.step.label, "n": pace.median},
            )
            bars.append(charts.Group(label=pace.step.label, values=(pace.high, pace.median), titles=titles))
    if number := sum(inside.values()):
        url = links.to(number, is_open=True, absent="step")
        rows.append((head(_("No step")), count(sureness.say(number), url=url), count(""), count(""), count("")))
    slowest = max(forecast.paces, key=lambda pace: pace.high or -1, default=None)
    sentence = _("No step was left often enough to say how long it takes.")
    if slowest is not None and slowest.high is not None:
        sentence = _("The longest step is “%(step)s”: 85 of 100 leave it within %(n)d days.") % {
            "step": slowest.step.label,
            "n": slowest.high,
        }
    return Table(
        key="steps",
        title=_("Time in each step"),
        sentence=sentence,
        how=_(
            "From the moves that the portal saw in the last twelve months; a step that was left fewer than five times has no figure."
        ),
        columns=(
            Column(text=_("Step"), is_number=False),
            Column(text=_("Open in it now")),
            Column(text=_("Times left")),
            Column(text=_("Median, days")),
            Column(text=_("85th percentile, days")),
        ),
        rows=tuple(rows),
        chart=charts.lying(bars[:MOST_BARS], kinds=("plain", "accent"), legend=(_("85th percentile"), _("Median")))
        if bars
        else None,
    )


def risks(forecast: Forecast, lines: Iterable[Line], *, links: Links, sureness: Sureness, today: date) -> Table:
    """What is likely to be late, by step, with how it was computed."""
    due: dict[str, Counter[date]] = {}
    for line in lines:
        if line.kind == TallyKind.RISK:
            due.setdefault(line.group, Counter())[line.day] += line.number
    rows, total = [], 0
    for pace in forecast.paces:
        span = forecast.span(pace, today=today)
        days = due.get(str(pace.step.pk), Counter())
        if span is None:
            if not pace.step.is_final and days:
                rows.append((head(pace.step.label), count(NONE), count(NONE)))
            continue
        number = sum(n for day, n in days.items() if span[0] <= day <= span[1])
        total += number
        url = links.to(number, workflows=(pace.step.upstream_id,), due_from=span[0], due_to=span[1])
        rows.append((head(pace.step.label), count(_days(pace.remaining)), count(sureness.say(number), url=url)))
    rows.append((head(_("All steps")), count(""), count(sureness.say(total), url=links.to(total, is_at_risk=True))))
    is_known = any(pace.remaining for pace in forecast.paces)
    sentence = _("No forecast yet: no step was left often enough to say how long it takes.")
    if is_known:
        sentence = ngettext(
            "%(n)s open request is likely to be late.", "%(n)s open requests are likely to be late.", total
        ) % {"n": sureness.say(total)}
    return Table(
        key="forecast",
        title=_("Forecast"),
        sentence=sentence,
        how=_(
            "For each open request the time of its step and of every step after it is added up, each by its 85th percentile, as if it had "
            "only just come into its step. Where that ends after the day to respond by, it is counted. A later step that less than half as "
            "many went through is left out, and a step without a figure counts as no time. What is overdue or paused already is not in it."
        ),
        columns=(
            Column(text=_("In step"), is_number=False),
            Column(text=_("Days still needed")),
            Column(text=_("Likely to be late")),
        ),
        rows=tuple(rows) if is_known else (),
    )


def load(
    lines: Iterable[Line],
    *,
    vocabulary: Vocabulary,
    policy: Policy | None,
    links: Links,
    sureness: Sureness,
    today: date,
) -> Table:
    """What is due by week and person; holidays stand over their week."""
    spans = _load_spans(today)
    cells: dict[str, Counter[int]] = {}
    for line in lines:
        if line.kind == TallyKind.RUNNING:
            place = next(nth for nth, (_since, until) in enumerate(spans) if until is None or line.day <= until)
            cells.setdefault(line.group, Counter())[place] += line.number
    people = sorted(cells, key=lambda group: (not group, _assignee(group, vocabulary)[0].casefold()))
    rows = []
    for group in people:
        name, asked = _assignee(group, vocabulary)
        row = [head(name)]
        for place, (since, until) in enumerate(spans):
            number = cells[group][place]
            url = links.to(number, due_from=since, due_to=until, **asked)
            row.append(_load_cell(number, url=url, sureness=sureness))
        rows.append(tuple(row))
    totals = [sum(cells[group][place] for group in people) for place in range(len(spans))]
    last = [head(_("Everybody"))]
    for place, (since, until) in enumerate(spans):
        url = links.to(totals[place], due_from=since, due_to=until)
        last.append(count(sureness.say(totals[place]), url=url))
    fullest = max(range(1, LOAD_WEEKS + 1), key=lambda place: totals[place])
    sentence = _("Nothing is due in the next eight weeks.")
    if totals[fullest]:
        sentence = _("The fullest of the next eight weeks is that of %(day)s, with %(n)s due.") % {
            "day": short_day(spans[fullest][0] or today, today=today),
            "n": sureness.say(totals[fullest]),
        }
    return Table(
        key="load",
        title=_("Due by week and person"),
        sentence=sentence,
        how=_("By the day to respond by; what is paused has none and is not in it. The darker, the more."),
        columns=(Column(text=_("Assignee"), is_number=False), *_load_heads(spans, policy=policy, today=today)),
        rows=(*rows, tuple(last)) if rows else (),
        is_heat_map=True,
        is_wide=True,
    )


def _load_spans(today: date) -> list[tuple[date | None, date | None]]:
    """What is overdue, eight weeks from today on (the first one is what is left of it), and all that comes later."""
    monday = today - timedelta(days=today.weekday())
    weeks = [(monday + timedelta(weeks=nth), monday + timedelta(weeks=nth, days=6)) for nth in range(LOAD_WEEKS)]
    weeks[0] = (today, weeks[0][1])
    return [(None, today - timedelta(days=1)), *weeks, (weeks[-1][1] + timedelta(days=1), None)]


def _load_heads(
    spans: list[tuple[date | None, date | None]], *, policy: Policy | None, today: date
) -> Iterable[Column]:
    yield Column(text=_("Overdue"))
    for since, until in spans[1:-1]:
        assert since is not None  # noqa: S101  only the first and the last span are open
        assert until is not None  # noqa: S101
        free = [
            (day, rest)
            for day, rest in (policy.calendar.skipped(since=since, until=until + timedelta(days=1)) if policy else ())
            if rest in {Rest.HOLIDAY, Rest.ADDED}
        ]
        note = ngettext("%(n)d holiday", "%(n)d holidays", len(free)) % {"n": len(free)} if free else ""
        names = ", ".join(_holiday(day, rest, policy=policy) for day, rest in free)
        yield Column(text=past_day(since, today=today), note=note, title=names)
    yield Column(text=_("Later"))


def _holiday(day: date, rest: Rest, *, policy: Policy | None) -> str:
    name = _("added by an admin")
    if rest == Rest.HOLIDAY and policy is not None:
        calendar = policy.calendar
        language = (get_language() or "en")[:2]
        name = holiday_name(day, country=calendar.country, region=calendar.region, language=language)
    return f"{long_day(day)} ({name})"


def _load_cell(number: int, *, url: str, sureness: Sureness) -> Cell:
    """Shown however small: it is work to hand out, of which the reader has the list, and tells nothing of how a person works."""
    if not number:
        return count(sureness.say(0), url="" if sureness.is_sure else url, level=0)
    level = sum(number >= least for least in LEVELS)
    return count(sureness.say(number), url=url, level=level)


def _right(group: str, _vocabulary: Vocabulary) -> tuple[str, dict[str, object]]:
    return (words.right(group), {"purposes": (group,)}) if group else (_("No right"), {"absent": "right"})


def _area(group: str, vocabulary: Vocabulary) -> tuple[str, dict[str, object]]:
    area = vocabulary.areas.get(int(group)) if group else None
    return (area.label, {"area_id": area.upstream_id}) if area else (_("No area"), {"absent": "area"})


def _assignee(group: str, vocabulary: Vocabulary) -> tuple[str, dict[str, object]]:
    operator = vocabulary.operators.get(int(group)) if group else None
    if operator is None:
        return _("Unassigned"), {"unassigned": True}
    return vocabulary.shown_operator(operator.pk), {"users": (operator.upstream_id,)}


def _days(number: int | None) -> str:
    return NONE if number is None else grouped(number)


def _took_sentence(bars: list[charts.Group], *, since: date, today: date) -> str:
    if not bars:
        return _("Too few were closed since %s to say how long it takes.") % short_day(since, today=today)
    return _("Days from receipt to closing, of what was closed since %s.") % short_day(since, today=today)


def _took_how(kind: TallyKind) -> str:
    veil = _("A group of fewer than five shows no numbers, so that nobody can be singled out.")
    if kind == TallyKind.TOOK_RIGHT:
        return _("A request that invokes several rights counts for each of them.") + " " + veil
    return veil
