"""The store: idempotent, never backwards, counters with the rows, and safe when several write at once."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection, connections
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from dsrportal import credentials, identity
from dsrportal.dastra import schema
from dsrportal.mirror import leases, store
from dsrportal.models import DataSubjectRequest, ForgottenRequest, IdentityWord, Operator, WorkflowStep, Workspace
from tests.conftest import MakeWorkspace
from tests.mirror import truth

STEPS = {n: schema.WorkflowStep(upstream_id=n, label=f"Step {n}", position=n, mapped_state="Open") for n in (1, 2)}


def made(upstream_id: int, *, step: int = 1, **fields: Any) -> schema.DataSubjectRequest:
    """A request as the client reads it."""
    base: dict[str, Any] = {
        "reference": f"REF{upstream_id}",
        "title": f"REF{upstream_id} Zoé Müller",
        "given_name": "Zoé",
        "family_name": "Müller-Lefèvre",
        "email": f"zoe{upstream_id}@example.org",
        "state": "Open",
        "step": STEPS[step],
        "step_upstream_id": step,
        "purposes": ("Access", "Erasure"),
    }
    return schema.DataSubjectRequest(upstream_id=upstream_id, **{**base, **fields})


def put(workspace: Workspace, *dsrs: schema.DataSubjectRequest, sequence: int | None = None) -> store.Stored:
    number = store.next_sequence(workspace) if sequence is None else sequence
    return store.store_requests(workspace, dsrs, sequence=number, now=timezone.now())


def test_the_same_page_twice_writes_nothing(workspace: Workspace) -> None:
    page = [made(n) for n in range(1, 40)]
    assert put(workspace, *page).stored == set(range(1, 40))
    number = store.next_sequence(workspace)
    with CaptureQueriesContext(connection) as queries:
        again = store.store_requests(workspace, page[::-1], sequence=number, now=timezone.now())
    assert (set(again.stored), set(again.unchanged)) == (set(), set(range(1, 40)))
    assert all(query["sql"].startswith("SELECT") for query in queries)


def test_a_page_costs_a_constant_number_of_queries(workspace: Workspace) -> None:
    with CaptureQueriesContext(connection) as few:
        put(workspace, *[made(n) for n in range(1, 11)])
    with CaptureQueriesContext(connection) as many:
        put(workspace, *[made(n, complex=True) for n in range(1, 11)])
    assert len(many) <= len(few) <= 40


def test_an_older_read_never_overwrites_a_newer_one(workspace: Workspace) -> None:
    older, newer = store.next_sequence(workspace), store.next_sequence(workspace)
    put(workspace, made(7, step=2), sequence=newer)
    late = put(workspace, made(7, step=1), sequence=older)
    assert (set(late.stored), set(late.outdated)) == (set(), {7})
    dsr = DataSubjectRequest.objects.get(upstream_id=7)
    assert dsr.step is not None
    assert (dsr.step.upstream_id, dsr.sequence) == (2, newer)
    assert truth.counters_are_right(workspace)


def test_a_tie_goes_to_the_later_arrival(workspace: Workspace) -> None:
    number = store.next_sequence(workspace)
    put(workspace, made(7, step=2), sequence=number)
    assert put(workspace, made(7, step=1), sequence=number).stored == {7}


def test_a_confirmed_read_protects_an_unchanged_row(workspace: Workspace) -> None:
    put(workspace, made(7))
    late = store.next_sequence(workspace)
    confirming = store.next_sequence(workspace)
    done = store.store_requests(workspace, [made(7)], sequence=confirming, now=timezone.now(), confirm=True)
    assert done.unchanged == {7}
    assert put(workspace, made(7, step=2), sequence=late).outdated == {7}


def test_a_single_read_is_not_undone_by_a_list_that_was_asked_after_it_and_lags(workspace: Workspace) -> None:
    moment = timezone.now()
    first, second, third, fourth = (moment + timedelta(seconds=number) for number in range(4))
    put(workspace, made(7, updated_at=first))
    read_back = store.next_sequence(workspace)
    listing = store.next_sequence(workspace)
    listed = [made(7, step=2, updated_at=third)]
    assert store.store_requests(workspace, listed, sequence=listing, now=moment, is_list=True).stored == {7}
    assert put(workspace, made(7, updated_at=second), sequence=read_back).outdated == {7}
    assert put(workspace, made(7, updated_at=fourth), sequence=read_back).stored == {7}
    dsr = DataSubjectRequest.objects.get(upstream_id=7)
    assert dsr.step is not None
    assert (dsr.step.upstream_id, dsr.sequence) == (1, listing), "what is older than the list is still held back"
    assert truth.counters_are_right(workspace)


def test_an_older_page_does_not_bring_a_forgotten_request_back(workspace: Workspace) -> None:
    put(workspace, made(7), made(8))
    late = store.next_sequence(workspace)
    assert store.forget_requests(workspace, {7: store.next_sequence(workspace)}, now=timezone.now()) == {7}
    assert put(workspace, made(7), made(8, complex=True), sequence=late).outdated == {7}
    assert truth.ids(workspace) == {8}
    assert put(workspace, made(7)).stored == {7}
    assert not ForgottenRequest.objects.exists()
    assert truth.counters_are_right(workspace)


def test_a_row_that_was_read_after_the_404_stays(workspace: Workspace) -> None:
    asked = store.next_sequence(workspace)
    put(workspace, made(7))
    assert store.forget_requests(workspace, {7: asked}, now=timezone.now()) == set()
    assert truth.ids(workspace) == {7}
    assert not ForgottenRequest.objects.exists()


def test_the_step_s_entry_is_stamped_when_the_step_changes(workspace: Workspace) -> None:
    put(workspace, made(7))
    assert DataSubjectRequest.objects.get(upstream_id=7).step_entered_at is None
    put(workspace, made(7, step=2))
    entered = DataSubjectRequest.objects.get(upstream_id=7).step_entered_at
    assert entered is not None
    put(workspace, made(7, step=2, complex=True))
    assert DataSubjectRequest.objects.get(upstream_id=7).step_entered_at == entered


def test_identity_is_sealed_and_found_by_whole_words(workspace: Workspace) -> None:
    put(workspace, made(7))
    dsr = DataSubjectRequest.objects.get(upstream_id=7)
    assert dsr.read_identity()["family_name"] == "Müller-Lefèvre"
    for typed in ("ZOE", "lefevre", "MULLER", "ref7"):
        digests = credentials.digest_words(identity.words_of_text(typed), search_key=workspace.read_search_key())
        assert IdentityWord.objects.filter(digest__in=digests, dsr=dsr).count() == 1, typed
    whole = credentials.digest_words([identity.email_word("Zoe7@Example.org")], search_key=workspace.read_search_key())
    assert IdentityWord.objects.filter(digest__in=whole).exists()


def test_words_change_with_the_identity_alone(workspace: Workspace) -> None:
    put(workspace, made(7))
    before = set(IdentityWord.objects.values_list("pk", flat=True))
    put(workspace, made(7, complex=True))
    assert set(IdentityWord.objects.values_list("pk", flat=True)) == before
    put(workspace, made(7, given_name="Marie", title="REF7"))
    assert before.isdisjoint(IdentityWord.objects.values_list("pk", flat=True))


def test_a_forgotten_identity_does_not_come_back(workspace: Workspace) -> None:
    put(workspace, made(7))
    DataSubjectRequest.objects.update(identity_sealed=None, identity_forgotten_at=timezone.now())
    IdentityWord.objects.all().delete()
    put(workspace, made(7, given_name="Marie", complex=True))
    dsr = DataSubjectRequest.objects.get(upstream_id=7)
    assert (dsr.complex, dsr.identity_sealed) == (True, None)
    assert not IdentityWord.objects.exists()


def test_texts_longer_than_their_column_are_cut_alike_every_time(workspace: Workspace) -> None:
    long = made(7, reference="R" * 90, state="S" * 90, channel="C" * 90, locale="L" * 90, title="T" * 5_000)
    put(workspace, long)
    assert put(workspace, long).unchanged == {7}
    dsr = DataSubjectRequest.objects.get(upstream_id=7)
    assert (len(dsr.reference), len(dsr.read_identity()["title"])) == (40, 5_000)


def test_a_long_list_of_rights_and_tags_is_kept_whole(workspace: Workspace) -> None:
    rights = tuple(f"Right number {number} | with a bar" for number in range(120))
    tags = tuple(schema.Tag(upstream_id=10**12 + number, label=f"Tag {number}") for number in range(150))
    put(workspace, made(1, purposes=rights, tags=tags))
    row = DataSubjectRequest.objects.get(workspace=workspace)
    assert row.purpose_list() == [right.replace("|", "/") for right in rights]
    assert row.tag_id_list() == [tag.upstream_id for tag in tags]


def test_what_is_known_by_its_id_alone_gets_a_row_and_later_its_name(workspace: Workspace) -> None:
    put(workspace, made(7, step=1, operator_upstream_id=5))
    assert Operator.objects.get(upstream_id=5).display_name == "#5"
    named = schema.Operator(upstream_id=5, display_name="Noor de Vries", email="noor@example.org")
    put(workspace, made(8, operator=named, operator_upstream_id=5))
    put(workspace, made(9, operator_upstream_id=5))
    assert Operator.objects.get(upstream_id=5).display_name == "Noor de Vries"


def test_a_lost_lease_stores_nothing(workspace: Workspace) -> None:
    moment = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
    lease = leases.acquire(workspace, now=moment)
    with pytest.raises(leases.BusyError):
        leases.acquire(workspace, now=moment + timedelta(seconds=59))
    leases.acquire(workspace, now=moment + timedelta(seconds=61))
    with pytest.raises(leases.LeaseLostError):
        store.store_requests(workspace, [made(7)], sequence=1, now=moment, lease=lease)
    with pytest.raises(leases.LeaseLostError):
        leases.renew(lease, now=moment)
    leases.release(lease)
    workspace.refresh_from_db()
    assert workspace.lease_owner
    assert not DataSubjectRequest.objects.exists()


def in_threads(count: int, work: Any) -> None:
    """Run `work(n)` in so many threads at once, each with its own connection; an error in one is raised here."""
    errors: list[BaseException] = []
    barrier = threading.Barrier(count)

    def body(n: int) -> None:
        try:
            barrier.wait()
            work(n)
        except BaseException as error:
            errors.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=body, args=(n,)) for n in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]


@pytest.mark.django_db(transaction=True)
def test_four_writers_at_once_agree(make_workspace: MakeWorkspace) -> None:
    workspace = make_workspace("race")

    def write(n: int) -> None:
        for turn in range(6):
            page = [made(i, step=1 + (i + turn + n) % 2) for i in range(1, 30)]
            put(workspace, *(page if n % 2 else page[::-1]))

    in_threads(4, write)
    assert truth.ids(workspace) == set(range(1, 30))
    assert truth.counters_are_right(workspace)
    assert WorkflowStep.objects.filter(workspace=workspace).count() == 2
    workspace.refresh_from_db()
    assert workspace.read_sequence == 24


@pytest.mark.django_db(transaction=True)
def test_one_of_many_gets_the_lease(make_workspace: MakeWorkspace) -> None:
    workspace = make_workspace("race")
    taken: list[int] = []

    def take(_: int) -> None:
        try:
            taken.append(leases.acquire(workspace, now=timezone.now()).number)
        except leases.BusyError:
            return

    in_threads(6, take)
    assert taken == [1]
