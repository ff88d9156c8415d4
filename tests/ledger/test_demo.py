"""The demo's examples: some of each kind, recorded through the actions, the same for the same requests and day."""

from __future__ import annotations

from dsrportal.demo import CLOCK_EXAMPLES, record_clocks
from dsrportal.models import AuditEvent, DataSubjectRequest, Extension, Pause, Refusal, User, Workspace
from tests.ledger.conftest import MakeDsr, noon


def test_the_demo_shows_pauses_extensions_and_refusals(make_dsr: MakeDsr, workspace: Workspace, officer: User) -> None:
    made = [make_dsr() for _number in range(CLOCK_EXAMPLES + 3)]
    late = make_dsr(received_at=noon(1, 5))
    record_clocks(workspace, by=officer, now=noon(2, 20))
    a_quarter = CLOCK_EXAMPLES // 4
    assert Pause.objects.filter(answered_on=None).count() == a_quarter
    assert Pause.objects.exclude(answered_on=None).count() == a_quarter
    assert Extension.objects.count() == a_quarter
    assert Refusal.objects.count() == a_quarter + 1
    assert AuditEvent.objects.count() == CLOCK_EXAMPLES + a_quarter + 1
    rows = {row.pk: row for row in DataSubjectRequest.objects.all()}
    assert rows[late.pk].is_refusal_late
    assert [rows[one.pk].clock_rank for one in made[:4]] == [rows[late.pk].PAUSED, 1, 1, 1]
    assert rows[made[2].pk].extension_state == "valid"
