"""Every day of nine years as a legal date, in six zones, by a sender that wakes at each of the 24 hours: which threshold is told when, against the oracle.

A case is one date, one zone, one hour. Its sender wakes once a day at half past that hour by the wall clock of the zone – twice where the clock is
put back, and about the gap where it is put forward – from weeks before the date until weeks after it. What it must find is in `oracle.py`.
For mails, the first half-hour after a waking at which a desk is at work is compared with the one that the rule says.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from functools import cache, lru_cache
from itertools import pairwise
from zoneinfo import ZoneInfo

from dsrportal.alerts.desks import Desk
from dsrportal.alerts.raising import decide
from dsrportal.alerts.thresholds import Dates, reached
from dsrportal.clocks import Policy, calendar_of, day_of
from dsrportal.models import Alert, Notice, Role, User, Workspace
from dsrportal.models.alerts import NoticeKind
from tests.alerts.proof.oracle import DIGEST, WORK_BEGINS, Told, almanac
from tests.alerts.proof.stage import Asked, make_workspace
from tests.alerts.stage import make_dsr, make_member

FIRST, LAST = date(2024, 1, 1), date(2032, 12, 31)
DAY = timedelta(days=1)
HALF_HOUR = timedelta(minutes=30)
BEFORE, AFTER = 45 * DAY, 21 * DAY
HOURS = range(24)
ZONES = {
    "Europe/Paris": "FR",
    "America/New_York": "US",
    "America/Santiago": "CL",  # the clock is put forward at midnight
    "Africa/Casablanca": "MA",  # the clock is put back for Ramadan
    "Asia/Kolkata": "IN",
    "Australia/Lord_Howe": "AU",  # by half an hour
}
Wake = tuple[datetime, date]


def check(asked: Asked) -> Iterator[Counter[str]]:
    """All of the table, or a share of its days; zone by zone."""
    met: Counter[str] = Counter()
    stride = max(1, round(1 / asked.share))
    for zone_name, country in ZONES.items():
        zone = ZoneInfo(zone_name)
        mails = _Mails(zone_name, country=country)
        for place in range(asked.seed % stride, (LAST - FIRST).days + 1, stride):
            due_on = FIRST + place * DAY
            for dates in (Dates(respond_by=due_on, extend_by=due_on), Dates(respond_by=None, extend_by=due_on)):
                _check_date(dates, due_on=due_on, country=country, zone=zone, met=met)
            for hour in HOURS:
                met["mails at the first moment allowed"] += mails.check(_waking(due_on, hour=hour, zone=zone))
            met["cases"] += len(HOURS)
        _waking.cache_clear()
        yield met


@cache
def _waking(day: date, *, hour: int, zone: ZoneInfo) -> tuple[Wake, ...]:
    """The instants at which the wall clock shows half past the hour, with the zone's day."""
    shown = datetime(day.year, day.month, day.day, hour, 30, tzinfo=zone)
    moments = {shown.astimezone(UTC), shown.replace(fold=1).astimezone(UTC)}
    return tuple((moment, day_of(moment, zone=zone)) for moment in sorted(moments))


def _check_date(dates: Dates, *, due_on: date, country: str, zone: ZoneInfo, met: Counter[str]) -> None:
    days = [due_on + n * DAY for n in range(-BEFORE.days, AFTER.days)]
    fires = almanac(country).fires(respond_by=dates.respond_by, extend_by=dates.extend_by)
    # A waking about a gap may belong to the day before or after.
    found = {day: _reached(dates, country=country, today=day) for day in [days[0] - DAY, *days, days[-1] + DAY]}
    _no_threshold_comes_back(found, met=met)
    for hour in HOURS:
        told: dict[Told, date] = {}
        for day in days:
            for _moment, today in _waking(day, hour=hour, zone=zone):
                for one in found[today]:
                    told.setdefault(one, today)
        assert told.keys() == fires.keys(), (dates, country, hour, told.keys() ^ fires.keys())
        for one, today in told.items():
            # There is a waking on each day: it is told on the very day, not before and not after.
            assert today == fires[one], (dates, country, hour, one, today, fires[one])
        met["told once, on the day"] += len(told)


def _reached(dates: Dates, *, country: str, today: date) -> list[Told]:
    own, overdue = reached(dates, calendar=calendar_of(country, "", frozenset()), today=today)
    found = [(str(one.threshold), one.due_on) for one in (*own, *overdue)]
    assert len(set(found)) == len(found), (dates, country, today, found)
    return found


