"""The page that writes to a person: letters filled in, drafts that survive, files, and the one button that sends."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from dsrportal import uploads
from dsrportal.actions import drafts
from dsrportal.models import AuditEvent, DataSubjectRequest, Draft, Enclosure, Extension, OutboxEntry, User, Workspace
from dsrportal.models.correspondence import LetterPurpose
from dsrportal.models.outbox import WishState
from dsrportal.queries import letters
from dsrportal.queries.letter_texts import BUILT_IN
from dsrportal.sandbox import Fault
from dsrportal.sandbox.server import Server
from tests.dsr.test_page import LIST, as_person


@pytest.fixture
def dsr(mirrored: Workspace) -> DataSubjectRequest:
    """The request that was received last: its clock has the most time left."""
    live = DataSubjectRequest.objects.filter(workspace=mirrored, archived=False).exclude(state="Closed")
    return live.select_related("workspace").order_by("-received_at")[0]


@pytest.fixture
def client(officer: User) -> Client:
    return as_person(officer)


def url_of(dsr: DataSubjectRequest) -> str:
    """Where one writes about it."""
    return f"{LIST}{dsr.upstream_id}/message/"


def filled(client: Client, dsr: DataSubjectRequest, **changes: Any) -> dict[str, Any]:
    """The form as the page offers it, with changes."""
    action_id = re.search(r'name="action_id" value="([0-9a-f-]+)"', client.get(url_of(dsr)).text)
    assert action_id
    return {"action_id": action_id[1], "purpose": "free", "language": "fr", "text": "Bonjour pelican.", **changes}


def sent(dastra: Server, dsr: DataSubjectRequest) -> list[dict[str, Any]]:
    """What went to the person."""
    return [one for one in dastra.state[101].record(dsr.upstream_id).messages if "pelican" in one["message"]]


def test_only_the_button_sends_and_ten_presses_are_one_message(
    client: Client, dsr: DataSubjectRequest, dastra: Server
) -> None:
    data = filled(client, dsr)
    for deed in ("keep", "save", "fill", ""):
        client.post(url_of(dsr), {**data, "purpose": "answer", "deed": deed})
    assert not dastra.journal.of("POST")
    assert not OutboxEntry.objects.exists()
    file = SimpleUploadedFile("Réponse.pdf", b"%PDF marker")
    answers = [client.post(url_of(dsr), {**data, "deed": "send", "added": file}) for _time in range(10)]
    assert {answer.headers["Location"] for answer in answers} == {f"{LIST}{dsr.upstream_id}/"}
    assert [one["fileName"] for one in sent(dastra, dsr)[0]["attachments"]] == ["Réponse.pdf"]
    assert len(sent(dastra, dsr)) == 1
    assert not Draft.objects.exists()
    assert not Enclosure.objects.exists()
    page = client.get(f"{LIST}{dsr.upstream_id}/").text
    assert "Wrote to the person" in page
    assert "pelican" not in page


def test_what_was_typed_outlives_a_refusal_a_mistake_and_another_visit(
    client: Client, dsr: DataSubjectRequest, dastra: Server
) -> None:
    answer = client.post(url_of(dsr), {**filled(client, dsr, text="Still pelican [[why]]"), "deed": "send"})
    assert (answer.status_code, "Still to be filled in: why." in answer.text) == (422, True)
    assert "Still pelican [[why]]" in client.get(url_of(dsr)).text
    assert "Go on with your message" in client.get(f"{LIST}{dsr.upstream_id}/").text
    dastra.faults.add(Fault(kind="refuse", match="POST .*Messages", reason="No."))
    client.post(url_of(dsr), {**filled(client, dsr), "deed": "send"})
    page = client.get(f"{LIST}{dsr.upstream_id}/").text
    assert "Dastra refused the change: No." in page
    assert "Open the draft" in page
    assert "Bonjour pelican." in client.get(url_of(dsr)).text
    assert client.post(url_of(dsr), {"text": "x", "deed": "send"}).status_code == 422
    assert client.post(url_of(dsr), {**filled(client, dsr), "deed": "keep"}).status_code == 204
    client.logout()
    assert client.post(url_of(dsr), {"text": "lost", "deed": "keep"}).status_code == 302
    client.force_login(User.objects.get(username="olivia"))
    assert "Bonjour pelican." in client.get(url_of(dsr)).text
    client.post(url_of(dsr), {"deed": "discard"})
    assert not Draft.objects.exists()


def test_a_letter_is_put_in_and_never_overwrites_what_was_written(client: Client, dsr: DataSubjectRequest) -> None:
    def text_after(**changes: Any) -> str:
        client.post(url_of(dsr), {**filled(client, dsr), **changes, "deed": "fill"})
        return Draft.objects.get().read_text()

    english = text_after(text="", purpose="acknowledgement", language="en")
    assert dsr.reference in english
    assert english.startswith("Dear ")
    assert "{" not in english
    french = text_after(text=english, purpose="extension", language="fr")
    assert french.startswith("Bonjour ")
    assert "deux mois supplémentaires" in french
    assert "CNIL" in french
    both = text_after(text=f"{french} Mine.", purpose="answer", language="nl")
    assert both.startswith(french)
    assert "Mine.\n\nBeste " in both
    answer = client.post(url_of(dsr), {**filled(client, dsr, purpose="free", text="kept"), "deed": "fill"})
    assert (answer.status_code, Draft.objects.get().read_text()) == (422, "kept")


def test_files_that_are_too_large_are_said_and_the_text_stays(
    client: Client, dsr: DataSubjectRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drafts, "LARGEST_FILE", 50)
    monkeypatch.setattr(uploads, "LARGEST_POST", 80)
    for files in ([b"x" * 51], [b"x" * 45, b"x" * 45], [b""]):
        added = [SimpleUploadedFile("a.pdf", content) for content in files]
        answer = client.post(url_of(dsr), {**filled(client, dsr), "deed": "send", "added": added})
        assert answer.status_code == 422
        assert "Bonjour pelican." in answer.text
        assert not Enclosure.objects.exists()
    client.post(url_of(dsr), {**filled(client, dsr), "deed": "save", "added": SimpleUploadedFile("ok.pdf", b"x" * 40)})
    uid = Enclosure.objects.get().uid
    assert "ok.pdf" in client.get(url_of(dsr)).text
    client.post(url_of(dsr), {**filled(client, dsr), "deed": f"out:{uid}"})
    assert not Enclosure.objects.exists()


def test_a_notice_of_an_extension_that_was_sent_stands_in_the_clock(client: Client, dsr: DataSubjectRequest) -> None:
    data = filled(client, dsr, purpose="extension", extension_ground="complexity", text="pelican")
    client.post(url_of(dsr), {**data, "deed": "send"})
    assert OutboxEntry.objects.get().state == WishState.DONE
    assert Extension.objects.get().ground == "complexity"
    assert "Extended, person told on" in client.get(f"{LIST}{dsr.upstream_id}/").text


def test_it_is_for_who_may_see_identities_and_a_look_asks_dastra_nothing(
    client: Client, dsr: DataSubjectRequest, manager: User, dastra: Server
) -> None:
    assert as_person(manager).get(url_of(dsr)).status_code == 403
    assert "Write to the person…" not in as_person(manager).get(f"{LIST}{dsr.upstream_id}/").text
    before = len(dastra.journal)
    page = client.get(f"{url_of(dsr)}?purpose=refusal").text
    assert '<option value="refusal" selected>' in page
    assert len(dastra.journal) == before
    assert not AuditEvent.objects.filter(operation="message").exists()


@pytest.mark.parametrize("language", letters.LANGUAGES)
def test_every_letter_fits_names_what_the_law_asks_for_and_is_filled_in(language: str) -> None:
    texts = BUILT_IN[language]
    assert set(texts) == set(letters.PURPOSES)
    for text in texts.values():
        assert len(text) < 2_500
        assert letters.unknown_variables(text) == []
        assert {"{reference}", "{received_on}", "{workspace}"} <= set(re.findall(r"\{\w+\}", text))
    assert "{respond_by}" in texts[LetterPurpose.ACKNOWLEDGEMENT]
    assert "12(6)" in texts[LetterPurpose.IDENTITY] or " 6" in texts[LetterPurpose.IDENTITY]
    assert "{extended_by}" in texts[LetterPurpose.EXTENSION]
    for purpose in (LetterPurpose.EXTENSION, LetterPurpose.REFUSAL, LetterPurpose.IDENTITY, LetterPurpose.ANSWER):
        assert letters.gaps(texts[purpose])
    for purpose in (LetterPurpose.REFUSAL, LetterPurpose.ANSWER, LetterPurpose.EXTENSION):
        assert "{authority}" in texts[purpose]
    assert re.search(r"judicial remedy|recours juridictionnel|beroep bij de rechter", texts[LetterPurpose.REFUSAL])


def test_dates_in_a_letter_are_those_of_the_clock_in_its_own_language(dsr: DataSubjectRequest) -> None:
    now = timezone.now()
    for language, pattern in (("en", r"\d{1,2} [A-Z][a-z]+ \d{4}"), ("fr", r"\d{1,2} [a-zéû]+ \d{4}")):
        text = letters.filled(dsr.workspace, dsr, purpose=LetterPurpose.ACKNOWLEDGEMENT, language=language, now=now)
        assert len(re.findall(pattern, text)) == 2
    dsr.received_on = dsr.respond_by = dsr.without_pauses = None
    text = letters.filled(dsr.workspace, dsr, purpose=LetterPurpose.ACKNOWLEDGEMENT, language="nl", now=now)
    assert letters.gaps(text) == ["de datum", "de datum"]
    dsr.workspace.profile = "ccpa"
    assert letters.filled(dsr.workspace, dsr, purpose=LetterPurpose.ANSWER, language="en", now=now) == ""
