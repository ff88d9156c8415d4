"""Seeded bugs: each is a small, plausible mistake put into the real engine, with the property that has to notice it.

Used by the tests of the torture itself and by `make torture`: a property that no bug can break proves nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, replace
from typing import Any
from unittest import mock

from django.db import transaction

from dsrportal import credentials
from dsrportal.actions import writing
from dsrportal.actions.writing import Verdict
from dsrportal.dastra import client as client_module
from dsrportal.dastra import paging
from dsrportal.dastra.client import DastraClient
from dsrportal.dastra.errors import DastraError, Forbidden, MalformedAnswer, NotFound
from dsrportal.dastra.transport import Transport
from dsrportal.identity import words_of
from dsrportal.mirror import leases, passes, rows, runs, store
from dsrportal.mirror.passes import Pass
from dsrportal.models import IdentityWord, SetAsideRow, Workspace
from dsrportal.models.outbox import WishState

Planted = Callable[[], AbstractContextManager[Any]]


@dataclass(frozen=True)
class Bug:
    """`rules` are those of the machine that lead to it, so that the short form need not look for long."""

    name: str
    caught_by: str
    planted: Planted
    rules: tuple[str, ...] = ("people_act_in_dastra", "pull")


def _in(target: Any, name: str, wrong: Callable[..., Any]) -> Planted:
    return lambda: mock.patch.object(target, name, wrong)


# Forgetting


def _unasked(self: Pass, upstream_id: int) -> int:
    return leases.renew(self._lease, now=self._clock())


def _ask_taking(kind: type[DastraError]) -> Callable[[Pass, int], int | None]:
    """Takes an error of a kind for "gone"."""

    def ask(self: Pass, upstream_id: int) -> int | None:
        sequence = leases.renew(self._lease, now=self._clock())
        try:
            dsr = self._client.get_request(upstream_id)
        except (kind, NotFound):
            return sequence
        except MalformedAnswer:
            return None
        self._take([dsr], sequence=sequence)
        return None

    return ask


_ask = Pass._ask


def _as_it_goes(self: Pass, unseen: set[int], *, covered: int, accept_missing: bool) -> None:
    gone = 0
    for upstream_id in sorted(unseen):
        sequence = self._ask(upstream_id)
        if sequence is not None:
            store.forget_requests(self._workspace, {upstream_id: sequence}, now=self._clock(), lease=self._lease)
            gone += 1
        if gone > covered // passes.FIFTH and not accept_missing:
            raise passes.TooManyMissingError(missing=len(unseen), covered=covered)


_reconcile = Pass._reconcile


def _whatever_is_missing(self: Pass, unseen: set[int], *, covered: int, accept_missing: bool) -> None:
    _reconcile(self, unseen, covered=covered, accept_missing=True)


# Reading


_walk = paging.walk


def _first_page_alone(*args: Any, **kwargs: Any) -> Iterator[Any]:
    yield from list(_walk(*args, **kwargs))[:1]


def _swallowing(*args: Any, **kwargs: Any) -> Iterator[Any]:
    try:
        yield from _walk(*args, **kwargs)
    except DastraError:
        return


_walk_once = Pass._walk_once


def _no_second_look(self: Pass) -> None:
    for filters in ({}, {"archived": True}):
        self._walk(**filters)


def _both(*planted: Planted) -> Planted:
    """Two mistakes at once: the second look makes good what the first one leaves out, so it goes with it."""

    def plant() -> AbstractContextManager[Any]:
        stack = ExitStack()
        for one in planted:
            stack.enter_context(one())
        return stack

    return plant


WITHOUT_LOOK = _in(Pass, "_walk_both", _no_second_look)


def _never_again(self: Pass, listed: set[int], **filters: Any) -> Any:
    return replace(_walk_once(self, listed, **filters), is_whole=True)


def _dropping_pages_with_bad_rows(self: Pass, page: Any, *, sequence: int) -> None:
    if page.rejected:
        self._set_aside(page.rejected)
        self._seen.update(item.upstream_id for item in page.items)
    else:
        _take_listed(self, page, sequence=sequence)


_take_listed = Pass._take_listed


# Storing


_known = store._known


def _without_order(*args: Any) -> dict[int, Any]:
    known = _known(*args)
    for row in known.values():
        row.sequence = 0
    return known


def _undoubted(*_: Any, **__: Any) -> frozenset[int]:
    return frozenset()


def _unburied(*_: Any) -> set[int]:
    return set()


_plain_fields = rows.plain_fields


def _digest_without_archived(dsr: Any, *, search_key: bytes) -> bytes:
    references = (dsr.step_upstream_id, dsr.operator_upstream_id, dsr.area_upstream_id)
    left_out = {"archived", "archived_at", "updated_at"}
    fields = {field: value for field, value in _plain_fields(dsr).items() if field not in left_out}
    texts = (repr((sorted(fields.items()), references)), repr(sorted(rows.identity_fields(dsr).items())))
    return b"".join(rows._half(text, key=search_key) for text in texts)


def _uncounted(*_: Any, **__: Any) -> None:
    """The counters stay as they were."""


def _words_added(self: Any, dsrs: Any, **_: Any) -> None:
    found = dict(self._workspace.dsrs.filter(upstream_id__in=list(dsrs)).values_list("upstream_id", "pk"))
    IdentityWord.objects.bulk_create(
        (
            IdentityWord(workspace=self._workspace, dsr_id=found[i], digest=digest)
            for i in found
            for digest in credentials.digest_words(words_of(rows.identity_fields(dsrs[i])), search_key=self._search_key)
        ),
        ignore_conflicts=True,
    )


def _always_new(*_: Any, **__: Any) -> dict[int, Any]:
    return {}


def _renewed_by_anybody(lease: leases.Lease, *, now: Any) -> int:
    return store.next_sequence(Workspace.objects.get(pk=lease.workspace_id))


@contextmanager
def _unleased() -> Iterator[None]:
    with (
        mock.patch.object(passes, "renew", _renewed_by_anybody),
        mock.patch.object(store, "lock", _uncounted),
        mock.patch.object(runs, "lease_number", return_value=mock.ANY),
    ):
        yield


def _pilfered(workspace: Any, *, now: Any) -> leases.Lease:
    type(workspace).objects.filter(pk=workspace.pk).update(lease_until=None)
    return _acquire(workspace, now=now)


_acquire = leases.acquire


def _in_one_transaction(self: Pass, upstream_id: int) -> int | None:
    with transaction.atomic():
        return _ask(self, upstream_id)


# Acting


def _twice(self: Transport, *args: Any, **kwargs: Any) -> object | None:
    try:
        return _write(self, *args, **kwargs)
    except DastraError:
        return _write(self, *args, **kwargs)


_write = Transport.write


def _lost_is_failed(entry: Any, error: DastraError, **_: Any) -> Verdict:
    return Verdict(WishState.REFUSED, reason="It failed.", code=error.code)


def _lost_is_sent_again(entry: Any, error: DastraError, *, client: Any, clock: Any) -> Verdict:
    return Verdict(WishState.HELD, reason="Again.", code=error.code, retry_seconds=1.0)


def _believed(*_: Any, **__: Any) -> Verdict:
    return Verdict(WishState.DONE, code="read_back")


def _never_settled(entry: Any, **_: Any) -> Verdict:
    return Verdict(WishState.UNKNOWN, code="unreadable")


def _unmirrored(entry: Any, *, client: DastraClient, clock: Any) -> Any:
    try:
        return client.get_request(entry.upstream_id)
    except NotFound:
        return None


@contextmanager
def _notes_stay() -> Iterator[None]:
    with (
        mock.patch.object(store, "_clear_set_aside", _uncounted),
        mock.patch.object(store, "drop_set_aside", _uncounted),
    ):
        yield


def _noted_again(workspace: Any, rejected: Any, *, now: Any) -> None:
    for item in rejected:
        SetAsideRow.objects.create(
            workspace=workspace, upstream_id=item.upstream_id, reason=item.reason, first_seen_at=now, last_seen_at=now
        )


BUGS = (
    Bug(
        "forgets what the lists leave out, without asking for it",
        "P3",
        _in(Pass, "_ask", _unasked),
        rules=("lists_leave_everything_out",),
    ),
    Bug(
        "takes any error for gone",
        "P3",
        _in(Pass, "_ask", _ask_taking(DastraError)),
        rules=("lists_leave_everything_out",),
    ),
    Bug("takes 403 for gone", "P3", _in(Pass, "_ask", _ask_taking(Forbidden)), rules=("lists_leave_everything_out",)),
    Bug(
        "forgets more than a fifth unasked",
        "P3",
        _in(Pass, "_reconcile", _whatever_is_missing),
        rules=("some_are_deleted",),
    ),
    Bug(
        "forgets as it goes, before the pass is over",
        "P17",
        _in(Pass, "_reconcile", _as_it_goes),
        rules=("some_are_deleted",),
    ),
    Bug("reads the first page alone", "P2", _both(_in(client_module, "walk", _first_page_alone), WITHOUT_LOOK)),
    Bug(
        "takes an error for the end of a list",
        "P2",
        _in(client_module, "walk", _swallowing),
        rules=("a_list_breaks_off",),
    ),
    Bug(
        "does not read a list again that changed meanwhile",
        "P2",
        _both(_in(Pass, "_walk_once", _never_again), WITHOUT_LOOK),
        rules=("rows_move_up_between_two_pages",),
    ),
    Bug(
        "drops a page for one bad row",
        "P2",
        _in(Pass, "_take_listed", _dropping_pages_with_bad_rows),
        rules=("a_row_is_bad_for_two_reads",),
    ),
    Bug(
        "stores an old page over a newer read", "P6", _in(store, "_known", _without_order), rules=("a_page_comes_late",)
    ),
    Bug("believes lists that lag", "P6", _in(store, "_doubtful", _undoubted), rules=("act_then_open_then_pull",)),
    Bug(
        "stores an old page of what is forgotten",
        "P5",
        _in(store._Writer, "_buried", _unburied),
        rules=("a_page_comes_late",),
    ),
    Bug("its digest leaves a field out", "P1", _in(rows, "digest_of", _digest_without_archived)),
    Bug("does not keep the counters", "counters", _in(store, "_count", _uncounted)),
    Bug("adds words and takes none away", "words", _in(store._Writer, "_write_words", _words_added)),
    Bug("writes what did not change", "P12", _in(store, "_kept", _always_new)),
    Bug("keeps notes of bad rows for ever", "P13", _notes_stay, rules=("a_row_is_bad_for_two_reads",)),
    Bug(
        "notes a bad row with each read",
        "P13",
        _in(store, "set_aside", _noted_again),
        rules=("a_row_is_bad_for_two_reads",),
    ),
    Bug("goes on without its lease and says complete", "P32", _unleased, rules=("pull",)),
    Bug(
        "takes a lease that is held",
        "P32",
        lambda: mock.patch("dsrportal.mirror.pull.acquire", _pilfered),
        rules=("pull",),
    ),
    Bug("calls Dastra inside a transaction", "P42", _in(Pass, "_ask", _in_one_transaction)),
    Bug("sends a failed write once more", "P11", _in(Transport, "write", _twice), rules=("click_and_lose_the_answer",)),
    Bug(
        "sends again what may have been applied",
        "P11",
        _in(writing, "_after_failed_write", _lost_is_sent_again),
        rules=("click_and_lose_the_answer",),
    ),
    Bug(
        "takes a lost answer for a failure",
        "P8",
        _in(writing, "_after_failed_write", _lost_is_failed),
        rules=("click_and_lose_the_answer",),
    ),
    Bug(
        "takes one early read for proof",
        "P8",
        lambda: mock.patch.object(writing, "PROOF_SECONDS", 0),
        rules=("click_and_lose_the_answer",),
    ),
    Bug(
        "says done without reading back",
        "P8",
        _in(writing, "_read_back", _believed),
        rules=("click_and_lose_the_answer",),
    ),
    Bug(
        "never settles what is unknown",
        "P7",
        _in(writing, "check", _never_settled),
        rules=("click_and_lose_the_answer",),
    ),
    Bug(
        "writes without comparing",
        "P9",
        _in(writing, "_settled_without_writing", lambda *_: None),
        rules=("a_click_is_overtaken",),
    ),
    Bug("does not mirror what it wrote", "P10", _in(writing, "_read", _unmirrored), rules=("click",)),
)
