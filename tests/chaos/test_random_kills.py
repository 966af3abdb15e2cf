"""The short form of the benchmark of this name: whenever a run is killed, nothing is lost and nothing done twice."""

from benchmarks.random_kills import AGENTS, measure

RUNS = 5


def test_runs_that_are_killed_at_random_lose_nothing_and_do_nothing_twice() -> None:
    tally = measure(RUNS, seed=7)

    assert tally.failures == []
    assert (tally.lost, tally.duplicated, tally.completed_agents) == (0, 0, RUNS * AGENTS)
    assert tally.kills > 0
