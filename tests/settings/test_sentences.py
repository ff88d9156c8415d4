"""What jobs and the client wrote down in English reaches each reader in the reader's own language."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.test import Client
from django.utils import translation

from dsrportal.dastra import errors
from dsrportal.models import Lane, SyncLane, User, Workspace
from dsrportal.models.workspaces import Hold
from dsrportal.queries.sentences import KNOWN, in_words


def kinds(error: type[errors.DastraError]) -> Iterator[type[errors.DastraError]]:
    """An error and all that derive from it."""
    yield error
    for kind in error.__subclasses__():
        yield from kinds(kind)


def test_every_kind_of_error_has_a_sentence_that_is_translated() -> None:
    assert {kind.default_sentence for kind in kinds(errors.DastraError)} <= set(KNOWN)
    for language in ("fr", "nl"):
        with translation.override(language):
            assert [sentence for sentence in KNOWN if in_words(sentence) == sentence] == []


@pytest.mark.parametrize(
    ("kept", "shown"),
    [
        ("", ""),
        ("Dastra did not answer in time.", "Dastra n’a pas répondu à temps."),
        ("Dastra refused the change: 100 % impossible", "Dastra a refusé la modification : 100 % impossible"),
        (
            "Dastra did not answer in time. Nothing was changed.",
            "Dastra n’a pas répondu à temps. Rien n’a été modifié.",
        ),
        (
            "Dastra did not apply it: the request is still in “New”. Dastra could not be reached.",
            "Dastra ne l’a pas fait : la demande est toujours à « New ». Dastra n’a pas pu être joint.",
        ),
        ("A sentence that nobody knows.", "A sentence that nobody knows."),
        (
            "40 of 100 requests were in none of Dastra's lists, more than a fifth. Nothing was forgotten; an admin decides.",
            (
                "40 demandes sur 100 n’étaient dans aucune liste de Dastra, plus d’un cinquième. "
                "Rien n’a été oublié\u00a0; un administrateur décide."
            ),
        ),
    ],
)
def test_a_kept_sentence_is_translated_when_it_is_shown(kept: str, shown: str) -> None:
    with translation.override("fr"):
        assert in_words(kept) == shown


def test_the_pages_show_them_in_the_readers_language(client: Client, ada: User, workspace: Workspace) -> None:
    Workspace.objects.update(hold=Hold.REFUSED, hold_sentence="Dastra does not accept the credential.")
    SyncLane.objects.create(workspace=workspace, lane=Lane.ACTIVE, last_error="Dastra did not answer in time.")
    client.cookies["django_language"] = "nl"
    jobs = client.get("/settings/jobs/").content.decode()
    assert "Dastra accepteert de inloggegevens niet." in jobs
    assert "Dastra antwoordde niet op tijd." in jobs
    assert "Dastra accepteert de inloggegevens niet." in client.get("/settings/workspaces/").content.decode()
