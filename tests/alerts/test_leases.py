"""The lease of a mail: whoever lost it while writing does not send."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from django.utils import timezone

from dsrportal.alerts import letters
from dsrportal.alerts.sending import send_alerts
from dsrportal.models import Mail, User, Workspace
from tests.alerts.conftest import Post
from tests.alerts.proof.stage import nobody_answers
from tests.alerts.stage import at, make_dsr

NOW = at(date(2026, 3, 10))


def test_who_writes_longer_than_the_lease_leaves_the_mail_to_who_took_it(
    post: Post, workspace: Workspace, marc: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, written = letters.compose, []

    def compose(mail: Mail, **given: Any) -> letters.Letter:
        letter = real(mail, **given)
        written.append(mail.pk)
        if len(written) == 1:  # half a minute is over, and another sender comes
            Mail.objects.update(lease_until=timezone.now())
            assert send_alerts(now=NOW).mails == 1
        return letter

    make_dsr(workspace, 1, respond_by=NOW.date(), extend_by=None)
    monkeypatch.setattr(letters, "compose", compose)
    with nobody_answers():
        assert send_alerts(now=NOW).mails == 0
    assert len(written) == 2
    assert len(post.taken) == 1
    assert Mail.objects.get().state == "sent"
