"""One pass over a workspace's requests: which lists are read, what they did not show, and what may be forgotten.

Called by `pull.py`, which holds the lease and records the run. Stores page by page through `store.py`; forgets at the very end alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, NoReturn

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from dsrportal.dastra import schema
from dsrportal.dastra.client import DastraClient
from dsrportal.dastra.errors import (
    Forbidden,
    IncompleteList,
    MalformedAnswer,
    NotFound,
    NotTheApi,
    Rejected,
    ServerFailure,
    UnexpectedStatus,
)
from dsrportal.mirror import drift, neighbours, store
from dsrportal.mirror.leases import Lease, renew
from dsrportal.models import DataSubjectRequest, Lane, SyncRun, WorkflowStep, Workspace

CLOSED = "Closed"
KNOWN_OPEN_STATES = ("Open", "IdentityValidation", "Processing", "Active")
MOST_WALKS = 4
FIFTH = 5
MOST_ASKED = 100
SAMPLE = 20
_TOLERATED = (NotFound, Forbidden, Rejected, UnexpectedStatus, MalformedAnswer, NotTheApi, ServerFailure)


@dataclass(frozen=True, kw_only=True, slots=True)
class Progress:
    """How far a pull is: requests seen, and Dastra's own count of the list being read where it gives one."""

    seen: int
    total: int | None


@dataclass(frozen=True, kw_only=True, slots=True)
class _Walked:
    """How one reading of a list went: whether it was whole by Dastra's own count, whether it showed a row twice, and that count at its end."""

    is_whole: bool
    has_repeats: bool
    total: int | None


class TooManyMissingError(Exception):
    """More than a fifth of the requests that the pass should have seen are missing: nothing was forgotten."""

    def __init__(self, *, missing: int, covered: int) -> None:
        super().__init__(f"{missing} of {covered} missing")
        self.missing = missing
        self.covered = covered

    def sentence(self) -> str:
        """For people."""
        return ngettext(
            "%(missing)d of %(covered)d request was in none of Dastra's lists, more than a fifth. "
            "Nothing was forgotten; an admin decides.",
            "%(missing)d of %(covered)d requests were in none of Dastra's lists, more than a fifth. "
            "Nothing was forgotten; an admin decides.",
            self.covered,
        ) % {"missing": self.missing, "covered": self.covered}


