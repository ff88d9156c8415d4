"""The ways in which a legal date, or whom it concerns, can change, and what they make of the dates: the vocabulary of `rearming.py`."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import TYPE_CHECKING

from dateutil.relativedelta import relativedelta

from dsrportal.actions import ledger
from dsrportal.actions.refusals import LedgerError
from dsrportal.models import Extension
from dsrportal.models.ledger import ExtensionGround, PauseReason, RefusalGround
from tests.alerts.proof.oracle import Almanac

if TYPE_CHECKING:
    from tests.alerts.proof.rearming import World


@dataclass(kw_only=True)
class Fact:
    """What happened to one request."""

    upstream_id: int
    received: date
    holder: int | None = None
    pauses: list[tuple[date, date | None]] = field(default_factory=list)
    is_extended: bool = False
    is_refused: bool = False
    is_closed: bool = False
    is_archived: bool = False

    def dates(self, days: Almanac) -> tuple[date | None, date | None]:
        """When the answer is due, and the notice of an extension; None for what is not."""
        extend_by = _rolled(self._after(months=1), days=days)
        stopped = {
            asked + timedelta(n) for asked, answered in self.pauses if answered for n in range((answered - asked).days)
        }
        is_paused = any(answered is None for _asked, answered in self.pauses)
        raw = self._after(months=3 if self.is_extended else 1) + timedelta(len(stopped))
        has_notice = not self.is_extended and not self.is_refused
        return (None if is_paused else _rolled(raw, days=days)), (extend_by if has_notice else None)

    def _after(self, *, months: int) -> date:
        found: date = self.received + relativedelta(months=months)
        return found


def _rolled(day: date, *, days: Almanac) -> date:
    return day if days.works(day) else days.after(day)


def at_ten(day: date) -> str:
    """As Dastra writes it."""
    return f"{day.isoformat()}T10:00:00.0000000"


def _tick(world: World, fact: Fact, m: int) -> None:
    """Dastra's own date moves by a ten-millionth of a second: nothing that matters."""
    shown = world.stage.dastra.record(fact.upstream_id).fields["expiryTime"]
    world.stage.dastra.edit(fact.upstream_id, expiryTime=shown[:-1] + str((int(shown[-1]) + 1) % 10))


def _received(world: World, fact: Fact, m: int) -> None:
    """Another date of receipt; with pauses it could lie after them, which has tests of its own."""
    if fact.pauses:
        raise _nothing()
    day = world.today - timedelta(m * 3)
    world.stage.dastra.edit(fact.upstream_id, dateDemand=at_ten(day))
    fact.received = day


def _pause(world: World, fact: Fact, m: int) -> None:
    ledger.pause(
        world.dsr(fact),
        action_id=uuid.uuid4(),
        reason=PauseReason.IDENTITY,
        asked_on=world.today,
        by=world.marc,
        now=world.now,
    )
    fact.pauses.append((world.today, None))


def _resume(world: World, fact: Fact, m: int) -> None:
    ledger.resume(world.dsr(fact), action_id=uuid.uuid4(), answered_on=world.today, by=world.marc, now=world.now)
    asked, _open = fact.pauses[-1]
    fact.pauses[-1] = (asked, world.today)


def _extend(world: World, fact: Fact, m: int) -> None:
    ledger.extend(
        world.dsr(fact),
        action_id=uuid.uuid4(),
        ground=ExtensionGround.COMPLEXITY,
        notice_on=world.today,
        text="Many systems.",
        by=world.marc,
        now=world.now,
    )
    fact.is_extended = True


def _withdraw(world: World, fact: Fact, m: int) -> None:
    """The extension is taken back; a pause of the months that it gave would be one of a clock that has run out."""
    entry = Extension.objects.filter(dsr=world.dsr(fact), withdrawn_at=None).first()
    if entry is None or fact.pauses:
        raise _nothing()
    ledger.withdraw(entry, by=world.marc, now=world.now)
    fact.is_extended = False


def _refuse(world: World, fact: Fact, m: int) -> None:
    ledger.refuse(
        world.dsr(fact),
        action_id=uuid.uuid4(),
        ground=RefusalGround.EXCESSIVE,
        notice_on=world.today,
        text="The twelfth of its kind.",
        by=world.marc,
        now=world.now,
    )
    fact.is_refused = True


def _close(world: World, fact: Fact, m: int) -> None:
    world.stage.dastra.move(fact.upstream_id, world.stage.dastra.final_step()["id"])
    fact.is_closed = True


def _reopen(world: World, fact: Fact, m: int) -> None:
    world.stage.dastra.move(fact.upstream_id, world.stage.dastra.initial_step()["id"])
    fact.is_closed = False


def _archive(world: World, fact: Fact, m: int) -> None:
    world.stage.dastra.archive(fact.upstream_id)
    fact.is_archived = True


def _restore(world: World, fact: Fact, m: int) -> None:
    world.stage.dastra.restore(fact.upstream_id)
    fact.is_archived = False


def _reassign(world: World, fact: Fact, m: int) -> None:
    """To one of those with an account, to one without, to nobody."""
    fact.holder = (71, 72, 73, None)[m % 4]
    world.stage.dastra.edit(fact.upstream_id, operatorId=fact.holder)


def _nothing() -> LedgerError:
    return LedgerError("not in this world", code="none")


CHANGES: dict[str, Callable[[World, Fact, int], None]] = {
    "tick": _tick,
    "another receipt": _received,
    "pause": _pause,
    "resume": _resume,
    "extension": _extend,
    "extension withdrawn": _withdraw,
    "refusal": _refuse,
    "closing": _close,
    "reopening": _reopen,
    "archiving": _archive,
    "restoring": _restore,
    "reassignment": _reassign,
}
