"""U89 to U150: values within a request: read, made safe, or set aside with a note, and never a page that breaks."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from dsrportal.actions import outbox
from dsrportal.dastra.client import DastraClient
from dsrportal.dastra.errors import ServerFailure
from dsrportal.mirror import connections
from dsrportal.models import WorkflowStep
from dsrportal.models.outbox import WishKind, WishState
from tests.dastra.wire import Asked, answer

from .cases import one, table
from .conftest import Stage
from .little import MARK, STEPS, request_row


def pages_are_served(stage: Stage, client: Client) -> dict[str, str]:
    """The board, the register and request 1 as an officer sees them."""
    client.force_login(stage.officer())
    served = {}
    for name, path in (("board", "board/"), ("register", "requests/"), ("request", "requests/1/")):
        response = client.get(f"/w/{stage.workspace.slug}/{path}")
        assert response.status_code == 200, path
        served[name] = response.content.decode()
    return served


def opened(stage: Stage) -> Any:
    """Request 1 as the client reads it, with its notes of what was odd."""
    client: DastraClient
    with connections.connect(stage.workspace) as client:
        return client.get_request(1)


SET_ASIDE = {
    "U89-nan": ('"complex": NaN', "a number is not finite"),
    "U89-infinity": ('"complex": Infinity', "a number is not finite"),
    "U91-nested-200-deep": ('"complex": ' + "[" * 200 + "]" * 200, "nested too deep"),
    "U92-key-twice": ('"complex": false, "state": "Open", "state": "Closed"', "a key is repeated"),
}


@table("written, reason", SET_ASIDE)
def test_a_row_that_cannot_be_understood_is_set_aside_alone_and_heals(stage: Stage, written: str, reason: str) -> None:
    stage.dastra.rows[2]["complex"] = True
    stage.dastra.raw[1] = stage.dastra.text_of(1).replace('"complex": false', written)
    done = stage.pull()
    assert (done.outcome, done.set_aside, done.gone) == ("complete", 1, 0)
    assert stage.aside() == {1: reason}
    assert (stage.row(1).complex, stage.row(2).complex) == (False, True)
    stage.dastra.raw.clear()
    stage.pull()
    assert stage.aside() == {}


ENDLESS = {
    "U90-number-of-5000-digits": '"complex": ' + "9" * 5_000,
    "U91-nested-100000-deep": '"complex": ' + "[" * 100_000 + "]" * 100_000,
}


@table("written", ENDLESS)
def test_an_answer_that_no_parser_should_take_ends_the_pass_and_not_the_process(stage: Stage, written: str) -> None:
    stage.dastra.raw[1] = stage.dastra.text_of(1).replace('"complex": false', written)
    assert stage.pull().error_code == "malformed_answer"


def at(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[arg-type, misc]


DATES: dict[str, tuple[Any, datetime | None]] = {
    "U95-seven-digits-no-zone": ("2026-03-02T10:11:30.6882299", at(2026, 3, 2, 10, 11, 30, 688229)),
    "U96-no-fraction": ("2026-03-02T10:11:30", at(2026, 3, 2, 10, 11, 30)),
    "U96-nine-digits": ("2026-03-02T10:11:30.123456789", at(2026, 3, 2, 10, 11, 30, 123456)),
    "U97-decimal-comma": ("2026-03-02T10:11:30,5", at(2026, 3, 2, 10, 11, 30, 500000)),
    "U98-z": ("2026-03-02T10:11:30Z", at(2026, 3, 2, 10, 11, 30)),
    "U98-offset-with-colon": ("2026-03-02T10:11:30+02:00", at(2026, 3, 2, 8, 11, 30)),
    "U98-offset-without-colon": ("2026-03-02T10:11:30+0200", at(2026, 3, 2, 8, 11, 30)),
    "U98-offset-with-a-blank": ("2026-03-02T10:11:30 02:00", None),
    "U99-year-1": ("0001-01-01T00:00:00", None),
    "U100-year-9999": ("9999-12-31T23:59:59.9999999", None),
    "U101-30-february": ("2023-02-30T00:00:00", None),
    "U102-month-13": ("2023-13-01T00:00:00", None),
    "U103-24-o-clock": ("2023-02-03T24:00:00", None),
    "U104-second-60": ("2023-02-03T10:00:60", None),
    "U105-offset-99": ("2023-02-03T10:00:00+99:00", None),
    "U106-empty": ("", None),
    "U106-null-in-words": ("null", None),
    "U106-old-dot-net": ("/Date(1690000000000)/", None),
    "U106-seconds": (1690000000, None),
    "U106-milliseconds": (1690000000000, None),
    "U106-day-first": ("18/09/2023", None),
    "U107-full-width-digits": ("２０２３-09-18T00:00:00", None),
    "U108-hour-that-does-not-exist-in-paris": ("2026-03-29T02:30:00", at(2026, 3, 29, 2, 30)),
    "U109-hour-that-comes-twice-in-paris": ("2026-10-25T02:30:00", at(2026, 10, 25, 2, 30)),
    "U111-expiry-null": (None, None),
    "U111-expiry-before-the-request": ("2001-01-01T00:00:00", at(2001, 1, 1)),
    "U111-expiry-a-tick-later": ("2026-02-04T09:12:44.0000001", at(2026, 2, 4, 9, 12, 44)),
    "U111-expiry-in-2100": ("2100-01-01T00:00:00", at(2100, 1, 1)),
}


@table("written, meant", DATES)
def test_a_date_is_an_instant_or_none_and_the_pages_stand(
    stage: Stage, client: Client, written: Any, meant: datetime | None
) -> None:
    stage.dastra.rows[1].update(expiryTime=written, complex=True)
    done = stage.pull()
    assert (done.outcome, done.set_aside) == ("complete", 0)
    assert (stage.row().expires_at, stage.row().complex) == (meant, True)
    pages_are_served(stage, client)
    if meant is None and written not in {None, "0001-01-01T00:00:00"}:
        assert any(note.startswith("expiryTime") for note in opened(stage).drift)


@table("written", {"U110-update-null": None, "U110-update-older": "2001-01-01T00:00:00", "U110-update-to-come": "2099-01-01T00:00:00"})  # fmt: skip
def test_dastra_s_date_of_change_orders_nothing(stage: Stage, written: str | None) -> None:
    stage.dastra.rows[1].update(dateUpdate="2026-01-06T00:00:00", complex=False)
    stage.pull()
    stage.dastra.rows[1].update(dateUpdate=written, complex=True)
    stage.pull()
    assert stage.row().complex


@one("U112-days-left-contradict-the-date")
def test_days_left_are_not_kept(stage: Stage, client: Client) -> None:
    stage.dastra.rows[1].update(remainingDays=777)
    stage.pull()
    assert not any("777" in page for page in pages_are_served(stage, client).values())


Kept = Callable[[Stage], object]
DEEP = json.loads('[{"children":' * 45 + "[]" + "}]" * 45)
VALUES: dict[str, tuple[dict[str, Any], Kept, object]] = {
    "U93-nul-in-a-text": ({"channel": "Ma\0il"}, lambda stage: stage.row().channel, "Mail"),
    "U94-lone-surrogate": ({"channel": "Ma\ud800il"}, lambda stage: stage.row().channel, "Ma\ufffdil"),
    "U113-unknown-state": ({"state": "Teleported"}, lambda stage: stage.row().state, "Teleported"),
    "U113-state-as-number": ({"state": 3}, lambda stage: stage.row().state, "3"),
    "U113-unknown-right": ({"purposes": ["Levitation"]}, lambda stage: stage.row().purpose_list(), ["Levitation"]),
    "U113-unknown-channel": ({"channel": "Pigeon"}, lambda stage: stage.row().channel, "Pigeon"),
    "U113-unknown-reason": ({"closedReason": "Odd"}, lambda stage: stage.row().closed_reason, "Odd"),
    "U114-rights-null": ({"purposes": None}, lambda stage: stage.row().purpose_list(), []),
    "U114-rights-empty": ({"purposes": []}, lambda stage: stage.row().purpose_list(), []),
    "U114-rights-as-text": ({"purposes": "Access"}, lambda stage: stage.row().purpose_list(), ["Access"]),
    "U114-rights-twice": ({"purposes": ["A", "A"]}, lambda stage: stage.row().purpose_list(), ["A"]),
    "U114-500-rights": ({"purposes": [f"Right{n}" for n in range(500)]}, lambda stage: len(stage.row().purpose_list()), 500),
    "U115-step-null": ({"workFlowStep": None, "workFlowStepId": None}, lambda stage: stage.row().step, None),
    "U119-unit-null": ({"area": None, "areaId": None}, lambda stage: stage.row().area, None),
    "U119-assignee-as-text": ({"operator": "Noor", "operatorId": None}, lambda stage: stage.row().operator, None),
    "U119-units-50-deep": ({"area": {"id": 5, "label": "Deep", "children": DEEP}}, lambda stage: stage.row().area_id is not None, True),
    "U120-custom-fields-null": ({"customFields": None}, lambda stage: opened(stage).custom_fields, {}),
    "U120-custom-fields-a-list": ({"customFields": []}, lambda stage: opened(stage).custom_fields, {}),
    "U120-1000-custom-fields": ({"customFields": {f"k{n}": n for n in range(1000)}}, lambda stage: len(opened(stage).custom_fields), 1000),
    "U127-emoji-joined": ({"channel": "👩‍👩‍👧"}, lambda stage: stage.row().channel, "👩‍👩‍👧"),
    "U138-broken-json-in-a-text": ({"additionalDatas": '{"a":'}, lambda stage: stage.row().channel, "Internal"),
    "U138-object-for-a-text": ({"additionalDatas": {"a": f"{MARK}hidden"}}, lambda stage: stage.row().channel, "Internal"),
    "U145-boolean-as-text": ({"complex": "true"}, lambda stage: stage.row().complex, True),
    "U145-boolean-as-number": ({"complex": 1}, lambda stage: stage.row().complex, True),
    "U145-boolean-null": ({"complex": None}, lambda stage: stage.row().complex, False),
    "U146-number-with-blanks": ({"nbMessages": "12 "}, lambda stage: stage.row().message_count, 12),
}  # fmt: skip


@table("changes, kept, value", VALUES)
def test_an_odd_value_is_read_or_left_out_and_spoils_nothing_else(
    stage: Stage, client: Client, changes: dict[str, Any], kept: Kept, value: object
) -> None:
    stage.dastra.rows[1].update(changes)
    stage.dastra.rows[1]["dateUpdate"] = "2026-01-07T00:00:00"
    done = stage.pull()
    assert (done.outcome, done.set_aside, done.gone) == ("complete", 0, 0), done.error
    assert kept(stage) == value
    assert stage.row().updated_at == at(2026, 1, 7)
    pages_are_served(stage, client)


SCRIPT = "<script>alert(1)</script>"
HTML = {
    "U120-script-in-a-custom-field-s-name": {"customFields": {SCRIPT: "x", "__proto__": "y", "$ne": "z", "😀 a": "w"}},
    "U121-script-in-a-message": {"message": SCRIPT, "description": "<img src=x onerror=alert(1)>"},
    "U122-htmx-in-a-message": {"message": '<b hx-get="/x" data-hx-post="/y" hx-on:click="z" _="on load">b</b>'},
    "U123-remote-image": {"message": '<img src="https://evil.example.org/p.gif"><a href="//evil.example.org">x</a>'},
    "U124-title-of-1-MB": {"title": "x" * 1_000_000},
    "U125-message-of-10-MB": {"message": "x" * 10_000_000},
    "U126-word-of-10000": {"title": "y" * 10_000, "message": "y" * 10_000},
    "U128-right-to-left-override": {"title": "abc\u202etxt.exe"},
    "U129-zero-width": {"title": "a\u200bb\u200dc"},
    "U130-500-combining-marks": {"title": "a" + "\u0301" * 500},
    "U131-two-forms-of-one-name": {"title": "e\u0301lise \u00e9lise"},
    "U132-case-that-folds-oddly": {"title": "İstanbul Straße"},
    "U134-two-addresses-and-a-header": {"email": "a@example.org\r\nBcc: b@example.org"},
    "U135-phone": {"phoneNumber": "+33100000000"},
    "U136-colour-that-is-none": {"tags": [{"id": 7, "label": "T", "color": "red;background:url(//x)"}]},
    "U137-addresses-of-pictures": {"referrerUrl": "javascript:alert(1)", "area": {"id": 5, "label": "A", "logoUrl": "data:text/html,x"}},
}  # fmt: skip


@table("changes", HTML)
def test_whatever_a_text_holds_it_is_shown_as_text(stage: Stage, client: Client, changes: dict[str, Any]) -> None:
    stage.dastra.rows[1].update(changes)
    done = stage.pull()
    assert (done.outcome, done.set_aside) == ("complete", 0)
    pages = pages_are_served(stage, client)
    stage.dastra.wire.journal.clear()
    texts = client.post(f"/w/{stage.workspace.slug}/requests/1/texts/", headers={"HX-Request": "true"})
    assert texts.status_code == 200
    read = ["/v1/ws/42/DataSubjectRequests/1", "/v1/ws/42/DataSubjectMessages"]
    assert [asked.path for asked in stage.dastra.wire.journal] == read
    if "message" in changes:
        assert changes["message"][:3].replace("<", "&lt;") in texts.content.decode(), "it is shown, as text"
    for page in (*pages.values(), texts.content.decode()):
        for live in (SCRIPT, "<img src", "<b hx-get", "javascript:alert", "background:url", 'evil.example.org/p.gif">'):
            assert live not in page
    assert all(len(asked.target) < 2_000 for asked in stage.dastra.wire.journal)


@one("U115-step-that-nobody-listed")
def test_a_step_that_nobody_listed_gets_a_column(stage: Stage, client: Client) -> None:
    stage.dastra.rows[1].update(workFlowStep=None, workFlowStepId=77)
    assert stage.pull().outcome == "complete"
    step = stage.row().step
    assert step is not None
    assert step.upstream_id == 77
    pages_are_served(stage, client)


@one("U116-step-deleted-with-cards-in-it")
def test_a_step_that_is_gone_keeps_its_cards(stage: Stage, client: Client) -> None:
    stage.dastra.steps = STEPS[:1]
    assert stage.pull().outcome == "complete"
    assert WorkflowStep.objects.get(workspace=stage.workspace, upstream_id=11).is_gone
    assert "REF3" in pages_are_served(stage, client)["board"]
    stage.dastra.steps = STEPS


STEP_LISTS = {
    "U117-two-steps-alike": [*STEPS, {**STEPS[1], "id": 12}],
    "U118-100-steps": [{**STEPS[0], "id": number, "label": f"Step {number}"} for number in range(10, 110)],
}


@table("steps", STEP_LISTS)
def test_any_list_of_steps_makes_a_board(stage: Stage, client: Client, steps: list[dict[str, Any]]) -> None:
    stage.dastra.steps = steps
    assert stage.pull().outcome == "complete"
    assert WorkflowStep.objects.filter(workspace=stage.workspace, is_gone=False).count() == len(steps)
    pages_are_served(stage, client)
    stage.dastra.steps = STEPS


@one("U139-one-person-twice", "U140-one-reference-twice")
def test_alike_requests_stay_apart(stage: Stage, case: str) -> None:
    stage.dastra.rows[2].update({k: v for k, v in stage.dastra.rows[1].items() if k not in {"id"}})
    assert (stage.pull().outcome, stage.ids()) == ("complete", {1, 2, 3})
    assert stage.row(1).reference == stage.row(2).reference


@one("U141-id-used-again-after-a-deletion")
def test_an_id_that_is_used_again_is_another_request(stage: Stage) -> None:
    for number in range(4, 14):
        stage.dastra.rows[number] = request_row(number)
    stage.pull()
    old = stage.dastra.rows.pop(2)
    assert stage.pull().gone == 1
    stage.dastra.rows[2] = {**old, "demandId": "AGAIN"}
    stage.pull()
    assert stage.row(2).reference == "AGAIN"
    stage.kept = set(stage.dastra.rows)


@one("U142-anonymised-in-dastra")
def test_an_anonymised_request_takes_its_person_along(stage: Stage) -> None:
    assert stage.row().read_identity()["given_name"] == f"{MARK}given1"
    stage.dastra.rows[1].update(
        title="XXXXXX", givenName="John", familyName="DOE", email="anonymized@example.com", dateUpdate=None
    )
    stage.pull()
    identity = stage.row().read_identity()
    assert (identity["given_name"], identity["family_name"]) == ("John", "DOE")
    assert MARK not in str(identity)


@one("U143-moved-to-another-unit")
def test_a_request_follows_its_unit(stage: Stage) -> None:
    stage.dastra.rows[1].update(area={"id": 6, "label": "Other SA"}, areaId=6)
    stage.pull()
    area = stage.row().area
    assert area is not None
    assert area.label == "Other SA"


@one("U144-restored-while-paging")
def test_a_request_restored_during_a_pass_is_kept(stage: Stage) -> None:
    stage.dastra.rows[1]["archived"] = True
    stage.pull()

    def envelope(honest: Any, asked: Any) -> Any:
        if dict(asked.query).get("archived") == "true":
            stage.dastra.rows[1]["archived"] = False
            honest["items"], honest["total"] = [], 0
        return honest

    stage.dastra.envelope = envelope
    assert (stage.pull().outcome, stage.row().archived) == ("complete", False)


@one("U147-names-in-another-case")
def test_names_in_another_case_are_understood_and_noted(stage: Stage) -> None:
    row = stage.dastra.rows[1]
    stage.dastra.raw[1] = json.dumps({name[0].upper() + name[1:] if name != "id" else name: row[name] for name in row})
    assert stage.pull().outcome == "complete"
    assert stage.row().received_at == at(2026, 1, 5, 9, 12, 44, 123456)
    assert any("another case" in note for note in opened(stage).drift)


@one("U148-answer-without-the-inner-objects")
def test_a_light_answer_blanks_nothing(stage: Stage) -> None:
    light = {
        k: v
        for k, v in stage.dastra.rows[1].items()
        if k not in {"area", "operator", "operatorId", "tags", "workFlowStep"}
    }
    stage.dastra.raw[1] = json.dumps({**light, "complex": True})
    stage.pull()
    row = stage.row()
    assert row.operator is not None
    assert row.area is not None
    assert (row.complex, row.operator.display_name, row.area.label, row.tag_id_list()) == (True, "Noor Example", "Example SA", [7])  # fmt: skip


@one("U149-custom-field-dropped-by-a-put")
def test_a_field_that_dastra_drops_is_told(stage: Stage) -> None:
    row = stage.dastra.rows[1]
    row["customFields"] = {"case_origin": "shop", "kept": "yes"}

    def write(connection: Any, asked: Asked) -> None:
        if asked.method == "PUT":
            whole = json.loads(asked.body)
            assert whole["customFields"] == {"case_origin": "shop", "kept": "yes"}
            row.update(whole, customFields={"kept": "yes"})
        connection.sendall(answer(status=200 if asked.method == "PUT" else 405))

    stage.dastra.on_write = write
    now, dsr = timezone.now(), stage.row()
    entry = outbox.wish(
        action_id=uuid.uuid4(), kind=WishKind.EXTEND, dsr=dsr, by=stage.officer(), now=now, hold_seconds=0,
        wanted={"complex": not dsr.complex}, seen={"complex": dsr.complex},
        seen_step_upstream_id=10, seen_updated_at=dsr.updated_at,
    )  # fmt: skip
    entry = outbox.send(entry.pk, now=now)
    assert [asked.method for asked in stage.dastra.written] == ["PATCH", "PUT"]
    assert (entry.state, entry.reason) == (WishState.DONE, "Dastra dropped what was in: case_origin.")


@one("U150-write-that-shows-late")
def test_a_write_that_never_shows_is_unknown_and_then_refused(stage: Stage) -> None:
    stage.dastra.lags = True
    stage.dastra.on_write = answer()
    entry = stage.move()
    assert entry.state == WishState.UNKNOWN
    assert stage.settle(entry, at=timezone.now() + timedelta(seconds=20)).state == WishState.UNKNOWN
    assert stage.settle(entry, at=timezone.now() + timedelta(seconds=61)).state == WishState.REFUSED
    assert len(stage.dastra.written) == 1


@one("U150-write-that-shows-in-time")
def test_a_write_that_shows_late_is_done(stage: Stage) -> None:
    stage.dastra.lags = True
    entry = stage.move()
    assert entry.state == WishState.UNKNOWN
    stage.dastra.rows[1].update(workFlowStep=STEPS[1], workFlowStepId=11, state="Processing")
    assert stage.settle(entry, at=timezone.now() + timedelta(seconds=20)).state == WishState.DONE


def test_the_reader_of_these_cases_reads(stage: Stage) -> None:
    """Otherwise a note that was never made would prove nothing."""
    assert opened(stage).drift == ()
    stage.dastra.on_one = answer(status=500)
    with pytest.raises(ServerFailure):
        opened(stage)
