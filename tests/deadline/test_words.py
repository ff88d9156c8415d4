"""The reasons in words: every step has a sentence, whole in every language, with the articles of the law that applies."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.utils import translation

from dsrportal.clocks import SOURCES, Clocks, PausePolicy, Policy, Profile, Refusal, Step, StepCode, source_of
from dsrportal.queries.calculator import days_left
from dsrportal.queries.clock_words import CITED, SENTENCES, days_beside, trace_lines
from tests.clocks.saying import FRANCE, UK, clocks, day, extended, pause

RECEIVED = "2026-04-01"
RESTART = Policy(pause_policy=PausePolicy.RESTART)
TRUSTING = Policy(profile=Profile.UPSTREAM)
ADDED = Policy(added_holidays=frozenset({day("2026-05-04")}))


def every_kind() -> Iterator[Clocks]:
    """Computations that together take every step."""
    yield clocks(None)
    yield clocks("1900-01-01")
    yield clocks("2026-01-31", is_receipt_from_creation=True)
    yield clocks(RECEIVED, policy=ADDED, refusal=Refusal(notice_on=day("2026-04-02")), closed_on=day("2026-04-02"))
    yield clocks(RECEIVED, policy=TRUSTING, pauses=(pause("2026-04-03"),), upstream_due_on=day("2026-05-01"))
    yield clocks(RECEIVED, policy=TRUSTING)
    yield clocks(
        RECEIVED, policy=RESTART, pauses=(pause("2026-04-03", "2026-04-05"),), extension=extended("2026-04-02")
    )
    late = (pause("2026-03-30", "2026-04-02"), pause("2026-04-20"), pause("2026-04-21", "2026-04-22"))
    yield clocks(RECEIVED, today="2026-04-25", pauses=late, extension=extended("2026-06-30"))
    yield clocks(RECEIVED, pauses=(pause("2026-07-01", "2026-07-02"),), extension=extended(None))
    yield clocks(
        RECEIVED, extension=extended("2026-04-02", has_ground=False), refusal=Refusal(notice_on=day("2026-06-01"))
    )
    yield clocks(RECEIVED, policy=Policy(profile=Profile.CCPA), closed_on=day("2026-06-20"))


STEPS = [step for found in every_kind() for step in found.trace]


def words(steps: Any, *, policy: Policy = FRANCE) -> list[str]:
    """The sentences alone."""
    return [line.text for line in trace_lines(steps, policy=policy)]


def test_every_step_is_taken_here_and_has_a_sentence() -> None:
    assert {step.code for step in STEPS} == set(StepCode) == set(SENTENCES)


@pytest.mark.parametrize("language", ["en", "fr", "nl"])
@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.code.value)
def test_a_sentence_is_whole_in_every_language(step: Step, language: str) -> None:
    with translation.override(language):
        (text,) = words([step])
    assert text
    assert "%" not in text
    assert "{" not in text


def test_every_rule_has_a_source_and_the_law_has_its_own_name() -> None:
    assert {rule for step in STEPS for rule in step.rules} == set(SOURCES)
    step = Step(("R1", "R9", "R13"), StepCode.RESPOND_BY, {"on": day(RECEIVED)})
    (ours,) = trace_lines([step], policy=FRANCE)
    (theirs,) = trace_lines([step], policy=UK)
    assert ours.sources == ("GDPR Art. 12(3)", "EDPB Guidelines 01/2022")
    assert theirs.sources == ("UK GDPR Art. 12(3)", "ICO guidance")
    assert str(ours) == (
        "R1, R9, R13 (GDPR Art. 12(3); EDPB Guidelines 01/2022): Respond by Wednesday 1 April 2026, the end of that day."
    )


@pytest.mark.parametrize(
    ("language", "first", "second"),
    [
        ("fr", "RGPD, art.\N{NO-BREAK SPACE}12, par.\N{NO-BREAK SPACE}3", "Lignes directrices 01/2022 du CEPD"),
        ("nl", "AVG, art.\N{NO-BREAK SPACE}12, lid\N{NO-BREAK SPACE}3", "EDPB-richtsnoeren 01/2022"),
    ],
)
def test_the_law_is_cited_as_the_readers_language_cites_it(language: str, first: str, second: str) -> None:
    californian = {SOURCES["R21"], SOURCES["R22"]}
    cited = {source_of(rule, profile=profile) for rule in SOURCES for profile in (Profile.GDPR, Profile.UK)}
    assert cited - californian == set(CITED)
    with translation.override(language):
        assert [text for text in CITED if translation.gettext(text) == text] == []
        (line,) = trace_lines([Step(("R1", "R13"), StepCode.RESPOND_BY, {"on": day(RECEIVED)})], policy=FRANCE)
    assert line.sources == (first, second)


@pytest.mark.parametrize(
    ("language", "policy", "name"),
    [
        ("fr", FRANCE, "Fête du Travail"),
        ("en", FRANCE, "Labor Day"),
        ("nl", FRANCE, "Labor Day"),
        ("nl", Policy(country="BE"), "Dag van de Arbeid"),
        ("nl", Policy(country="DE"), "Labor Day"),
    ],
)
def test_a_holiday_has_its_name_in_the_readers_language_where_it_has_one(
    language: str, policy: Policy, name: str
) -> None:
    with translation.override(language):
        said = " ".join(words(clocks(RECEIVED, policy=policy).trace, policy=policy))
    assert f"({name})" in said


def test_a_day_that_an_admin_added_is_told_as_such() -> None:
    assert "Monday 4 May 2026 (added by an admin)" in " ".join(words(clocks(RECEIVED, policy=ADDED).trace))


def test_dastras_date_beside_the_law() -> None:
    assert [days_beside(later) for later in (2, 1, 0, -1, -3)] == [
        "2 days later than the law",
        "1 day later than the law",
        "the same day as the law",
        "1 day earlier than the law",
        "3 days earlier than the law",
    ]


@pytest.mark.parametrize(
    ("today", "said"),
    [
        ("2026-04-30", "4 days left, 1 of them working"),
        ("2026-05-03", "1 day left, 1 of them working"),
        ("2026-05-04", "due today"),
        ("2026-05-05", "1 day overdue, 1 of them working"),
        ("2026-05-10", "6 days overdue, 3 of them working"),
    ],
)
def test_the_days_that_are_left(today: str, said: str) -> None:
    assert days_left(clocks(RECEIVED, today=today)) == said
    assert days_left(clocks(None)) == ""
