"""My day's lists: what stands where, and that each number is that of the register behind its link."""

from __future__ import annotations

import re
import uuid
from datetime import date, datetime, timedelta
from html import unescape
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from dsrportal.alerts.recipients import recipients_of
from dsrportal.models import AssigneeAccount, DataSubjectRequest, Membership, Operator, Role, User, Workspace
from dsrportal.models.outbox import WishKind, WishState
from dsrportal.queries import my_day_places
from dsrportal.queries.my_day_lists import CAP
from tests.conftest import MakeWorkspace, make_person
from tests.home.conftest import MakeDsr, MakePlace, read_now

DAY = timedelta(days=1)
MOST_QUERIES = 27


def sections(client: Client) -> dict[str, Any]:
    """The lists of the page by key."""
    day = client.get("/").context["day"]
    return {section.key: section for section in (*day.first, *day.second)}


def references(section: Any) -> list[str]:
    """What a list shows, in its order."""
    return [row.reference for row in section.rows]


def fill(make_dsr: MakeDsr, *, workspace: Workspace, today: date, users: tuple[Any, ...]) -> None:
    """One of everything for each of these assignees."""
    for user in users:
        place = {"workspace": workspace, "user": user}
        for due in (
            today - 40 * DAY,
            today - DAY,
            today,
            today + DAY,
            today + 7 * DAY,
            today + 9 * DAY,
            today + 30 * DAY,
        ):
            make_dsr(due, **place)
        make_dsr(today + 5 * DAY, extension_state="valid", **place)
        make_dsr(today + 5 * DAY, paused=today - 3 * DAY, **place)
        make_dsr(None, received_on=None, **place)
        make_dsr(today - DAY, archived=True, **place)
        make_dsr(today - DAY, state="Closed", closed_on=today, late_days=1, **place)


@pytest.mark.parametrize("role", [Role.OFFICER, Role.MANAGER, Role.VIEWER])
def test_every_number_is_that_of_the_register_behind_its_link(
    reader: Client,
    olivia: User,
    workspace: Workspace,
    make_place: MakePlace,
    make_dsr: MakeDsr,
    now: datetime,
    today: date,
    role: Role,
) -> None:
    second = make_place("zeta-house")
    Membership.objects.filter(user=olivia, workspace=workspace).update(role=role)
    User.objects.filter(pk=olivia.pk).update(left_at=now - 12 * DAY)
    fill(make_dsr, workspace=workspace, today=today, users=(70, 71, None))
    fill(make_dsr, workspace=second, today=today, users=("own", None))
    shown = sections(reader)
    checked = 0
    for section in shown.values():
        numbers = []
        for more in section.more:
            answer = reader.get(more.url)
            page = answer.context["page"]
            assert more.text == f"{answer.context['visit'].workspace.name}: {page.count.number}"
            assert page.count.is_exact
            assert not page.has_left_out
            numbers.append(page.count.number)
            checked += 1
        assert str(sum(numbers)) == section.count
        assert len(section.rows) == min(sum(numbers), CAP)
    assert checked >= 8
    expected = {"act", "decide", "waiting", "unknown", "news", "nobodys"}
    assert shown.keys() == (expected | {"team"} if role == Role.MANAGER else expected)


def test_who_has_requests_sees_these_and_apart_what_nobody_has(
    reader: Client, workspace: Workspace, make_dsr: MakeDsr, today: date
) -> None:
    late, soon = make_dsr(today - DAY), make_dsr(today)
    deciding = make_dsr(today + 8 * DAY)
    make_dsr(today + 8 * DAY, extension_state="valid")
    waiting = make_dsr(today + 3 * DAY, paused=today - 2 * DAY)
    make_dsr(today - 3 * DAY, user=71)
    nobodys = make_dsr(today - 9 * DAY, user=None)
    shown = sections(reader)
    assert references(shown["act"]) == [late.reference, soon.reference]
    assert references(shown["decide"]) == [deciding.reference]
    assert references(shown["waiting"]) == [waiting.reference]
    assert shown["waiting"].rows[0].remark.startswith("since ")
    assert references(shown["nobodys"]) == [nobodys.reference]
    assert "team" not in shown


def test_a_manager_sees_the_teams_worst_and_whose_they_are(
    reader: Client, workspace: Workspace, olivia: User, make_dsr: MakeDsr, today: date
) -> None:
    Membership.objects.filter(user=olivia).update(role=Role.MANAGER)
    worst, own = make_dsr(today - 9 * DAY, user=71), make_dsr(today - DAY)
    team = sections(reader)["team"]
    assert references(team) == [worst.reference, own.reference]
    assert [row.assignee for row in team.rows] == ["Luc Bernard", "Olivia Martin"]


def test_who_is_no_dastra_user_sees_everybodys_and_an_officer_is_told(
    client: Client, workspace: Workspace, olivia: User, make_dsr: MakeDsr, today: date
) -> None:
    make_dsr(today, user=71)
    for role, is_told in ((Role.OFFICER, True), (Role.MANAGER, False), (Role.AUDITOR, False)):
        client.force_login(make_person(f"p{role}", workspace=workspace, role=role))
        page = client.get("/")
        assert references(page.context["day"].first[0]) == ["REF1001"]
        assert ("no Dastra user has your e-mail address" in unescape(page.text)) == is_told


