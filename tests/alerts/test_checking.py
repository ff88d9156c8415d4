"""Just before a mail goes its requests are read again: what was closed, deleted or moved meanwhile is not told; Dastra that is down is."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from django.utils import timezone

from dsrportal.alerts import sending
from dsrportal.alerts.sending import send_alerts
from dsrportal.mirror.connections import connect
from dsrportal.mirror.refresh import refresh_requests
from dsrportal.models import Alert, DataSubjectRequest, Mail, Role, User, Workspace
from dsrportal.models.alerts import AlertState, CancelledBecause
from dsrportal.sandbox import Fault, Server
from tests.alerts.conftest import Post
from tests.alerts.stage import at, make_member
from tests.mirror import truth


@pytest.fixture
def mona(mirrored: Workspace) -> User:
    """The manager of the mirrored workspace, who hears of everything."""
    return make_member("mona", workspace=mirrored, role=Role.MANAGER)


@pytest.fixture
def due(mirrored: Workspace) -> DataSubjectRequest:
    """A request that is open, with a date in the future of all others."""
    rows = DataSubjectRequest.objects.filter(workspace=mirrored, archived=False, is_closed=False)
    return rows.exclude(respond_by=None).order_by("-respond_by")[0]


def last_day(dsr: DataSubjectRequest) -> date:
    """The day on which it is due."""
    assert dsr.respond_by
    return dsr.respond_by


def told(post: Post) -> str:
    """The text of all mails."""
    bodies = [mail.get_body(("plain",)) for mail in post.taken]
    return "\n".join(body.get_content() for body in bodies if body)


@pytest.mark.parametrize("deed", ["close", "delete"])
def test_what_ended_in_dastra_meanwhile_is_not_told(
    post: Post, server: Server, due: DataSubjectRequest, mona: User, deed: str
) -> None:
    now = at(last_day(due))
    dastra = server.state[101]
    if deed == "close":
        dastra.move(due.upstream_id, dastra.final_step()["id"])
    else:
        dastra.delete(due.upstream_id)
    send_alerts(now=now)
    assert due.reference not in told(post)
    alert = Alert.objects.get(upstream_id=due.upstream_id, threshold="respond_0")
    reason = CancelledBecause.CLOSED if deed == "close" else CancelledBecause.GONE
    assert (alert.state, alert.cancelled_because) == (AlertState.CANCELLED, reason)
    assert server.journal.entries, "it was asked for"


def test_an_urgent_mail_whose_request_was_closed_does_not_go(
    post: Post, server: Server, due: DataSubjectRequest, mona: User
) -> None:
    day = last_day(due)
    send_alerts(now=at(day - timedelta(days=1), 21))
    DataSubjectRequest.objects.exclude(pk=due.pk).update(archived=True)
    dastra = server.state[101]
    dastra.move(due.upstream_id, dastra.final_step()["id"])
    send_alerts(now=at(day, 7, 30))
    assert told(post) == ""
    assert [mail.state for mail in Mail.objects.all()] == ["cancelled"]


def test_a_closing_step_for_the_check_is_one_list_for_many_requests(
    mirrored: Workspace, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = sorted(truth.ids(mirrored))
    gone, moved = ids[0], ids[1]
    server.state[101].delete(gone)
    server.state[101].edit(moved, complex=True)
    server.journal.entries.clear()
    with connect(mirrored) as client:
        refresh_requests(mirrored, upstream_ids=ids, client=client, now=timezone.now())
    assert truth.mirror(mirrored) == truth.upstream(server)
    assert len(server.journal.entries) < len(ids)


def test_dastra_that_is_down_is_told_and_no_reason_for_silence(
    post: Post, server: Server, due: DataSubjectRequest, mona: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dsrportal.dastra.transport.MOST_TRIES", 1)
    server.faults.add(Fault(kind="status", status=500, times=None))
    send_alerts(now=at(last_day(due)))
    assert f"{due.reference}: respond by" in told(post)
    assert "(not checked since" in told(post)
    alert = Alert.objects.get(upstream_id=due.upstream_id, threshold="respond_0")
    assert (alert.state, alert.was_unchecked) == (AlertState.SENT, True)
    assert alert.unchecked_since is not None


def test_a_closure_while_dastra_was_down_is_not_told_once_it_is_back(
    post: Post, server: Server, due: DataSubjectRequest, mona: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dsrportal.dastra.transport.MOST_TRIES", 1)
    now = at(last_day(due))
    server.faults.add(Fault(kind="status", status=500, times=None))
    sending.preview(now=now)
    server.state[101].archive(due.upstream_id)
    server.faults.clear()
    send_alerts(now=now)
    assert due.reference not in told(post)
    assert (
        Alert.objects.get(upstream_id=due.upstream_id, threshold="respond_0").cancelled_because
        == CancelledBecause.ARCHIVED
    )
