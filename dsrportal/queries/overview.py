"""The overview for managers: what stands, what became of the answers, and what is to come, of one workspace or of all that a person manages.

Called by `views.overview`. A constant number of queries over tallies, whatever the number of requests; never writes, never calls Dastra.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from dsrportal.clocks import add_months
from dsrportal.models import SyncLane, TallyCheck, Workspace
from dsrportal.models.figures import TallyKind
from dsrportal.models.rules import policies_of, policy_of
from dsrportal.queries import forecast, freshness, overview_counts, overview_groups, overview_times, vocabulary
from dsrportal.queries.freshness import Freshness, clock_time
from dsrportal.queries.overview_cells import Cell, Column, Sureness, Table, count, head, sureness_of
from dsrportal.queries.overview_counts import STANDING, WEEKLY, Answers, Standing
from dsrportal.queries.overview_links import Links

TOOK_MONTHS = 6
TOOK = (TallyKind.TOOK_RIGHT, TallyKind.TOOK_AREA, TallyKind.TOOK_ASSIGNEE)


@dataclass(frozen=True, kw_only=True, slots=True)
class Figure:
    """One number on top: its name, its text (`4`, `at least 4`, `?`), the list behind it, and whether it calls for somebody."""

    name: str
    label: str
    text: str
    url: str
    is_alarming: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Overview:
    """What the page draws. `note` says what is unread and since when, `check` when the counts were last proved right; both may be empty."""

    figures: tuple[Figure, ...]
    tables: tuple[Table, ...]
    note: str
    check: str

    def table(self, key: str) -> Table | None:
        """One table, for its CSV."""
        return next((table for table in self.tables if table.key == key), None)


def of_workspace(workspace: Workspace, *, url: str, age: Freshness, now: datetime) -> Overview:
    """The overview of one workspace; `url` is its register's. Ten queries."""
    zone = ZoneInfo(workspace.time_zone)
    today = now.astimezone(zone).date()
    sureness = sureness_of(age, zone=zone, now=now)
    links, period, policy = Links(url=url), overview_counts.period_of(today), policy_of(workspace)
    known = vocabulary.of_workspace(workspace)
    lines = overview_counts.read_lines([workspace], kinds=(*STANDING, TallyKind.RISK))[workspace.pk]
    weekly = overview_counts.read_lines([workspace], kinds=WEEKLY, since=period.since)[workspace.pk]
    since = add_months(today.replace(day=1), 1 - TOOK_MONTHS)
    histograms = overview_counts.read_histograms(workspace, kinds=TOOK, since=since)
    paces = forecast.of_workspace(workspace, today=today, steps=known.steps)
    standing = overview_counts.standing(lines, policy=policy, today=today)
    with_all = overview_counts.answers(weekly, kind=TallyKind.CLOSED, overdue=standing.overdue)
    first = overview_counts.answers(weekly, kind=TallyKind.CLOSED_FIRST, overdue=standing.first_late)
    today_table = overview_times.figures(standing, links=links, sureness=sureness)
    tables = (
        today_table,
        overview_times.on_time(with_all, first=first, period=period, links=links, sureness=sureness, today=today),
        overview_times.weeks(weekly, period=period, links=links, sureness=sureness, today=today),
        overview_groups.load(lines, vocabulary=known, policy=policy, links=links, sureness=sureness, today=today),
        overview_times.ages(lines, links=links, sureness=sureness, today=today),
        overview_groups.risks(paces, lines, links=links, sureness=sureness, today=today),
        overview_groups.steps(paces, lines, links=links, sureness=sureness),
        *(
            overview_groups.took(kind, histograms[kind], vocabulary=known, links=links, since=since, today=today)
            for kind in TOOK
        ),
    )
    return Overview(
        figures=_figures(standing, table=today_table),
        tables=tables,
        note=sureness.note,
        check=_check(workspace, now=now),
    )


