"""Many processes at one database at the same time: people who wish and take back, readers, and pulls. Used by the tests and the long run."""

from __future__ import annotations

from dataclasses import dataclass

from tests.crash.stage import Stage
from tests.crash.warm import Job

WRITERS = 8
READERS = 4
PULLS = 3


@dataclass(frozen=True, kw_only=True)
class Crowded:
    """What came of it: kept wishes, how long the slowest hundredth took to keep (seconds), and every error."""

    done: int
    slowest_hundredth: float
    errors: list[str]


def crowd(stage: Stage, *, times: int) -> Crowded:
    """Eight writers, so many wishes each, beside four readers and full pulls."""
    ids = stage.live_ids()
    shares = [ids[place::WRITERS] for place in range(WRITERS)]
    module = "tests.crash.deeds"
    jobs = [
        Job(call=f"{module}.write_much", given={"times": times, "ids": share, "number": place})
        for place, share in enumerate(shares)
    ]
    jobs += [Job(call=f"{module}.read_much", given={"times": max(1, times // 2)}) for _reader in range(READERS)]
    jobs.append(Job(call=f"{module}.store_much", given={"times": PULLS}))
    ended = stage.warm.run(*jobs)
    errors = [one.output for one in ended if one.exit != 0]
    errors += [error for one in ended if one.answer for error in one.answer["errors"]]
    took = sorted(seconds for one in ended[:WRITERS] if one.answer for seconds in one.answer["took"])
    return Crowded(done=len(took), slowest_hundredth=took[len(took) * 99 // 100] if took else 0.0, errors=errors)
