"""Adding a workspace: tested before it is stored, a clear sentence for what is wrong, nothing lost but the key."""

from __future__ import annotations

import pytest
from django.test import Client
from django_q.models import OrmQ

from dsrportal.models import AuditEvent, Lane, Membership, SyncLane, User, Workspace
from dsrportal.sandbox import Fault, Server

ADD = "/settings/add-workspace/"

REFUSED_ADDRESSES = [
    "https://evil.example",
    "https://127.0.0.1\\@api.dastra.eu/",
    "https://api.dastra.eu@127.0.0.1",
    "https://user:secret@api.dastra.eu",
    "http://api.dastra.eu",
    "https://api.dastra.eu:22",
    "https://api.dastra.eu:0",
    "https://api.dastra.eu:99999",
    "https://api.dastra.eu/../x",
    "https://api.dastra.eu/%2e%2e",
    "https://api.dastra.eu?x=1",
    "https://api.dastra.eu#x",
    "https://127.1",
    "https://2130706433",
    "https://0x7f000001",
    "https://0177.0.0.1",
    "https://[::1]",
    "https://[::ffff:127.0.0.1]",
    "https://0",
    "https://localhost.",
    "https://①②⑦.0.0.1",
    "https://169.254.169.254",
    "https://аpi.dastra.eu",
    "https://api。dastra。eu",
    "https://xn--pi-7kc.dastra.eu",
    "file:///etc/passwd",
    "gopher://api.dastra.eu",
    "javascript:alert(1)",
    "//api.dastra.eu",
    "api.dastra.eu",
    "https://api.dastra.eu evil.example",
    "https://api.dastra.eu\r\nHost: evil.example",
    "https:///api.dastra.eu",
    "https://",
]


def test_adding_tests_stores_and_asks_for_the_first_full_pull(
    client: Client, ada: User, answers: dict[str, str], server: Server
) -> None:
    answer = client.post(ADD, answers)
    assert (answer.status_code, answer["Location"]) == (302, "/settings/workspaces/")
    added = Workspace.objects.get(name="Acme Benelux")
    assert (added.upstream_id, added.base_url, added.country) == (102, server.base_url, "BE")
    assert added.read_secret() == server.api_key
    assert Membership.objects.get(workspace=added).user == ada
    assert SyncLane.objects.get(workspace=added, lane=Lane.FULL).requested_at is not None
    assert OrmQ.objects.count() == 1
    operations = AuditEvent.objects.filter(workspace=added).values_list("operation", flat=True)
    assert sorted(operations) == ["run_requested", "workspace_added"]


def test_testing_tells_what_the_key_can_do_and_stores_nothing(
    client: Client, ada: User, answers: dict[str, str], server: Server
) -> None:
    answer = client.post(ADD, answers | {"deed": "test"})
    page = answer.content.decode()
    assert answer.status_code == 200
    assert "The connection works" in page
    assert "workflow steps can be read." in page
    assert "Nothing is stored yet." in page
    assert not Workspace.objects.filter(name="Acme Benelux").exists()
    assert server.api_key not in page


def test_htmx_gets_the_report_alone_so_that_the_form_keeps_its_key(
    client: Client, ada: User, answers: dict[str, str]
) -> None:
    good = client.post(ADD, answers | {"deed": "test"}, headers={"HX-Request": "true"})
    bad = client.post(ADD, answers | {"deed": "test", "secret": "wrong"}, headers={"HX-Request": "true"})
    assert (good.status_code, bad.status_code) == (200, 422)
    for answer in (good, bad):
        assert answer.content.decode().lstrip().startswith('<div class="report" id="report">')
        assert "HX-Request" in answer["Vary"]
    assert "Dastra does not accept this key." in bad.content.decode()


def test_a_refusal_keeps_all_that_was_typed_but_the_key(client: Client, ada: User, answers: dict[str, str]) -> None:
    typed = answers | {"secret": "a-key-that-is-wrong", "region": "BY", "country": "de"}
    answer = client.post(ADD, typed)
    page = answer.content.decode()
    assert answer.status_code == 422
    assert "Dastra does not accept this key." in page
    for kept in ("Acme Benelux", 'value="102"', answers["base_url"], "Europe/Brussels"):
        assert kept in page
    assert "a-key-that-is-wrong" not in page
    assert Workspace.objects.count() == 1


@pytest.mark.parametrize("address", REFUSED_ADDRESSES)
def test_an_address_that_is_not_on_the_list_is_refused_beside_its_field(
    client: Client, ada: User, answers: dict[str, str], address: str, server: Server
) -> None:
    answer = client.post(ADD, answers | {"base_url": address})
    assert answer.status_code == 422
    assert answer.context["form"].errors.keys() == {"base_url"}
    assert Workspace.objects.count() == 1
    assert len(server.journal) == 0


