"""A request's page: what it shows to whom, from the mirror alone; bad ids; the way to the neighbours; the deeds on it."""

from __future__ import annotations

import re
from datetime import timedelta
from urllib.parse import quote

import pytest
from django.http import QueryDict
from django.test import Client
from django.utils import timezone

from dsrportal.forms import register as register_form
from dsrportal.models import DataSubjectRequest, OutboxEntry, Role, User, WorkflowStep, Workspace
from dsrportal.models.outbox import WishState
from dsrportal.queries import vocabulary, walk
from dsrportal.queries.register_filters import RegisterFilters
from dsrportal.queries.vocabulary import Vocabulary
from dsrportal.queries.walk import Walk
from dsrportal.sandbox.server import Server
from tests.conftest import make_person

LIST = "/w/acme-france/requests/"


def as_person(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def live(workspace: Workspace) -> DataSubjectRequest:
    """A live, open request that is not in the last step."""
    rows = DataSubjectRequest.objects.filter(workspace=workspace, archived=False, step__position=0)
    return rows.select_related("step").order_by("clock_at", "pk")[0]


@pytest.mark.parametrize(
    "text",
    ["0", "-1", "abc", "1e3", "9223372036854775808", "9" * 40, "1%00", "12.5", "0x10", "5000000000", "%F0%9F%98%80"],
)
def test_an_id_that_makes_no_sense_is_not_found(text: str, mirrored: Workspace, officer: User) -> None:
    client = as_person(officer)
    assert client.get(f"{LIST}{text}/").status_code == 404
    assert client.post(f"{LIST}{text}/texts/").status_code == 404


def test_another_workspaces_request_is_not_found(mirrored: Workspace, officer: User, stranger: User) -> None:
    dsr = live(mirrored)
    assert as_person(stranger).get(f"{LIST}{dsr.upstream_id}/").status_code == 404
    assert as_person(stranger).post(f"{LIST}{dsr.upstream_id}/texts/").status_code == 404
    assert as_person(stranger).get(f"/w/other-house/requests/{dsr.upstream_id}/").status_code == 404
    assert as_person(officer).get(f"/w/other-house/requests/{dsr.upstream_id}/").status_code == 404


def test_it_shows_what_the_mirror_holds_without_asking_dastra(
    mirrored: Workspace, dastra: Server, officer: User
) -> None:
    dastra.stop()
    client = as_person(officer)
    for dsr in DataSubjectRequest.objects.filter(workspace=mirrored):
        page = client.get(f"{LIST}{dsr.upstream_id}/").content.decode()
        title = re.search(r"<title>(.*?)</title>", page)
        assert title is not None
        assert title[1] == f"{dsr.reference} · Acme France · DSR Portal"
        identity = dsr.read_identity()
        assert identity["email"] in page or not identity["email"]


def test_managers_see_initials_and_no_texts(mirrored: Workspace, manager: User) -> None:
    client = as_person(manager)
    for dsr in DataSubjectRequest.objects.filter(workspace=mirrored)[:10]:
        page = client.get(f"{LIST}{dsr.upstream_id}/").content.decode()
        identity = dsr.read_identity()
        for name in ("family_name", "email"):
            assert not identity[name] or identity[name] not in page
        assert "Masked for your role" in page
        assert 'id="texts"' not in page
        assert client.post(f"{LIST}{dsr.upstream_id}/texts/").status_code == 403


def test_viewers_have_no_deeds(mirrored: Workspace, officer: User) -> None:
    viewer = make_person("vera", workspace=mirrored, role=Role.VIEWER)
    url = f"{LIST}{live(mirrored).upstream_id}/"
    assert "What can be done now" not in as_person(viewer).get(url).content.decode()
    assert "What can be done now" in as_person(officer).get(url).content.decode()


def test_its_forms_move_archive_and_restore(mirrored: Workspace, dastra: Server, officer: User) -> None:
    client = as_person(officer)
    dsr = live(mirrored)
    url = f"{LIST}{dsr.upstream_id}/"

    def press(form: str, **extra: str) -> None:
        page = client.get(url).content.decode()
        part = page[page.index(f'action="{url}{form}/"') :]
        fields = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', part[: part.index("</form>")]))
        fields = {name: value.replace("&#x27;", "'") for name, value in fields.items()}
        answer = client.post(f"{url}{form}/", {**fields, **extra})
        assert answer.status_code == 302
        assert answer.headers["Location"] == url

    step = WorkflowStep.objects.filter(workspace=mirrored, position=2)[0]
    press("move", step=str(step.upstream_id))
    assert dastra.state[101].get(dsr.upstream_id)["workFlowStepId"] == step.upstream_id
    page = client.get(url).content.decode()
    assert f"Moved to {step.label}".replace("'", "&#x27;") in page
    assert "by olivia" in page
    press("archive")
    assert dastra.state[101].get(dsr.upstream_id)["archived"] is True
    page = client.get(url).content.decode()
    assert "Restore from the archive" in page
    assert 'id="dialog-archive"' not in page
    press("restore")
    assert dastra.state[101].get(dsr.upstream_id)["archived"] is False
    assert OutboxEntry.objects.filter(state=WishState.DONE).count() == 3


def test_the_neighbours_are_those_of_the_list_the_reader_came_from(mirrored: Workspace, officer: User) -> None:
    client = as_person(officer)
    for query in (
        "",
        "states=Open",
        "sortBy=dateDemand&asc=false",
        "sortBy=operator&asc=true&states=Open&states=Active",
    ):
        shown = client.get(f"{LIST}?{query}&size=100").context["page"].rows
        wanted = [row.upstream_id for row in shown]
        assert len(wanted) > 2
        filters, known = register_form.read(QueryDict(query)), vocabulary.of_workspace(mirrored)

        def way(upstream_id: int, filters: RegisterFilters = filters, known: Vocabulary = known) -> Walk:
            dsr = DataSubjectRequest.objects.get(workspace=mirrored, upstream_id=upstream_id)
            return walk.of_list(dsr, workspace=mirrored, filters=filters, search=None, known=known, now=timezone.now())

        walked = [wanted[0]]
        while (url := way(walked[-1]).next_url) and len(walked) <= len(wanted):
            walked.append(int(url.split("/")[4]))
        assert walked == wanted

        first, last = (
            client.get(f"{LIST}{one}/?from={quote(query)}").context["page"] for one in (wanted[0], wanted[-1])
        )
        assert client.get(first.walk.next_url).context["page"].upstream_id == wanted[1]
        assert client.get(last.walk.previous_url).context["page"].upstream_id == wanted[-2]
        assert (first.walk.previous_url, last.walk.next_url) == ("", "")
        assert client.get(last.walk.list_url).context["page"].count.number == len(wanted)


@pytest.mark.parametrize(
    "came_from", ["%00", "search=nonsense-token", "after=x", "https://evil.test/", "a" * 9000, "%F0"]
)
def test_a_made_up_list_does_no_harm(came_from: str, mirrored: Workspace, officer: User) -> None:
    answer = as_person(officer).get(f"{LIST}{live(mirrored).upstream_id}/?from={quote(came_from)}")
    assert answer.status_code == 200
    assert answer.context["page"].walk.list_url.startswith(LIST)


def test_a_disabled_workspace_is_read_only(mirrored: Workspace, officer: User) -> None:
    mirrored.disabled_at = timezone.now() - timedelta(hours=1)
    mirrored.save()
    url = f"{LIST}{live(mirrored).upstream_id}/"
    assert "What can be done now" not in as_person(officer).get(url).content.decode()
    answer = as_person(officer).post(f"{url}texts/")
    assert "This workspace is disabled, so Dastra is not read." in answer.content.decode()


def test_the_page_answers_get_alone(mirrored: Workspace, officer: User) -> None:
    url = f"{LIST}{live(mirrored).upstream_id}/"
    assert as_person(officer).post(url).status_code == 405
    assert as_person(officer).get(f"{url}texts/").status_code == 405