def _no_threshold_comes_back(found: dict[date, list[Told]], *, met: Counter[str]) -> None:
    """What was told and gave way to something more pressing stays away."""
    gone: set[Told] = set()
    for before, after in pairwise(found.values()):
        gone |= set(before) - set(after)
        assert gone.isdisjoint(after), (before, after)
    met["days looked at"] += len(found)


class _Mails:
    """A desk of one zone, and for how many half-hours it was asked whether it is at work."""

    def __init__(self, zone_name: str, *, country: str) -> None:
        self._zone = ZoneInfo(zone_name)
        self._country = country
        self._at_work: dict[datetime, tuple[bool, bool]] = {}
        self._desk = Desk(
            person=User(pk=1),
            workspaces=(Workspace(pk=1, time_zone=zone_name, country=country),),
            managed=frozenset(),
            own=frozenset(),
            policies={1: Policy(country=country)},
        )

    def check(self, wakes: tuple[Wake, ...]) -> int:
        """After a waking, the first half-hour at which a mail may go is the one that the rule says: for what interrupts, and for the digest."""
        for moment, _today in wakes:
            for place, opens in enumerate((WORK_BEGINS, DIGEST)):
                goes = moment
                while not self._may_go(goes)[place]:
                    goes += HALF_HOUR
                wanted = almanac(self._country).mail_from(moment, zone=self._zone, opens=opens)
                assert goes == wanted.astimezone(UTC), (self._zone, moment, opens, goes, wanted)
        return 2 * len(wakes)

    def _may_go(self, moment: datetime) -> tuple[bool, bool]:
        known = self._at_work.get(moment)
        if known is None:
            is_at_work = self._desk.is_at_work(moment)
            known = self._at_work[moment] = (is_at_work, is_at_work and self._desk.is_digest_time(moment))
        return known


# A sample of the same through the database

GROUP = 21
SAMPLED_HOURS = range(1, 24, 3)


def sample(asked: Asked) -> Iterator[Counter[str]]:
    """A thousand of the cases in the ledger: for each zone and eight of the hours, 21 requests with legal dates near to one another, day by day."""
    met: Counter[str] = Counter()
    pairs = [(zone_name, hour) for hour in SAMPLED_HOURS for zone_name in ZONES][: asked.part_of(48)]
    for nth, (zone_name, hour) in enumerate(pairs):
        first = FIRST + ((nth * 997 + asked.seed) % ((LAST - FIRST).days - GROUP)) * DAY
        _sample_group(zone_name, nth=nth, hour=hour, first=first, met=met)
        if nth % 6 == 5:
            yield met
    yield met


def _sample_group(zone_name: str, *, nth: int, hour: int, first: date, met: Counter[str]) -> None:
    country, zone = ZONES[zone_name], ZoneInfo(zone_name)
    workspace = make_workspace(f"w{nth}", upstream_id=nth + 1, country=country, time_zone=zone_name)
    make_member(f"m{nth}", workspace=workspace, role=Role.MANAGER)
    expected: dict[tuple[int, str, date], datetime] = {}
    days = [first + n * DAY for n in range(-BEFORE.days, GROUP + AFTER.days)]
    wakes = sorted({_instant(day, hour=at, zone=zone) for day in days for at in {hour, 9}})
    for n in range(GROUP):
        due_on = first + n * DAY
        make_dsr(workspace, n + 1, respond_by=due_on, extend_by=due_on)
        for (code, on), day in almanac(country).fires(respond_by=due_on, extend_by=due_on).items():
            expected[n + 1, code, on] = next(one for one in wakes if one.astimezone(zone).date() >= day)
    for moment in wakes:
        decide(workspace, now=moment)
    rows = Alert.objects.filter(workspace=workspace)
    found = {(row.upstream_id, row.threshold, row.due_on): row.raised_at for row in rows}
    assert len(found) == rows.count(), "an alert twice"
    assert found == expected, {key: (found.get(key), expected.get(key)) for key in found.keys() ^ expected.keys()}
    met["cases in the database"] += GROUP
    met["alerts, each once and on its day"] += len(found)
    assert Notice.objects.filter(workspace=workspace, kind=NoticeKind.ALERT).count() == len(found)
    workspace.delete()
    User.objects.filter(username=f"m{nth}").delete()


@lru_cache(maxsize=4096)
def _instant(day: date, *, hour: int, zone: ZoneInfo) -> datetime:
    return datetime(day.year, day.month, day.day, hour, 30, tzinfo=zone).astimezone(UTC)
