"""Play rounds of work event by event: what the formulas of `simulation` are checked against (S).

In a round each agent works on its tasks, which take it more or less long, and then reports. A coordinator takes one
report at a time, in the order in which they come; what is left over waits. Each report takes it `contention`, and
`coherency` for each other report of its group that it has to agree with. When all of its group have reported, it
reports to the one above it. When the one at the top is done, the next round begins. Nothing here knows the law.

Pure: the same seed gives the same rounds.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from heapq import heapify, heappop, heappush
from itertools import pairwise
from random import Random

from echelon.model.scaling import Measured, Parameters
from echelon.scaling.simulation import EVERY_TASK, check_tasks_per_sync, level_sizes

LEAST_ROUNDS = 20
LEAST_REPORTS = 2000  # of agents, over all rounds; fewer agents play more rounds, so that luck matters as little
DEFAULT_SEED = 3
DEFAULT_VARIATION = 0.05  # standard deviation of the time tasks take, as a share of the mean


def play(
    agents: Sequence[int],
    parameters: Parameters,
    span: int | None = None,
    tasks_per_sync: int = EVERY_TASK,
    *,
    variation: float = DEFAULT_VARIATION,
    seed: int = DEFAULT_SEED,
) -> tuple[Measured, ...]:
    """Return the throughput that is observed with each number of agents; a `span` of None is one coordinator for all.

    Without variation the rounds are those of the law, and so is the throughput where the groups of a level are equal.
    With it, reports trickle in, so that a coordinator begins earlier than the law says, and stragglers are waited for.

    Raises `InvalidInput` for a span below 2 or fewer than one task to a sync point.
    """
    tasks = check_tasks_per_sync(tasks_per_sync)
    found: list[Measured] = []
    for n in agents:
        organisation = _organised(n, parameters, span or max(n, 2))
        random = Random(f"{seed}/{n}")  # noqa: S311 - no secret; a number of agents plays the same among any others
        own = max(0.0, tasks - parameters.contention)  # the rest of its time is its coordinator's attention
        rounds = max(LEAST_ROUNDS, LEAST_REPORTS // n)
        lasted = sum(
            _round(organisation, list(_works(random, n, tasks, own / tasks, variation))) for _ in range(rounds)
        )
        done = n * tasks * rounds
        found.append(Measured(agents=n, throughput=parameters.single * done / lasted))
    return tuple(found)


@dataclass(frozen=True, slots=True)
class _Level:
    """Who on a level reports to whom."""

    above: Sequence[int]
    """Number of the coordinator above each."""
    reports: Sequence[int]
    """How many report to each coordinator above."""
    attention: Sequence[float]
    """How long each coordinator above attends to one report, in task times."""


def _organised(agents: int, parameters: Parameters, span: int) -> list[_Level]:
    """Return the levels from the agents upwards, divided as evenly as can be."""
    levels: list[_Level] = []
    for members, groups in pairwise(level_sizes(agents, span)):
        above = [member * groups // members for member in range(members)]
        sizes = Counter(above)
        reports = [sizes[group] for group in range(groups)]
        attention = [parameters.contention + parameters.coherency * (size - 1) for size in reports]
        levels.append(_Level(above, reports, attention))
    return levels


def _works(random: Random, agents: int, tasks: int, mean: float, variation: float) -> Iterator[float]:
    """Yield how long each agent works before it reports, in task times: its tasks, one after another."""
    shape = tasks / variation**2 if variation else 0.0
    for _ in range(agents):
        yield random.gammavariate(shape, tasks * mean / shape) if shape and mean else tasks * mean


def _round(organisation: Sequence[_Level], works: Sequence[float]) -> float:
    """Return when the coordinator at the top is done, in task times from the beginning of the round."""
    missing = [list(level.reports) for level in organisation]
    free_at = [[0.0] * len(level.reports) for level in organisation]
    coming = [(at, 0, agent) for agent, at in enumerate(works)]
    heapify(coming)
    last = 0.0
    while coming:
        at, height, member = heappop(coming)
        group = organisation[height].above[member]
        last = max(at, free_at[height][group]) + organisation[height].attention[group]
        free_at[height][group] = last
        missing[height][group] -= 1
        if not missing[height][group] and height + 1 < len(organisation):
            heappush(coming, (last, height + 1, group))
    return last
