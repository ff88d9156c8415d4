"""The running portal – web server, supervisor, cluster – whose processes are killed while people click: short forms of the long runs."""

from __future__ import annotations

import pytest

from tests.crash.campaign import Campaign, kill_parents
from tests.crash.stage import Stage

pytestmark = pytest.mark.slow
SEED = 20_261_122


@pytest.mark.parametrize(
    ("kind", "boundaries"),
    [
        (
            "web",
            ["after commit of INSERT outboxentry", "at the unread answer of POST /DataSubjectRequests/workflow"],
        ),
        (
            "worker",
            [
                "at the unread answer of POST /DataSubjectRequests/workflow",
                "before UPDATE outboxentry done",
            ],
        ),
        ("cluster", ["after POST /DataSubjectRequests/workflow", "after commit of UPDATE outboxentry sending"]),
    ],
)
def test_no_click_is_lost_or_doubled_when_it_is_killed(portal: Stage, kind: str, boundaries: list[str]) -> None:
    tally = Campaign(portal, kind=kind, seed=SEED, boundaries=boundaries).run(kills=3)
    assert tally["kills at a boundary"] >= 1
    assert tally["kills at a boundary"] + tally["kills by chance"] == 3
    assert tally["done"] + tally["refused"] >= 1


def test_nothing_outlives_the_portals_first_process_and_the_next_one_finishes_its_work(portal: Stage) -> None:
    assert kill_parents(portal, kills=1, seed=SEED)["kills of the parent"] == 1
