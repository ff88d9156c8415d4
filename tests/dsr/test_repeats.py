"""Whether somebody has asked before, and the legal dates of a request that is still being entered: told before anything is saved, kept nowhere."""

from __future__ import annotations

from django.db import connection
from django.test.utils import CaptureQueriesContext

from dsrportal.models import AuditEvent, DataSubjectRequest, OutboxEntry, User, Workspace
from dsrportal.queries import repeats
from dsrportal.sandbox.server import Server
from tests.dsr.test_page import LIST, as_person

NEW = "/w/acme-france/requests/new/"
DATES = f"{NEW}dates/"


def test_the_dates_are_told_while_the_form_is_filled_in(mirrored: Workspace, officer: User, dastra: Server) -> None:
    client = as_person(officer)
    assert 'id="new-dates"' in client.get(NEW).text
    before = len(dastra.journal)
    lines = AuditEvent.objects.count()
    answer = client.post(DATES, {"received": "2026-02-10"})
    assert "Tuesday 10 March 2026" in answer.text
    assert "Why these dates?" in answer.text
    assert "Dastra&#x27;s 30 days" in answer.text
    assert "90 days" in client.post(DATES, {"received": "2026-02-10", "complex": "on"}).text
    for nonsense in ("", "yesterday", "2999-01-01", "0001-01-01", "9" * 500):
        answer = client.post(DATES, {"received": nonsense, "email": "x" * 5_000})
        assert answer.status_code == 200
    assert (len(dastra.journal), AuditEvent.objects.count(), OutboxEntry.objects.count()) == (before, lines, 0)


def test_other_requests_of_one_address_are_found_by_its_hash_for_who_may_see_identities(
    mirrored: Workspace, officer: User, manager: User
) -> None:
    rows = DataSubjectRequest.objects.filter(workspace=mirrored)
    dsr = next(row for row in rows if row.read_identity()["email"])
    email = dsr.read_identity()["email"]
    others = [row for row in rows if row.read_identity()["email"] == email and row.pk != dsr.pk]
    found = repeats.of_email(mirrored, email=f" {email.upper()} ")
    assert len(found.others) == min(len(others) + 1, repeats.MOST_LINKS)
    assert found.text.startswith(str(len(others) + 1))
    told = as_person(officer).post(DATES, {"received": "2026-02-10", "email": email}).text
    assert found.text in told
    assert dsr.reference in told
    assert email not in told
    assert as_person(manager).post(DATES, {"email": email}).status_code == 403
    assert ("from this e-mail address" in as_person(officer).get(f"{LIST}{dsr.upstream_id}/").text) == bool(others)
    with CaptureQueriesContext(connection) as queries:
        for nobody in ("", "no address", "nobody-at-all@example.org"):
            assert repeats.of_email(mirrored, email=nobody) == repeats.Repeats()
    assert len(queries) == 1