def of_workspaces(
    workspaces: Sequence[Workspace], *, urls: dict[int, tuple[str, str]], lanes: Iterable[SyncLane], now: datetime
) -> Overview:
    """The sums over several workspaces, and each by itself; `urls` gives each one's overview and register. Three queries.

    A disabled workspace is shown and not added up: nobody reads it, so it would make every sum a lower bound for ever.
    """
    lanes = list(lanes)
    policies = policies_of(workspaces)
    kinds = tuple(kind for kind in STANDING if kind != TallyKind.AGE)
    start = min((overview_counts.period_of(_today(one, now=now)).since for one in workspaces), default=now.date())
    lines = overview_counts.read_lines(workspaces, kinds=kinds)
    weekly = overview_counts.read_lines(workspaces, kinds=(TallyKind.CLOSED,), since=start)
    rows: list[tuple[Cell, ...]] = []
    added: list[tuple[Standing, Answers]] = []
    unread: list[Freshness] = []
    for workspace in workspaces:
        age = freshness.of_workspace(workspace, lanes=lanes, now=now)
        today = _today(workspace, now=now)
        standing = overview_counts.standing(lines[workspace.pk], policy=policies[workspace.pk], today=today)
        closed = overview_counts.answers(weekly[workspace.pk], kind=TallyKind.CLOSED, overdue=standing.overdue)
        overview_url, register_url = urls[workspace.pk]
        sureness = sureness_of(age, zone=ZoneInfo(workspace.time_zone), now=now)
        named = overview_times.figures(standing, links=Links(url=register_url), sureness=sureness)
        rows.append(
            (
                head(workspace.name, url=overview_url),
                *(row[1] for row in named.rows),
                count(overview_times.rate_text(closed, sureness=sureness), url=f"{overview_url}#answers"),
                Cell(text=age.text),
            )
        )
        if workspace.is_enabled:
            added.append((standing, closed))
            unread += [] if age.is_trustworthy else [age]
    sureness = _sureness_of_all(unread, now=now)
    total = _sum_of_standings([standing for standing, _closed in added], now=now)
    columns = (
        Column(text=_("Workspace"), is_number=False),
        *(Column(text=label) for label in overview_times.figure_names().values()),
        Column(text=_("In time, of 100")),
        Column(text=_("Data"), is_number=False),
    )
    table = Table(
        key="workspaces",
        title=_("By workspace"),
        sentence=sureness.note or _("All were read lately."),
        how=_("A disabled workspace is not in the sums."),
        columns=columns,
        rows=tuple(rows),
        is_wide=True,
    )
    figures = tuple(
        Figure(
            name=name,
            label=label,
            text=sureness.say(getattr(total, name)),
            url="#workspaces",
            is_alarming=name == "overdue" and total.overdue > 0,
        )
        for name, label in overview_times.figure_names().items()
    )
    sums = overview_times.figures(total, links=Links(url=""), sureness=sureness)
    return Overview(figures=figures, tables=(sums, table) if rows else (), note=sureness.note, check="")


def _today(workspace: Workspace, *, now: datetime) -> date:
    return now.astimezone(ZoneInfo(workspace.time_zone)).date()


def _figures(standing: Standing, *, table: Table) -> tuple[Figure, ...]:
    names = overview_times.figure_names()
    return tuple(
        Figure(
            name=name,
            label=label,
            text=row[1].text,
            url=row[1].url,
            is_alarming=name == "overdue" and standing.overdue > 0,
        )
        for (name, label), row in zip(names.items(), table.rows, strict=True)
    )


def _sureness_of_all(unread: list[Freshness], *, now: datetime) -> Sureness:
    if not unread:
        return Sureness(is_sure=True, read_on=None, note="")
    moments = [age.read_at for age in unread if age.read_at is not None]
    if not moments:
        text = ngettext("%(n)d workspace was not read yet.", "%(n)d workspaces were not read yet.", len(unread))
        return Sureness(is_sure=False, read_on=now.date(), note=text % {"n": len(unread)})
    text = ngettext(
        "%(n)d workspace unread since %(time)s.", "%(n)d workspaces unread, the first since %(time)s.", len(unread)
    )
    note = text % {"n": len(unread), "time": clock_time(min(moments), now=now)}
    return Sureness(is_sure=False, read_on=min(moments).date(), note=note)


def _sum_of_standings(standings: Sequence[Standing], *, now: datetime) -> Standing:
    names = ("open", "soon", "overdue", "paused", "undecided", "needs_data", "first_late")
    sums = {name: sum(getattr(one, name) for one in standings) for name in names}
    return Standing(soon_until=now.date(), **sums)


def _check(workspace: Workspace, *, now: datetime) -> str:
    check = TallyCheck.objects.filter(workspace=workspace).first()
    if check is None:
        return ""
    right, mended = (
        _("Counted anew %(time)s: all was right."),
        _("Counted anew %(time)s: some was wrong, and was mended."),
    )
    text = mended if check.differing else right
    return text % {"time": clock_time(check.checked_at, now=now)}
