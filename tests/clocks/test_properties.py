"""What holds for every request, whatever happened to it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

from dateutil.relativedelta import relativedelta
from hypothesis import given, settings
from hypothesis import strategies as st

from dsrportal.clocks import Extension, Facts, Pause, PausePolicy, Policy, Profile, calendar_of, compute
from tests.clocks import witness

DAY = timedelta(days=1)
days = st.dates(min_value=date(2024, 1, 1), max_value=date(2032, 12, 31))
spans = st.tuples(st.integers(-5, 120), st.one_of(st.none(), st.integers(0, 60)))
places = st.sampled_from([("FR", ""), ("FR", "57"), ("DE", "BY"), ("BE", ""), ("NL", ""), ("GB", "")])


@st.composite
def policies(draw: st.DrawFn) -> Policy:
    country, region = draw(places)
    return Policy(
        country=country,
        region=region,
        pause_policy=draw(st.sampled_from(PausePolicy)),
        profile=draw(st.sampled_from([Profile.GDPR, Profile.UK, Profile.CCPA])),
        added_holidays=frozenset(draw(st.sets(days, max_size=3))),
    )


@st.composite
def requests(draw: st.DrawFn) -> Facts:
    received_on = draw(days)
    pauses = [
        Pause(
            asked_on=(asked_on := received_on + begins * DAY),
            answered_on=None if length is None else asked_on + length * DAY,
        )
        for begins, length in draw(st.lists(spans, max_size=4))
    ]
    notice = draw(st.one_of(st.none(), st.integers(0, 60)))
    extension = Extension(notice_on=received_on + notice * DAY, has_ground=True) if notice is not None else None
    return Facts(received_on=received_on, pauses=tuple(pauses), extension=extension)


def due_on(facts: Facts, *, policy: Policy, today: date) -> date:
    found = compute(facts, policy=policy, today=today).respond_by
    assert found is not None
    return found


@given(requests(), policies(), st.integers(-10, 200))
@settings(deadline=None)
def test_the_answer_is_due_on_a_working_day_not_before_the_raw_date_nor_before_the_one_without_pauses(
    facts: Facts, policy: Policy, age: int
) -> None:
    assert facts.received_on is not None
    found = compute(facts, policy=policy, today=facts.received_on + age * DAY)
    assert found.respond_by is not None
    assert found.raw_on is not None
    assert found.without_pauses is not None
    assert policy.calendar.is_working_day(found.respond_by)
    assert found.without_pauses <= found.respond_by
    assert found.raw_on <= found.respond_by
    assert (
        found.extend_by
        == found.refuse_by
        == compute(replace(facts, pauses=()), policy=policy, today=date.min).extend_by
    )
    assert (found.pause_days > 0) >= (found.respond_by > found.without_pauses)


@given(
    days.filter(lambda day: day.year < 2032),
    places,
    st.lists(st.tuples(st.integers(0, 24), st.integers(0, 40)), max_size=4),
    st.sampled_from([1, 3]),
)
@settings(deadline=None)
def test_pauses_and_extensions_agree_with_a_second_reckoning(
    received_on: date, place: tuple[str, str], spans: list[tuple[int, int]], months: int
) -> None:
    pauses = [(received_on + begins * DAY, received_on + (begins + length) * DAY) for begins, length in spans]
    facts = Facts(
        received_on=received_on,
        pauses=tuple(Pause(asked_on=asked_on, answered_on=answered_on) for asked_on, answered_on in pauses),
        extension=Extension(notice_on=received_on, has_ground=True) if months == 3 else None,
    )
    still = {asked_on + n * DAY for asked_on, answered_on in pauses for n in range((answered_on - asked_on).days)}
    expected = received_on + relativedelta(months=months) + len(still) * DAY
    is_working_day = witness.working_days(witness.CALENDARS[place])
    while not is_working_day(expected):
        expected += DAY
    found = compute(facts, policy=Policy(country=place[0], region=place[1]), today=received_on)
    assert (found.respond_by, found.pause_days) == (expected, len(still))


@given(requests(), policies(), spans, st.integers(0, 200))
@settings(deadline=None)
def test_more_pause_never_gives_an_earlier_date(
    facts: Facts, policy: Policy, span: tuple[int, int | None], age: int
) -> None:
    assert facts.received_on is not None
    today = facts.received_on + age * DAY
    asked_on = facts.received_on + span[0] * DAY
    one = Pause(asked_on=asked_on, answered_on=None if span[1] is None else asked_on + span[1] * DAY)
    more = replace(facts, pauses=(*facts.pauses, one))
    assert due_on(more, policy=policy, today=today) >= due_on(facts, policy=policy, today=today)


@given(requests(), policies(), st.integers(0, 200))
@settings(deadline=None)
def test_the_days_left_fall_by_one_a_day_unless_a_pause_is_open(facts: Facts, policy: Policy, age: int) -> None:
    assert facts.received_on is not None
    answered = replace(facts, pauses=tuple(one for one in facts.pauses if one.answered_on is not None))
    today = facts.received_on + age * DAY
    one, next_one = (compute(answered, policy=policy, today=day) for day in (today, today + DAY))
    assert one.respond_by == next_one.respond_by
    assert one.days_left is not None
    assert next_one.days_left == one.days_left - 1
    assert one.overdue == (one.days_left < 0)


@given(requests(), policies(), st.permutations(range(4)))
@settings(deadline=None)
def test_the_order_in_which_pauses_are_told_changes_nothing(facts: Facts, policy: Policy, order: list[int]) -> None:
    assert facts.received_on is not None
    shuffled = tuple(facts.pauses[n] for n in order if n < len(facts.pauses))
    today = facts.received_on + 40 * DAY
    told, retold = (compute(one, policy=policy, today=today) for one in (facts, replace(facts, pauses=shuffled)))
    assert (retold.respond_by, retold.pause_days) == (told.respond_by, told.pause_days)


@given(days, st.integers(-40, 40), places)
@settings(deadline=None)
def test_counting_working_days_and_adding_them_agree(start: date, count: int, place: tuple[str, str]) -> None:
    calendar = calendar_of(*place, frozenset())
    end = calendar.add_working_days(start, count=count)
    if count >= 0 or calendar.is_working_day(start):
        assert calendar.working_days_between(after=start, until=end) == count
    assert count == 0 or calendar.is_working_day(end)


@given(days, st.integers(0, 100), places)
@settings(deadline=None)
def test_working_days_are_counted_as_a_finger_on_the_calendar_would(
    start: date, length: int, place: tuple[str, str]
) -> None:
    calendar = calendar_of(*place, frozenset({date(2026, 3, 3)}))
    end = start + length * DAY
    by_finger = sum(calendar.is_working_day(start + n * DAY) for n in range(1, length + 1))
    assert calendar.working_days_between(after=start, until=end) == by_finger
    assert calendar.working_days_between(after=end, until=start) == -by_finger


@given(days, st.integers(0, 15), places)
@settings(deadline=None)
def test_a_threshold_is_the_last_day_within_it(today: date, count: int, place: tuple[str, str]) -> None:
    calendar = calendar_of(*place, frozenset())
    last = calendar.last_day_within(today, working_days=count)
    assert calendar.working_days_between(after=today, until=last) <= count
    assert calendar.working_days_between(after=today, until=last + DAY) == count + 1