class Pass:
    """The work and the counts of one pass."""

    def __init__(
        self,
        workspace: Workspace,
        *,
        client: DastraClient,
        lease: Lease,
        clock: Callable[[], datetime],
        progress: Callable[[Progress], None] | None,
    ) -> None:
        self._workspace = workspace
        self._client = client
        self._lease = lease
        self._clock = clock
        self._progress = progress
        self._began_at = clock()
        self._seen: set[int] = set()
        self._stored: set[int] = set()
        self._rejected: set[tuple[int | None, str]] = set()
        self._gone = 0
        self._doubted = 0

    def run(self, lane: Lane, *, accept_missing: bool) -> None:
        """Read the lane to its end. Raises any DastraError, `TooManyMissingError` or `LeaseLostError`."""
        if lane == Lane.OVERTAKING:
            self._walk(overtaking=True)
            return
        self._read_steps()
        if lane == Lane.FULL:
            self._read_neighbours()
            self._walk_both()
            covered = self._mirrored()
            unseen = covered - self._accounted()
        else:
            self._walk_open()
            covered = self._mirrored(archived=False) - self._closed()
            unseen = covered - self._accounted()
            for filters in ({}, {"archived": True}):
                self._walk(ids=sorted(unseen), **filters)
                unseen -= self._accounted()
        self._reconcile(unseen, covered=len(covered), accept_missing=accept_missing)
        if lane == Lane.FULL:
            store.drop_set_aside(self._workspace, last_seen_before=self._began_at)
            drift.drop(self._workspace, last_seen_before=self._began_at)

    @property
    def stored(self) -> frozenset[int]:
        """Upstream ids of what was new or changed so far."""
        return frozenset(self._stored)

    def write_counts(self, run: SyncRun) -> None:
        """What was done so far, into the (unsaved) run."""
        run.seen = len(self._seen)
        run.stored = len(self._stored)
        run.unchanged = len(self._seen - self._stored)
        run.set_aside = len(self._rejected)
        run.gone = self._gone

    # Reading

    def _walk_both(self) -> None:
        """The live requests and the archived ones.

        One that is restored after the first list was read and before the second is in neither. The mirror misses it if it knows it, and asks; if
        not, it has to be looked for: among the newest, where an unknown one is, and everywhere when a list has grown by more than those tell.
        """
        lists: tuple[dict[str, bool], ...] = ({}, {"archived": True})
        totals = [self._walk(**filters) for filters in lists]
        for _again in range(MOST_WALKS):
            before = len(self._seen)
            for place, filters in enumerate(lists):
                totals[place] = self._look_again(totals[place], **filters)
            if len(self._seen) == before:
                return

    def _look_again(self, former: int | None, **filters: Any) -> int | None:
        """Look at the newest page of a list that was read; read it anew where it has grown by more. `former` and the answer: Dastra's own count."""
        known = self._accounted()
        pages = self._client.iter_request_pages(sort_by="id", asc=False, **filters)
        newest = next(self._numbered(pages), None)
        if newest is None:
            return former
        sequence, page = newest
        news = replace(
            page,
            items=tuple(item for item in page.items if item.upstream_id not in known),
            rejected=tuple(item for item in page.rejected if item.upstream_id not in known),
        )
        self._take_listed(news, sequence=sequence)
        explained = len(self._accounted()) - len(known)
        if page.total is not None and former is not None and page.total > former + explained:
            return self._walk(**filters)
        return page.total

    def _walk_open(self) -> None:
        """All requests that are not closed. States that only this workspace knows are asked for too, unless Dastra refuses them."""
        further = self._further_states()
        if further:
            try:
                self._walk(states=(*KNOWN_OPEN_STATES, *further))
            except Rejected:
                pass
            else:
                return
        self._walk(states=KNOWN_OPEN_STATES)

    def _walk(self, **filters: Any) -> int | None:
        """Read a list to its end and store its pages, again while it changed under our hands. Returns Dastra's own count of it, where it gives one.

        A row that goes away moves the later ones up, past the end of a page that was read already. So a list whose count changed, or
        that gave fewer ids than it counts, is read again until nothing new comes: it may count what this key cannot see. But while rows
        come twice, others were pushed out by them. Raises IncompleteList when that does not end.
        """
        listed: set[int] = set()
        for walk in range(MOST_WALKS):
            before = len(listed)
            found = self._walk_once(listed, **filters)
            if found.is_whole or (walk and len(listed) == before and not found.has_repeats):
                return found.total
        raise IncompleteList

    def _walk_once(self, listed: set[int], **filters: Any) -> _Walked:
        """One reading of a list; adds its ids to `listed`."""
        # By id, so that an edit moves no row within the list and a new request comes last.
        pages = self._client.iter_request_pages(sort_by="id", asc=True, **filters)
        totals: list[int | None] = []
        ids: list[int] = []
        nameless = 0
        for sequence, page in self._numbered(pages):
            self._take_listed(page, sequence=sequence)
            ids.extend(item.upstream_id for item in page.items)
            ids.extend(item.upstream_id for item in page.rejected if item.upstream_id is not None)
            nameless += sum(item.upstream_id is None for item in page.rejected)
            totals.append(page.total)
            if self._progress:
                self._progress(Progress(seen=len(self._seen), total=page.total))
        listed.update(ids)
        counts = {total for total in totals if total is not None}
        # What a list by ids leaves out is asked for one by one.
        is_whole = "ids" in filters or (len(counts) <= 1 and len(listed) + nameless >= max(counts, default=0))
        return _Walked(is_whole=is_whole, has_repeats=len(set(ids)) < len(ids), total=totals[-1] if totals else None)

    def _numbered(
        self, pages: Iterator[schema.Page[schema.DataSubjectRequest]]
    ) -> Iterator[tuple[int, schema.Page[schema.DataSubjectRequest]]]:
        """Each page with the number of its read, taken before the call; the lease is renewed by the way."""
        while True:
            sequence = renew(self._lease, now=self._clock())
            page = next(pages, None)
            if page is None:
                return
            yield sequence, page

    def _take_listed(self, page: schema.Page[schema.DataSubjectRequest], *, sequence: int) -> None:
        """Store a page. What it tells otherwise than the mirror without being later is asked for by itself: lists may lag."""
        done = self._take(page.items, sequence=sequence, is_list=True)
        if page.rejected:
            self._set_aside(page.rejected)
        doubtful = sorted(done.doubtful)
        asked = doubtful[: max(0, MOST_ASKED - self._doubted)]
        self._doubted += len(asked)
        for upstream_id in asked:
            if self._ask(upstream_id) is not None:
                self._seen.discard(upstream_id)  # gone by now: it is asked for once more at the end, and forgotten
        # So many at once are no lag: a step that was deleted, a purge, a new release of the portal.
        left = set(doubtful[len(asked) :])
        if left:
            self._take([item for item in page.items if item.upstream_id in left], sequence=sequence)

    def _take(
        self, items: Sequence[schema.DataSubjectRequest], *, sequence: int, is_list: bool = False
    ) -> store.Stored:
        done = store.store_requests(
            self._workspace, items, sequence=sequence, now=self._clock(), lease=self._lease, is_list=is_list
        )
        self._seen.update(item.upstream_id for item in items)
        self._stored |= done.stored
        return done

    def _set_aside(self, rejected: Sequence[schema.RejectedItem]) -> None:
        store.set_aside(self._workspace, rejected, now=self._clock())
        self._rejected.update((item.upstream_id, item.reason) for item in rejected)

    def _read_steps(self) -> None:
        try:
            listed = self._client.list_steps()
        except _TOLERATED:
            return  # then they are learned from the requests
        neighbours.store_steps(self._workspace, listed)

    def _read_neighbours(self) -> None:
        """What a board shows beside the requests. An endpoint that is missing or broken costs only its own list."""
        client, workspace = self._client, self._workspace
        reads: tuple[Callable[[], None], ...] = (
            lambda: neighbours.store_tags(workspace, list(client.list_tags())),
            lambda: neighbours.store_operators(workspace, list(client.list_users())),
            lambda: neighbours.store_areas(workspace, list(client.list_areas())),
        )
        for read in reads:
            renew(self._lease, now=self._clock())
            try:
                read()
            except _TOLERATED:
                continue

    # What the mirror has

    def _mirrored(self, **filters: bool) -> set[int]:
        found = DataSubjectRequest.objects.filter(workspace=self._workspace, **filters)
        return set(found.values_list("upstream_id", flat=True))

    def _closed(self) -> set[int]:
        found = DataSubjectRequest.objects.filter(workspace=self._workspace, archived=False, state=CLOSED)
        return set(found.values_list("upstream_id", flat=True))

    def _accounted(self) -> set[int]:
        """Ids that Dastra showed in this pass, readable or not."""
        return self._seen | {upstream_id for upstream_id, _reason in self._rejected if upstream_id is not None}

    def _further_states(self) -> tuple[str, ...]:
        mapped = WorkflowStep.objects.filter(workspace=self._workspace, is_gone=False)
        held = DataSubjectRequest.objects.filter(workspace=self._workspace, archived=False)
        found = {*mapped.values_list("mapped_state", flat=True), *held.values_list("state", flat=True).distinct()}
        return tuple(sorted(found - {"", CLOSED, *KNOWN_OPEN_STATES}))

    # Forgetting

    def _reconcile(self, unseen: set[int], *, covered: int, accept_missing: bool) -> None:
        """Ask for each unseen request by itself; forget those that Dastra says it has not, all at the end or none."""
        most_gone = len(unseen) if accept_missing else covered // FIFTH
        if len(unseen) > max(most_gone, MOST_ASKED):
            self._doubt(unseen, covered=covered)
        gone: dict[int, int] = {}
        for upstream_id in sorted(unseen):
            sequence = self._ask(upstream_id)
            if sequence is not None:
                gone[upstream_id] = sequence
            if len(gone) > most_gone:
                raise TooManyMissingError(missing=len(unseen), covered=covered)
        if gone:
            forgotten = store.forget_requests(self._workspace, gone, now=self._clock(), lease=self._lease)
            self._gone = len(forgotten)

    def _doubt(self, unseen: set[int], *, covered: int) -> NoReturn:
        """So many are missing that asking for each would take long: a few tell whether they are gone or the lists were cut."""
        ordered = sorted(unseen)
        for upstream_id in ordered[:: len(ordered) // SAMPLE]:
            if self._ask(upstream_id) is not None:
                raise TooManyMissingError(missing=len(unseen), covered=covered)
        raise IncompleteList(_("Dastra's lists leave out requests that it still has. Nothing was forgotten."))

    def _ask(self, upstream_id: int) -> int | None:
        """Read one request and store it. When Dastra has it no more, the number of the read that said so.

        An answer that cannot be understood is set aside, as it is in a list: one bad row may not spoil the pass for all.
        """
        sequence = renew(self._lease, now=self._clock())
        try:
            dsr = self._client.get_request(upstream_id)
        except NotFound:
            return sequence
        except Forbidden:
            # The lists came, so the key is good: it has lost this one request, of which nobody can say whether it is gone.
            self._set_aside((schema.RejectedItem(upstream_id=upstream_id, reason="the key may not read it"),))
            return None
        except MalformedAnswer as error:
            self._set_aside((schema.RejectedItem(upstream_id=upstream_id, reason=error.sentence),))
            return None
        self._take([dsr], sequence=sequence)
        return None
