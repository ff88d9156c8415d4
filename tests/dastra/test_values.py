"""Single values: what is taken, what is put right, what is set aside."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsrportal.dastra import values
from dsrportal.dastra.values import BadValueError


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("2023-09-18T10:31:30.6882299", "2023-09-18T10:31:30.688229+00:00"),
        ("2023-09-18T10:31:30", "2023-09-18T10:31:30+00:00"),
        ("2023-09-18T10:31:30.6", "2023-09-18T10:31:30.600000+00:00"),
        ("2023-09-18T10:31:30.123456789", "2023-09-18T10:31:30.123456+00:00"),
        ("2023-09-18T10:31:30,5", "2023-09-18T10:31:30.500000+00:00"),
        ("2023-09-18T10:31:30.5Z", "2023-09-18T10:31:30.500000+00:00"),
        ("2023-09-18T10:31:30+02:00", "2023-09-18T08:31:30+00:00"),
        ("2023-09-18T10:31:30-0530", "2023-09-18T16:01:30+00:00"),
        ("2023-09-18 10:31", "2023-09-18T10:31:00+00:00"),
        ("2023-09-18", "2023-09-18T00:00:00+00:00"),
        ("2026-03-29T02:30:00", "2026-03-29T02:30:00+00:00"),
        ("2024-02-29T23:59:59.9999999", "2024-02-29T23:59:59.999999+00:00"),
        ("2100-01-01T00:00:00", "2100-01-01T00:00:00+00:00"),
    ],
)
def test_dates_are_utc_and_cut_to_the_microsecond(written: str, expected: str) -> None:
    found = values.instant(written)
    assert found is not None
    assert found.isoformat() == expected
    assert found.tzinfo is UTC


@pytest.mark.parametrize("written", ["0001-01-01T00:00:00", "0001-01-01T00:00:00Z", "0001-01-01T01:00:00+02:00"])
def test_the_first_year_means_no_date(written: str) -> None:
    assert values.instant(written) is None


@pytest.mark.parametrize(
    "written",
    [
        "",
        "null",
        "2023-02-30",
        "2023-13-01T00:00:00",
        "2023-01-01T24:00:00",
        "2023-01-01T10:00:60",
        "2023-01-01T10:00:00+99:00",
        "2023-01-01T10:00:00+02:75",
        "2023-01-01T10:00:00 02:00",
        "2023-01-01T10:00:00.1234567891",
        "2023-01-01T10:00:00.",
        "2023-01-01T10:00:00Z\n",
        "/Date(1700000000000)/",
        "18/09/2023",
        "２０２３-01-01T10:00:00",
        "0000-01-01",
        "9999-12-31T23:59:59.9999999",
        1700000000,
        1700000000000,
        1.5,
        True,
        [],
    ],
)
def test_what_is_no_date_is_never_guessed(written: object) -> None:
    with pytest.raises(BadValueError) as caught:
        values.instant(written)
    assert str(written) not in str(caught.value) or written == ""


@given(st.datetimes(min_value=datetime(2, 1, 1), max_value=datetime(9998, 12, 31)))  # noqa: DTZ001  (drawn naive)
def test_every_date_that_python_writes_is_read_back(moment: datetime) -> None:
    assert values.instant(moment.isoformat()) == moment.replace(tzinfo=UTC)


@given(st.text())
def test_no_text_breaks_the_reader_of_dates(written: str) -> None:
    try:
        found = values.instant(written)
    except BadValueError:
        return
    assert found is None or found.tzinfo is UTC


@pytest.mark.parametrize(("written", "expected"), [(1, 1), ("17", 17), ("007", 7), (2**63 - 1, 2**63 - 1)])
def test_ids_are_numbers_or_their_digits(written: object, expected: int) -> None:
    assert values.identifier(written) == expected


@pytest.mark.parametrize(
    "written", [0, -1, 2**63, 17.0, 1e3, True, False, None, "", "17 ", "-1", "1e3", "1" * 30, "１７", {}, []]
)
def test_anything_else_is_no_id(written: object) -> None:
    with pytest.raises(BadValueError):
        values.identifier(written)


@pytest.mark.parametrize(
    ("written", "expected"), [(True, True), (False, False), ("True", True), (" false", False), (1, True), (0, False)]
)
def test_flags_have_several_spellings(written: object, *, expected: bool) -> None:
    assert values.flag(written) is expected


@pytest.mark.parametrize("written", [2, "yes", "", [], 1.0])
def test_what_is_no_flag(written: object) -> None:
    with pytest.raises(BadValueError):
        values.flag(written)


def test_texts_lose_what_databases_refuse() -> None:
    assert values.text("a\0b") == "ab"
    assert values.text("a\ud800b\udfff") == "a\ufffdb\ufffd"
    assert values.text("👩‍👩‍👧 e\u0301 \u202eabc") == "👩‍👩‍👧 e\u0301 \u202eabc"
    assert values.text(3) == "3"


@pytest.mark.parametrize("written", [True, 1.5, [], {}])
def test_what_is_no_text(written: object) -> None:
    with pytest.raises(BadValueError):
        values.text(written)


@pytest.mark.parametrize("written", ["#fff", "#1E8EE1"])
def test_colours_that_may_reach_a_style(written: str) -> None:
    assert values.color(written) == written


@pytest.mark.parametrize("written", ["red", "#12", "#12345", "#1E8EE1FF", "#fff\n", "red;background:url(//x)", 7])
def test_colours_that_may_not(written: object) -> None:
    with pytest.raises(BadValueError):
        values.color(written)


@pytest.mark.parametrize(("written", "expected"), [(0, 0), (-6, -6), ("12 ", 12), (2**31 - 1, 2**31 - 1)])
def test_whole_numbers(written: object, expected: int) -> None:
    assert values.whole_number(written) == expected


@pytest.mark.parametrize("written", [2**31, 1.0, True, "1.0", "", None])
def test_what_is_no_whole_number(written: object) -> None:
    with pytest.raises(BadValueError):
        values.whole_number(written)