@pytest.mark.parametrize(
    ("emails", "named", "is_own"),
    [
        ({"olivia": "o@example.org"}, None, True),
        ({"olivia": " O@Example.org "}, None, True),
        ({"olivia": ""}, None, False),
        ({"olivia": "o@example.org", "luc": "O@example.org"}, None, False),
        ({"olivia": "o@example.org"}, "luc", False),
        ({"olivia": "x@example.org"}, "olivia", True),
        ({"olivia": "o@example.org"}, "vera", True),
    ],
)
def test_whose_a_dastra_user_is_is_decided_as_for_the_alerts(
    workspace: Workspace, now: datetime, emails: dict[str, str], named: str | None, *, is_own: bool
) -> None:
    people = {name: make_person(name, workspace=workspace, role=Role.OFFICER) for name in ("olivia", "luc")}
    people["vera"] = make_person("vera", workspace=workspace, role=Role.VIEWER)
    for name, email in emails.items():
        User.objects.filter(username=name).update(email=email)
    operator = Operator.objects.create(workspace=workspace, upstream_id=9, display_name="O", email="o@example.org")
    if named:
        AssigneeAccount.objects.create(operator=operator, person=people[named])
    user = User.objects.get(username="olivia")
    memberships = list(Membership.objects.filter(user=user).select_related("workspace"))
    (place,) = my_day_places.places_of(memberships, user=user, left_at=None, now=now)
    assert (place.own == {operator.pk: 9}) == is_own
    assert (recipients_of(workspace).accounts.get(operator.pk) == user) == is_own


def test_nothing_of_a_strangers_workspace_is_there(
    reader: Client, make_workspace: MakeWorkspace, make_dsr: MakeDsr, today: date
) -> None:
    make_dsr(today)
    other = make_workspace("other-house", name="Elsewhere", upstream_id=102)
    Operator.objects.create(workspace=other, upstream_id=9, display_name="O", email="olivia@example.org")
    make_dsr(today, workspace=other)
    page = reader.get("/")
    assert references(page.context["day"].first[0]) == ["REF1001"]
    assert "Elsewhere" not in page.text


def test_the_number_of_queries_grows_neither_with_requests_nor_with_workspaces(
    reader: Client,
    workspace: Workspace,
    olivia: User,
    make_place: MakePlace,
    make_dsr: MakeDsr,
    now: datetime,
    today: date,
) -> None:
    User.objects.filter(pk=olivia.pk).update(left_at=now - DAY)
    Membership.objects.filter(user=olivia).update(role=Role.MANAGER)
    users = (70, 71, None)
    fill(make_dsr, workspace=workspace, today=today, users=users)
    wish(olivia, make_dsr(today), now=now)

    def queries() -> int:
        with CaptureQueriesContext(connection) as found:
            assert reader.get("/").status_code == 200
        return len(found)

    few = queries()
    for number in range(3):
        place = make_place(f"house-{number}", role=Role.MANAGER)
        fill(make_dsr, workspace=place, today=today, users=("own", None))
        wish(olivia, make_dsr(today, workspace=place), now=now)
    fill(make_dsr, workspace=workspace, today=today, users=users * 3)
    assert queries() <= few <= MOST_QUERIES


def wish(user: User, dsr: DataSubjectRequest, *, now: datetime) -> None:
    """A wish of the person that is held."""
    dsr.outbox.create(
        action_id=uuid.uuid4(),
        workspace=dsr.workspace,
        upstream_id=dsr.upstream_id,
        by=user,
        kind=WishKind.ARCHIVE,
        state=WishState.HELD,
        created_at=now,
        not_before=now + DAY,
    )


def test_old_data_never_look_like_peace(reader: Client, workspace: Workspace, make_place: MakePlace) -> None:
    second = make_place("zeta-house")
    assert "Nothing is legally due." in reader.get("/").text
    read_now(second, age=timedelta(hours=5), error="Dastra cannot be reached.")
    page = reader.get("/")
    act = page.context["day"].first[0]
    assert act.count == "?"
    assert act.empty == "Nothing is known to be due."
    assert [text.partition(":")[0] for text in act.unread] == ["Zeta House"]
    assert re.search(r"Zeta House</strong> not read since .*\d\d:\d\d", page.text)
    assert {section.key for section in page.context["day"].first} >= {"act", "decide", "waiting"}


def test_an_empty_day_says_until_when(reader: Client, make_dsr: MakeDsr, today: date) -> None:
    make_dsr(today + 40 * DAY)
    make_dsr(today + 60 * DAY, paused=today)
    text = sections(reader)["act"].empty
    assert re.fullmatch(
        r"Nothing legally due before \w{3} \d+ \w{3}( \d{4})?\. 1 paused, whose date without the pause is \d+ \w{3}( \d{4})?\.",
        text,
    )
