"""The three pulls from Dastra, each under the workspace's lease and recorded as a `SyncRun`. Called by jobs and by `sync`.

Rows are stored page by page; only a complete pass asks for what it did not see, and only a 404 or 410 of that very id forgets a row.
Any error ends the pass: what was stored stays (it is true), nothing is forgotten, and the run says why.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from django.utils.translation import gettext as _

from dsrportal.credentials import CannotDecryptError
from dsrportal.dastra.client import DastraClient
from dsrportal.dastra.errors import CredentialHeld, DastraError, Forbidden, NotFound, NotTheApi, Unauthorized
from dsrportal.mirror import runs, webhooks
from dsrportal.mirror.connections import connect, reset
from dsrportal.mirror.leases import BusyError, Lease, LeaseLostError, acquire, release
from dsrportal.mirror.passes import Pass, Progress, TooManyMissingError
from dsrportal.mirror.runs import End
from dsrportal.models import Lane, SyncRun, Workspace
from dsrportal.models.runs import SyncOutcome
from dsrportal.models.workspaces import Hold

__all__ = ["BusyError", "Progress", "pull"]

HOLDS_OF_ERRORS: tuple[tuple[type[DastraError], Hold], ...] = (
    (Unauthorized, Hold.REFUSED),
    (CredentialHeld, Hold.REFUSED),  # another workspace with the same credential may have met the refusal
    (Forbidden, Hold.REFUSED),
    (NotTheApi, Hold.NOT_THE_API),
)


def pull(
    workspace: Workspace,
    *,
    lane: Lane,
    now: Callable[[], datetime] | datetime,
    accept_missing: bool = False,
    scheduled: bool = False,
    progress: Callable[[Progress], None] | None = None,
) -> SyncRun:
    """Run one pull to its end and return its run, whose outcome, error and counts tell how it went.

    `accept_missing` forgets what Dastra answers with 404 or 410 even when it is more than a fifth. `progress` is called after each
    page. `scheduled`: nobody asked for it, so it leaves Dastra alone while the breaker is open; a person's wish closes the breaker first.
    Errors of the API are in the run; raises `BusyError` when another pull of this workspace is running.
    """
    clock = now if callable(now) else lambda: now
    lease = acquire(workspace, now=clock())
    try:
        runs.close_interrupted(workspace, lease=lease, now=clock())
        run = runs.begin(workspace, lane=lane, now=clock())
        if not scheduled:
            reset(workspace)
        _run(run, lease=lease, clock=clock, accept_missing=accept_missing, progress=progress)
    finally:
        release(lease)
    workspace.refresh_from_db(fields=["hold", "hold_sentence", "held_at", "lease_owner", "lease_until"])
    return run


def _run(
    run: SyncRun,
    *,
    lease: Lease,
    clock: Callable[[], datetime],
    accept_missing: bool,
    progress: Callable[[Progress], None] | None,
) -> None:
    client: DastraClient | None = None
    work: Pass | None = None
    end = End(
        outcome=SyncOutcome.FAILED, code="internal", sentence=_("The portal failed while it read Dastra; see its log.")
    )
    try:
        client = connect(run.workspace)
        work = Pass(run.workspace, client=client, lease=lease, clock=clock, progress=progress)
        work.run(Lane(run.lane), accept_missing=accept_missing)
        end = End(outcome=SyncOutcome.COMPLETE)
    except TooManyMissingError as missing:
        end = End(outcome=SyncOutcome.HELD, code=Hold.MISSING, sentence=missing.sentence(), hold=Hold.MISSING)
    except LeaseLostError:
        pass  # `finish` sees it too, and says so
    except (KeyboardInterrupt, SystemExit):
        end = End(
            outcome=SyncOutcome.FAILED, code="interrupted", sentence=_("The read was interrupted before its end.")
        )
        raise
    except CannotDecryptError:
        sentence = _(
            "What is stored for this workspace cannot be opened with CREDENTIAL_KEYS: a former key is missing."
        )
        end = End(outcome=SyncOutcome.FAILED, code="cannot_decrypt", sentence=sentence)
    except DastraError as error:
        hold = next((hold for kind, hold in HOLDS_OF_ERRORS if isinstance(error, kind)), None)
        end = End(outcome=SyncOutcome.FAILED, code=error.code, sentence=sentence_of(error), hold=hold)
    finally:
        # Also on the way out of an error that nobody foresaw, so that no run stays "running".
        if client is not None:
            run.calls = client.call_count
            client.close()
        if work is not None:
            work.write_counts(run)
        runs.finish(run, end=end, lease=lease, now=clock())
        if work is not None:
            webhooks.note_changes(run.workspace, work.stored, now=clock())


def sentence_of(error: DastraError) -> str:
    """What a person is told of an error that ended a pull."""
    if isinstance(error, NotFound):
        return _("Dastra has no workspace with this id, or the key cannot see it. Nothing was forgotten.")
    if isinstance(error, Forbidden):
        return _("The key may not read the requests of this workspace. Nothing was forgotten.")
    return error.sentence
