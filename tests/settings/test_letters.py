"""A workspace's own letters: changed by its admins, restored, and never with a word in braces that nothing fills in."""

from __future__ import annotations

from django.test import Client

from dsrportal.models import AuditEvent, LetterTemplate, User, Workspace
from dsrportal.models.correspondence import LetterPurpose
from dsrportal.queries import letters

LIST = "/settings/workspaces/acme-france/letters/"
ONE = f"{LIST}refusal/fr/"


def test_an_admin_changes_a_letter_and_takes_the_portals_own_again(
    client: Client, workspace: Workspace, admin: User
) -> None:
    client.force_login(admin)
    assert client.get(LIST).text.count('/fr/">') == len(letters.PURPOSES)
    own = letters.built_in(workspace, purpose=LetterPurpose.REFUSAL, language="fr")
    assert "Nous avons examiné votre demande" in client.get(ONE).text
    assert client.post(ONE, {"text": "{greeting}\r\nNon, {reference}.", "deed": "save"}).headers["Location"] == LIST
    kept = LetterTemplate.objects.get()
    assert (kept.text, kept.language, kept.changed_by) == ("{greeting}\nNon, {reference}.", "fr", admin)
    assert "Changed" in client.get(LIST).text
    for text, said in (("{nobody} fills this in", "Nothing fills in {nobody}."), ("  ", "There is no text yet.")):
        answer = client.post(ONE, {"text": text, "deed": "save"})
        assert (answer.status_code, said in answer.text) == (422, True)
    client.post(ONE, {"text": "x", "deed": "restore"})
    assert letters.find(workspace, purpose=LetterPurpose.REFUSAL, language="fr").text == own
    assert not LetterTemplate.objects.exists()
    client.post(ONE, {"text": own, "deed": "save"})
    lines = AuditEvent.objects.filter(operation="letter_changed")
    assert [line.details for line in lines] == [{"purpose": "refusal", "language": "fr"}] * 2
    for bad in ("refusal/de", "free/fr", "nothing/fr"):
        assert client.get(f"{LIST}{bad}/").status_code == 404