@pytest.mark.parametrize(
    "typed", ["abc", "../1", "1 2", "1" + "0" * 30, "-1", "0", "1.5", "1_000", "١٠٢", "", "9" * 19]
)
def test_a_workspace_id_is_a_whole_number(client: Client, ada: User, answers: dict[str, str], typed: str) -> None:
    answer = client.post(ADD, answers | {"upstream_id": typed})
    assert answer.status_code == 422
    assert answer.context["form"].errors.keys() == {"upstream_id"}


@pytest.mark.parametrize("typed", ["", "   ", "two\nlines", "clé", "x" * 10_000, "nul\x00byte", "with blank"])
def test_a_key_that_no_header_can_carry_is_refused_and_not_echoed(
    client: Client, ada: User, answers: dict[str, str], typed: str
) -> None:
    answer = client.post(ADD, answers | {"secret": typed})
    assert answer.status_code == 422
    assert answer.context["form"].errors.keys() == {"secret"}
    if typed.strip():
        assert typed not in answer.content.decode()


@pytest.mark.parametrize("around", ["  {}  ", '"{}"', "'{}'", "“{}”", "\t{}\n"])
def test_a_key_may_be_pasted_with_blanks_and_quotation_marks(
    client: Client, ada: User, answers: dict[str, str], server: Server, around: str
) -> None:
    client.post(ADD, answers | {"secret": around.format(server.api_key)})
    assert Workspace.objects.get(name="Acme Benelux").read_secret() == server.api_key


@pytest.mark.parametrize(
    ("field", "typed"),
    [
        ("time_zone", "Paris"),
        ("time_zone", "CET+1"),
        ("time_zone", "../../etc/passwd"),
        ("country", "F"),
        ("country", "1A"),
        ("region", "<b>"),
        ("name", ""),
        ("name", "x" * 121),
        ("auth_mode", "magic"),
    ],
)
def test_other_answers_that_make_no_sense_are_refused_beside_their_field(
    client: Client, ada: User, answers: dict[str, str], field: str, typed: str
) -> None:
    answer = client.post(ADD, answers | {field: typed})
    assert answer.status_code == 422
    assert answer.context["form"].errors.keys() == {field}
    assert f'id="id_{field}_error"' in answer.content.decode()


def test_the_same_workspace_or_name_is_not_added_twice(client: Client, ada: User, answers: dict[str, str]) -> None:
    again = client.post(ADD, answers | {"upstream_id": "101"})
    assert again.context["form"].errors.keys() == {"upstream_id"}
    same_name = client.post(ADD, answers | {"name": "ACME france"})
    assert same_name.context["form"].errors.keys() == {"name"}
    assert Workspace.objects.count() == 1


@pytest.mark.parametrize(
    "fault",
    [
        Fault(kind="login_page", times=None),
        Fault(kind="redirect", times=None),
        Fault(kind="truncate", times=None),
        Fault(kind="status", times=None, status=403, body="{}"),
        Fault(kind="status", times=None, status=404, body="{}"),
        Fault(kind="garbage_json", times=None),
    ],
    ids=lambda fault: f"{fault.kind}-{fault.status}",
)
def test_a_server_that_misbehaves_gives_a_sentence_and_stores_nothing(
    client: Client, ada: User, answers: dict[str, str], server: Server, fault: Fault
) -> None:
    server.faults.add(fault)
    answer = client.post(ADD, answers)
    assert answer.status_code == 422
    assert answer.context["form"].non_field_errors()
    assert Workspace.objects.count() == 1


def test_a_wrong_workspace_id_is_told_from_a_wrong_key(client: Client, ada: User, answers: dict[str, str]) -> None:
    page = client.post(ADD, answers | {"upstream_id": "999"}).content.decode()
    assert "Dastra has no workspace with this id, or this key cannot see it." in page


def test_the_way_in_by_two_keys_works_and_asks_for_the_public_one(
    client: Client, ada: User, answers: dict[str, str], server: Server
) -> None:
    two_keys = answers | {"auth_mode": "oauth", "token_url": server.token_url, "secret": server.secret}
    assert client.post(ADD, two_keys).context["form"].errors.keys() == {"public_key"}
    assert client.post(ADD, two_keys | {"public_key": server.public_key}).status_code == 302
    assert Workspace.objects.get(name="Acme Benelux").auth_mode == "oauth"


def test_whoever_runs_the_portal_may_add_the_first_workspace(client: Client, db: None, answers: dict[str, str]) -> None:
    client.force_login(User.objects.create_superuser("root", password="correct horse battery"))
    assert "Add a workspace" in client.get("/settings/workspaces/").content.decode()
    assert client.post(ADD, answers).status_code == 302
    assert "Acme Benelux" in client.get("/settings/workspaces/").content.decode()
