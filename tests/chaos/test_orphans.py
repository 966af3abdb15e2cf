"""Agents of every kind, killed at random: no child goes on, and nothing is paid twice (F4, F8). A sample."""

import random
from pathlib import Path

from benchmarks.orphans import Tally, carry_out
from tests.chaos.victims import Nursery


def test_no_child_outlives_a_killed_run_and_what_cannot_be_undone_is_done_once(tmp_path: Path) -> None:
    tally = Tally()
    with Nursery() as nursery:
        carry_out(nursery, tmp_path, {}, random.Random(3), tally)

    assert (tally.orphans, tally.lost, tally.doubled, tally.failures) == (0, 0, 0, [])
    assert tally.kills > 0
