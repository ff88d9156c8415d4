"""The overview's tables over time: the figures of today, answers in time, received and closed by week, the age of what is open. Pure.

Called by `queries.overview` with counts that are read already.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import date, timedelta

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from dsrportal.models import DataSubjectRequest
from dsrportal.models.figures import TallyKind
from dsrportal.queries import overview_charts as charts
from dsrportal.queries.clockmark import past_day, short_day
from dsrportal.queries.overview_cells import Cell, Column, Sureness, Table, count, grouped, head
from dsrportal.queries.overview_counts import Answers, Line, Period, Standing
from dsrportal.queries.overview_links import Links
from dsrportal.queries.register_spans import IN_TIME, LATE, UNJUDGED

CLOCK_OF = {"overdue": "overdue", "soon": "days5", "undecided": "extend", "paused": "paused", "needs_data": "unknown"}
"""The filter by clock behind a figure of today; the figure of what is open has none."""
LABELLED = 2
"""Of five weeks the third has its day below it."""
AGES = ((0, 7), (8, 14), (15, 30), (31, 60), (61, 90), (91, None))


def figure_names() -> dict[str, str]:
    """The figures of today in their order."""
    return {
        "open": _("Open"),
        "overdue": _("Overdue"),
        "soon": _("Due within 5 working days"),
        "undecided": _("Extend or answer soon"),
        "paused": _("Paused"),
        "needs_data": _("Date not known"),
    }


def figure_url(name: str, *, number: int, links: Links) -> str:
    """The list behind a figure of today."""
    if name == "open":
        return links.to(number, is_open=True)
    return links.to(number, clocks=(CLOCK_OF[name],))


def figures(now: Standing, *, links: Links, sureness: Sureness) -> Table:
    """What stands today, each with its list."""
    rows = []
    for name, label in figure_names().items():
        number: int = getattr(now, name)
        rows.append((head(label), count(sureness.say(number), url=figure_url(name, number=number, links=links))))
    return Table(
        key="figures",
        title=_("Today"),
        sentence=sureness.note,
        columns=(Column(text=_("What"), is_number=False), Column(text=_("Requests"))),
        rows=tuple(rows),
    )


def on_time(
    with_all: Answers, *, first: Answers, period: Period, links: Links, sureness: Sureness, today: date
) -> Table:
    """Answers in time: as the law allows it, and beside it as if nobody had paused or extended."""
    since = period.since
    lines: list[tuple[str, Cell, Cell]] = [
        (
            _("Closed in time"),
            count(
                grouped(with_all.in_time),
                url=links.closed(with_all.in_time, since=since, until=None, verdict=IN_TIME),
            ),
            count(grouped(first.in_time), url=links.closed(first.in_time, since=since, until=None, first=IN_TIME)),
        ),
        (
            _("Closed late"),
            count(grouped(with_all.late), url=links.closed(with_all.late, since=since, until=None, verdict=LATE)),
            count(grouped(first.late), url=links.closed(first.late, since=since, until=None, first=LATE)),
        ),
        (
            _("Open and late already"),
            count(sureness.say(with_all.overdue), url=links.to(with_all.overdue, clocks=("overdue",))),
            count(sureness.say(first.overdue), url=links.to(first.overdue, is_open=True, first=LATE)),
        ),
        (
            _("In time, of 100"),
            count(rate_text(with_all, sureness=sureness)),
            count(rate_text(first, sureness=sureness)),
        ),
    ]
    if with_all.unjudged:
        url = links.closed(with_all.unjudged, since=since, until=None, verdict=UNJUDGED)
        lines.append(
            (_("Closed without a known date, not counted"), count(grouped(with_all.unjudged), url=url), count(""))
        )
    return Table(
        key="answers",
        title=_("Answers in time"),
        sentence=_answers_sentence(with_all, sureness=sureness),
        how=_(
            "Closed since %(day)s; what is open and late counts as late. Beside it: had nobody paused or extended, by the end of the first period."
        )
        % {"day": short_day(since, today=today)},
        columns=(
            Column(text=_("Answers"), is_number=False),
            Column(text=_("As the law allows")),
            Column(text=_("Without pauses and extensions")),
        ),
        rows=tuple((head(name), one, other) for name, one, other in lines),
        chart=_rates_chart(with_all, first=first),
    )


def weeks(lines: Iterable[Line], *, period: Period, links: Links, sureness: Sureness, today: date) -> Table:
    """Received and closed, week by week."""
    received, closed = _by_day(lines, kind=TallyKind.RECEIVED), _by_day(lines, kind=TallyKind.CLOSED)
    rows, groups = [], []
    for nth, (first, last) in enumerate(period.weeks):
        into, out = received[first], closed[first]
        said = [sureness.say_of(number, until=last) for number in (into, out)]
        label = _("%(first)s to %(last)s") % {
            "first": past_day(first, today=today),
            "last": past_day(last, today=today),
        }
        rows.append(
            (
                head(label),
                count(said[0], url=links.to(into, anywhere=True, received_from=first, received_to=last)),
                count(said[1], url=links.closed(out, since=first, until=last)),
            )
        )
        groups.append(
            charts.Group(
                label=past_day(first, today=first) if nth % 5 == LABELLED else "",
                values=(into, out),
                titles=(
                    _("%(week)s: %(n)s received") % {"week": label, "n": said[0]},
                    _("%(week)s: %(n)s closed") % {"week": label, "n": said[1]},
                ),
                is_unsure=said != [grouped(into), grouped(out)],
            )
        )
    total_in, total_out = (sum(counts[first] for first, _last in period.weeks) for counts in (received, closed))
    return Table(
        key="weeks",
        title=_("Received and closed"),
        sentence=_("In 26 weeks %(received)s were received and %(closed)s closed.")
        % {
            "received": sureness.say(total_in),
            "closed": sureness.say(total_out),
        },
        columns=(Column(text=_("Week"), is_number=False), Column(text=_("Received")), Column(text=_("Closed"))),
        rows=tuple(rows),
        chart=charts.standing(groups, kinds=("accent", "plain"), legend=(_("Received"), _("Closed"))),
    )


def ages(lines: Iterable[Line], *, links: Links, sureness: Sureness, today: date) -> Table:
    """How long the open requests have been here."""
    days = _by_day(lines, kind=TallyKind.AGE)
    unknown = days.pop(DataSubjectRequest.NO_DAY, 0)
    rows, groups = [], []
    for least, most in AGES:
        first = today - timedelta(days=most) if most is not None else None
        # A day of receipt that lies ahead is a slip of the pen in Dastra; it counts as today.
        last = today - timedelta(days=least) if least else None
        number = sum(n for day, n in days.items() if (first is None or day >= first) and (last is None or day <= last))
        label = _("%(least)d to %(most)d days") % {"least": least, "most": most} if most else _("91 days and more")
        said = sureness.say(number)
        rows.append(
            (head(label), count(said, url=links.to(number, is_open=True, received_from=first, received_to=last)))
        )
        short = f"{least}–{most}" if most else f"{least}+"
        groups.append(
            charts.Group(label=short, values=(number,), titles=(f"{label}: {said}",), is_unsure=not sureness.is_sure)
        )
    if unknown:
        url = links.to(unknown, is_open=True, absent="receipt")
        rows.append((head(_("Day of receipt not known")), count(sureness.say(unknown), url=url)))
    old = sum(number for day, number in days.items() if (today - day).days > AGES[2][1])
    return Table(
        key="ages",
        title=_("Age of open requests"),
        sentence=ngettext(
            "%(n)s open request was received more than 30 days ago.",
            "%(n)s open requests were received more than 30 days ago.",
            old,
        )
        % {"n": sureness.say(old)},
        how=_("Days since receipt."),
        columns=(Column(text=_("Age"), is_number=False), Column(text=_("Open requests"))),
        rows=tuple(rows),
        chart=charts.standing(groups, kinds=("accent",)),
    )


def _by_day(lines: Iterable[Line], *, kind: TallyKind) -> Counter[date]:
    sums: Counter[date] = Counter()
    for line in lines:
        if line.kind == kind:
            sums[line.day] += line.number
    return sums


def rate_text(answers: Answers, *, sureness: Sureness) -> str:
    """`93 %`; "about" where the data are old, and a dash where there is nothing to judge."""
    if answers.rate is None:
        return "–"
    text = _("%(n)d %%") % {"n": answers.rate}
    return text if sureness.is_sure else _("about %s") % text


def _answers_sentence(answers: Answers, *, sureness: Sureness) -> str:
    if not answers.total:
        return _("Nothing was closed in 26 weeks, and nothing is known to be late.")
    text = ngettext(
        "%(in_time)s of %(total)s answer was in time; %(late)s open are late already.",
        "%(in_time)s of %(total)s answers were in time; %(late)s open are late already.",
        answers.total,
    )
    return text % {
        "in_time": grouped(answers.in_time),
        "total": grouped(answers.total),
        "late": sureness.say(answers.overdue),
    }


def _rates_chart(with_all: Answers, *, first: Answers) -> charts.Chart | None:
    if not with_all.total and not first.total:
        return None
    named = ((_("As the law allows"), with_all), (_("First period alone"), first))
    groups = [
        charts.Group(
            label=name,
            values=(answers.in_time, answers.late + answers.overdue),
            titles=(
                _("%(name)s: %(n)s in time") % {"name": name, "n": grouped(answers.in_time)},
                _("%(name)s: %(n)s late") % {"name": name, "n": grouped(answers.late + answers.overdue)},
            ),
        )
        for name, answers in named
    ]
    return charts.lying(groups, kinds=("done", "late"), legend=(_("In time"), _("Late")), is_stacked=True)
