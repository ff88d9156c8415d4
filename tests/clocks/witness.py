"""A second, slow reckoning that shares nothing with the first: holidays written by hand from the laws, Easter by Gauss's rule as Meeus gives it, months by
`dateutil`. What it covers: 2024 to 2033."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta

from dateutil.relativedelta import MO, WE, relativedelta

SATURDAY = 5
Days = set[date]


def easter(year: int) -> date:
    """Easter Sunday of the Gregorian calendar."""
    a, b, c = year % 19, year // 100, year % 100
    d, e = divmod(b, 4)
    f = (b + 8) // 25
    g = (b - f + 1) // 3
    h = (19 * a + b - d - g + 15) % 30
    i, k = divmod(c, 4)
    n = (32 + 2 * e + 2 * i - h - k) % 7
    m = (a + 11 * h + 22 * n) // 451
    month, day = divmod(h + n - 7 * m + 114, 31)
    return date(year, month, day + 1)


def fixed(year: int, *days: str) -> Days:
    """`"25.12"` of a year."""
    return {date(year, int(month), int(number)) for number, month in (day.split(".") for day in days)}


def movable(year: int, *offsets: int) -> Days:
    """Days so far from Easter Sunday: -2 Good Friday, 1 Easter Monday, 39 Ascension, 50 Whit Monday, 60 Corpus Christi."""
    return {easter(year) + timedelta(days=offset) for offset in offsets}


def france(year: int) -> Days:
    """Code du travail L3133-1."""
    return fixed(year, "1.1", "1.5", "8.5", "14.7", "15.8", "1.11", "11.11", "25.12") | movable(year, 1, 39, 50)


def alsace_moselle(year: int) -> Days:
    """The local law's two more."""
    return france(year) | fixed(year, "26.12") | movable(year, -2)


def belgium(year: int) -> Days:
    """The ten legal holidays."""
    return fixed(year, "1.1", "1.5", "21.7", "15.8", "1.11", "11.11", "25.12") | movable(year, 1, 39, 50)


def netherlands(year: int) -> Days:
    """King's Day is kept a day earlier on a Sunday; Liberation Day is a day off every fifth year."""
    kings_day = date(year, 4, 27) if date(year, 4, 27).weekday() <= SATURDAY else date(year, 4, 26)
    liberation = fixed(year, "5.5") if year % 5 == 0 else set()
    return fixed(year, "1.1", "25.12", "26.12") | movable(year, -2, 1, 39, 50) | liberation | {kings_day}


def germany(year: int) -> Days:
    """What all Länder have in common."""
    return fixed(year, "1.1", "1.5", "3.10", "25.12", "26.12") | movable(year, -2, 1, 39, 50)


def england(year: int) -> Days:
    """Bank holidays; what falls on a weekend is made up for on the next days."""
    start = date(year, 1, 1)
    days = movable(year, -2, 1) | {
        start + relativedelta(month=5, day=1, weekday=MO(1)),
        start + relativedelta(month=5, day=31, weekday=MO(-1)),
        start + relativedelta(month=8, day=31, weekday=MO(-1)),
    }
    for day in sorted(fixed(year, "1.1", "25.12", "26.12")):
        free = day
        while free.weekday() >= SATURDAY or free in days:
            free += timedelta(days=1)
        days |= {day, free}
    return days


EPIPHANY, ALL_SAINTS, REFORMATION, WOMEN, ASSUMPTION = "6.1", "1.11", "31.10", "8.3", "15.8"
CORPUS_CHRISTI = 60
LAENDER: dict[str, tuple[str | int, ...]] = {
    "BW": (EPIPHANY, CORPUS_CHRISTI, ALL_SAINTS),
    "BY": (EPIPHANY, CORPUS_CHRISTI, ALL_SAINTS),
    "BE": (WOMEN,),
    "BB": (REFORMATION,),
    "HB": (REFORMATION,),
    "HH": (REFORMATION,),
    "HE": (CORPUS_CHRISTI,),
    "MV": (WOMEN, REFORMATION),
    "NI": (REFORMATION,),
    "NW": (CORPUS_CHRISTI, ALL_SAINTS),
    "RP": (CORPUS_CHRISTI, ALL_SAINTS),
    "SL": (CORPUS_CHRISTI, ASSUMPTION, ALL_SAINTS),
    "SN": (REFORMATION,),
    "ST": (EPIPHANY, REFORMATION),
    "SH": (REFORMATION,),
    "TH": ("20.9", REFORMATION),
}


def land(code: str) -> Callable[[int], Days]:
    """The holidays of one of the Länder."""

    def days(year: int) -> Days:
        more = LAENDER[code]
        found = germany(year) | fixed(year, *(day for day in more if isinstance(day, str)))
        found |= movable(year, *(offset for offset in more if isinstance(offset, int)))
        if code == "SN":
            found.add(date(year, 11, 22) + relativedelta(weekday=WE(-1)))
        if code == "BE" and year == 2025:
            found.add(date(2025, 5, 8))
        return found

    return days


CALENDARS: dict[tuple[str, str], Callable[[int], Days]] = {
    ("FR", ""): france,
    ("FR", "57"): alsace_moselle,
    ("FR", "6AE"): alsace_moselle,
    ("BE", ""): belgium,
    ("NL", ""): netherlands,
    ("GB", ""): england,
    ("DE", ""): germany,
} | {("DE", code): land(code) for code in LAENDER}


def working_days(days_of: Callable[[int], Days]) -> Callable[[date], bool]:
    """Whether a day is a working day by a hand-written calendar."""
    resting = {day for year in range(2024, 2034) for day in days_of(year)}
    return lambda day: day.weekday() < SATURDAY and day not in resting


def due(received_on: date, *, months: int, is_working_day: Callable[[date], bool]) -> date:
    """So many months after receipt, or the first working day after that."""
    day: date = received_on + relativedelta(months=months)
    while not is_working_day(day):
        day += timedelta(days=1)
    return day
