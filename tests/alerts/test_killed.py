"""kill -9 at every statement of a run, and between the mail server's word and our note of it: nothing is lost, and at most one mail comes twice."""

from __future__ import annotations

import os
import signal
from collections import Counter
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from dsrportal.alerts.sending import send_alerts
from dsrportal.models import Alert, Mail, Notice, Role, Workspace
from dsrportal.models.alerts import AlertState, MailState
from tests.alerts.conftest import Post
from tests.alerts.stage import at, make_dsr, make_member

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]
NOW = at(date(2026, 3, 10))
STRIDE = 3
"""Every third statement, to be quick; 1 is each of them."""


@pytest.fixture
def team(workspace: Workspace) -> None:
    """Two managers, three requests that nobody has: six alerts, two mails."""
    for name in ("marc", "mona"):
        make_member(name, workspace=workspace, role=Role.MANAGER)
    for n in range(3):
        make_dsr(workspace, n + 1, respond_by=NOW.date(), extend_by=None)


def in_a_child(work: Callable[[], object]) -> bool:
    """Do it in a process of its own. Whether it lived to its end."""
    connection.close()
    pid = os.fork()
    if not pid:
        try:
            work()
        finally:
            os._exit(0)
    return os.WIFEXITED(os.waitpid(pid, 0)[1])


def run_and_die(statement: int) -> None:
    """A run that is killed before its n-th statement."""
    count = 0

    def counted(execute: Any, *arguments: Any) -> Any:
        nonlocal count
        count += 1
        if count == statement:
            os.kill(os.getpid(), signal.SIGKILL)
        return execute(*arguments)

    with connection.execute_wrapper(counted):
        send_alerts(now=NOW)


def judge(post: Post, *, kills: int) -> None:
    """Everybody knows everything, once; of the mails at most one a kill came twice, under its old number."""
    assert Alert.objects.filter(state=AlertState.SENT).count() == Alert.objects.count() == Notice.objects.count() == 6
    assert set(Mail.objects.values_list("state", flat=True)) == {MailState.SENT}
    copies = Counter(str(mail["Message-ID"]) for mail in post.taken)
    assert set(copies) == set(Mail.objects.values_list("message_id", flat=True))
    assert {str(mail["To"]) for mail in post.taken} == {"marc@example.org", "mona@example.org"}
    assert len(copies) == 2
    assert sum(copies.values()) - len(copies) <= kills


def run_again() -> None:
    """Half a minute later."""
    Mail.objects.update(lease_until=timezone.now())
    send_alerts(now=NOW, insist=True)


def test_killed_before_any_statement(post: Post, team: None) -> None:
    statement, ended = 1, False
    while not ended:
        ended = in_a_child(lambda n=statement: run_and_die(n))  # type: ignore[misc]
        run_again()
        judge(post, kills=0 if ended else 1)
        Alert.objects.all().delete()
        Mail.objects.all().delete()
        post.taken.clear()
        statement += STRIDE
    assert statement > 40, "there were statements to be killed at"


def test_killed_while_the_server_says_that_it_has_the_mail(post: Post, team: None) -> None:
    for kills in range(1, 4):
        connection.close()
        pid = os.fork()
        if not pid:
            try:
                send_alerts(now=NOW, insist=True)
            finally:
                os._exit(0)
        post.on_data = lambda pid=pid: os.kill(pid, signal.SIGKILL)  # type: ignore[misc]
        os.waitpid(pid, 0)
        post.on_data = lambda: None
        assert len(post.taken) == kills
        Mail.objects.update(lease_until=timezone.now())
    run_again()
    judge(post, kills=3)
