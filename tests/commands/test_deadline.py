"""`manage.py deadline`: the clocks on a terminal, and as one line for machines."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from django.core.management import call_command

KEYS = [
    "respond_by",
    "extend_by",
    "refuse_by",
    "without_pauses",
    "extension_valid",
    "days_left",
    "working_days_left",
    "overdue",
    "upstream_rule",
]


def run(*arguments: str) -> tuple[int, str, str]:
    """Exit code, standard output, standard error."""
    out, err = io.StringIO(), io.StringIO()
    try:
        call_command("deadline", *arguments, stdout=out, stderr=err)
    except SystemExit as end:
        return int(end.code or 0), out.getvalue(), err.getvalue()
    return 0, out.getvalue(), err.getvalue()


def ask(*arguments: str) -> dict[str, Any]:
    """The line for machines, read."""
    code, out, err = run(*arguments, "--json")
    assert (code, err, out.count("\n")) == (0, "", 1)
    said: dict[str, Any] = json.loads(out)
    return said


def test_the_line_for_machines_holds_every_clock() -> None:
    said = ask("--received", "2026-03-02", "--pause", "2026-03-04:2026-03-16", "--today", "2026-04-10")
    assert [said[key] for key in KEYS] == [
        "2026-04-14",
        "2026-04-02",
        "2026-04-02",
        "2026-04-02",
        None,
        4,
        2,
        False,
        "2026-04-01",
    ]
    assert any(
        line.startswith("R13 (EDPB Guidelines 01/2022): Asked on Wednesday 4 March 2026") for line in said["trace"]
    )


def test_an_extension_counts_only_in_time() -> None:
    said = ask("--received", "2026-02-10", "--extended-on", "2026-03-06", "--today", "2026-05-12")
    assert (said["respond_by"], said["extension_valid"], said["overdue"]) == ("2026-05-11", True, True)
    assert (said["days_left"], said["working_days_left"]) == (-1, -1)
    late = ask("--received", "2026-04-15", "--extended-on", "2026-05-18")
    assert (late["respond_by"], late["extension_valid"]) == ("2026-05-15", False)


def test_several_pauses_overlap_and_one_may_be_open() -> None:
    pauses = ["--pause", "2026-06-03:2026-06-10", "--pause", "2026-06-08:2026-06-12"]
    assert ask("--received", "2026-06-01", *pauses, "--today", "2026-06-20")["respond_by"] == "2026-07-10"
    said = ask("--received", "2026-06-01", "--pause", "2026-06-03:", "--today", "2026-06-10")
    assert (said["respond_by"], said["without_pauses"], said["state"]) == ("2026-07-08", "2026-07-01", "paused")


@pytest.mark.parametrize(
    ("arguments", "respond_by"),
    [
        pytest.param(["--received", "2026-03-31T22:30Z"], "2026-05-04", id="an instant is a day of the zone"),
        pytest.param(["--received", "2026-03-31T21:30:00+00:00"], "2026-04-30", id="with an offset"),
        pytest.param(["--received", "2026-03-31T22:30"], "2026-04-30", id="without one it is the zone's own"),
        pytest.param(["--received", "2026-03-31T22:30Z", "--time-zone", "UTC"], "2026-04-30", id="another zone"),
        pytest.param(["--received", "2026-04-01", "--profile", "uk"], "2026-05-01", id="the United Kingdom"),
        pytest.param(["--received", "2026-11-25", "--profile", "uk"], "2026-12-29", id="England's substitute days"),
        pytest.param(["--received", "2026-03-06", "--profile", "uk", "--region", "SCT"], "2026-04-06", id="Scotland"),
        pytest.param(["--received", "2026-03-03", "--region", "57"], "2026-04-07", id="Moselle"),
        pytest.param(["--received", "2026-06-14", "--country", "de"], "2026-07-14", id="Germany, in small letters"),
        pytest.param(["--received", "2026-03-02", "--profile", "ccpa"], "2026-04-16", id="California"),
        pytest.param(["--received", "2099-03-02"], "2099-04-02", id="the future"),
        pytest.param(
            ["--received", "2026-02-10", "--profile", "upstream", "--expires", "2026-03-13T23:30:00.1234567Z"],
            "2026-03-14",
            id="Dastra's own date",
        ),
        pytest.param(
            ["--received", "2026-03-02", "--pause", "2026-03-04:2026-03-16", "--pause-policy", "restart"],
            "2026-04-16",
            id="restart",
        ),
    ],
)
def test_the_law_and_the_place_decide(arguments: list[str], respond_by: str) -> None:
    assert ask(*arguments)["respond_by"] == respond_by


def test_dastras_rule_is_ninety_days_for_a_complex_request() -> None:
    assert ask("--received", "2026-02-10", "--complex")["upstream_rule"] == "2026-05-11"


def test_people_read_the_dates_and_the_reasons() -> None:
    code, out, _err = run("--received", "2026-04-01", "--today", "2026-05-04", "--refused-on", "2026-05-05")
    assert code == 0
    assert "Respond by        Monday 4 May 2026 (due today)" in out
    assert "Refuse by         Monday 4 May 2026 (told too late)" in out
    assert "Dastra's 30 days  Friday 1 May 2026 (3 days earlier than the law)" in out
    assert "R5, R6 (Reg. 1182/71 Art. 3(4); Reg. 1182/71 Art. 2(1)): No working day: Friday 1 May 2026" in out


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ([], "--received: This day is needed."),
        (["--received", "31/03/2026"], "--received: “31/03/2026” is no day"),
        (["--received", "2026-02-30"], "--received: “2026-02-30” is no day"),
        (["--received", "20260302"], "--received: “20260302” is no day"),
        (["--received", "2026-03-02T"], "--received: “2026-03-02T” is no day"),
        (["--received", "0001-01-01"], "--received: “0001-01-01” is too far away."),
        (["--received", "9999-12-31T23:59Z"], "--received: “9999-12-31T23:59Z” is too far away."),
        (["--received", "2026-03-02", "--today", "soon"], "--today: “soon” is no day"),
        (["--received", "2026-03-02", "--country", "XX"], "--country: No holidays are known for the country “XX”."),
        (["--received", "2026-03-02", "--country", "FRA"], "--country: Ensure this value has at most 2 characters"),
        (["--received", "2026-03-02", "--region", "BY"], "--region: No holidays are known for the region “BY” of FR."),
        (["--received", "2026-03-02", "--profile", "uk", "--region", "BY"], "--region: No holidays are known"),
        (["--received", "2026-03-02", "--time-zone", "Paris"], "--time-zone: The time zone is a name"),
        (["--received", "2026-03-02", "--profile", "lgpd"], "--profile: Select a valid choice."),
        (["--received", "2026-03-02", "--profile", "upstream"], "--expires: Dastra's date is needed"),
        (
            ["--received", "2026-03-02", "--extended-on", "2026-03-01"],
            "--extended-on: The person cannot have been told",
        ),
        (["--received", "2026-03-02", "--pause", "2026-03-04"], "--pause: “2026-03-04” is no pause: write FROM:TO"),
        (
            ["--received", "2026-03-02", "--pause", ":2026-03-04"],
            "A pause needs the day on which the person was asked.",
        ),
        (["--received", "2026-03-02", "--pause", "2026-03-04:then"], "“then” is no day: write it as 2026-03-31."),
        (["--received", "2026-03-02", "--pause", "2026-03-04:2026-03-03"], "A pause cannot end before it begins"),
        (["--received", "2026-03-02", "--pause", "2026-03-01:2026-03-05"], "A pause cannot start before the request"),
        (["--received", "2026-03-02", "--pause", "2026-04-03:2026-04-05"], "A pause cannot start after the clock"),
    ],
)
def test_bad_input_ends_with_two_and_one_sentence(arguments: list[str], sentence: str) -> None:
    code, out, err = run(*arguments)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert err.startswith(sentence)
