"""kill -9 of a sender, at boundaries of its work and by chance: nothing is lost, and at most one mail a kill comes twice. The short form of the proof."""

from __future__ import annotations

import pytest

from tests.alerts.proof.killing import kill
from tests.alerts.proof.stage import Asked

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]


def test_a_sender_that_is_killed_loses_nothing_and_sends_at_most_one_more_mail_a_kill() -> None:
    *_, met = kill(Asked(kills=3, share=1 / 14, seed=20_261_122))
    assert met["kills at a boundary"] >= 10
    assert met["mails that came once more"] > 0, "no kill came between the server's word and our note of it"
