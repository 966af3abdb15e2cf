"""How a group under one coordinator scales, and which parameters explain what was measured (S, M7).

The law is Gunther's Universal Scalability Law. It is exact for a group that works in rounds: each agent does its task,
then one coordinator takes the N results one after another, each for `contention` of a task's time and another
`coherency` for each of the N - 1 peers whose work the result has to agree with. The results of the others are what a
round takes longer than a single agent's task: (N - 1) * contention + N * (N - 1) * coherency.

The fit is least squares on throughput. The time a task takes, N / throughput, is linear in three parameters; solving
for it gives a start, and Levenberg-Marquardt steps go on from there. That is done once with each set of parameters held
at zero, since none can be negative, and the best is taken. Pure and deterministic.
"""

from collections.abc import Sequence
from functools import cache
from math import ceil, floor, sqrt

from echelon.model.errors import InvalidInput
from echelon.model.scaling import Ceiling, Fit, Measured, Parameters

#: What is known to happen when agents are added under one orchestrator that everything goes through, in multiples of
#: one agent (S). A prior, to be replaced by what runs measure.
FLAT_EXAMPLE: tuple[Measured, ...] = tuple(
    Measured(agents=agents, throughput=throughput)
    for agents, throughput in ((1, 1.0), (5, 3.0), (10, 4.0), (15, 4.0), (20, 3.0))
)
MOST_AGENTS = 100_000  # nobody is told a ceiling beyond, which no measurement supports
POINTS_NEEDED = 3  # different numbers of agents; a curve of two parameters and a unit goes through any two

#: Which times are fitted, the others being zero; where one agent's throughput is known, its own time is not fitted.
_KNOWN = ((1, 2), (1,), (2,), ())
_UNKNOWN = ((0, 1, 2), (0, 1), (0, 2), (0,))
#: An agent's own time, where a time of 1 gives the highest throughput seen: nobody alone does 100 times as much.
_SMALLEST_OWN = 0.01
_LARGEST = 1e100  # time; what is larger has no square
_STEPS = 300  # damped Gauss-Newton steps at most; a dozen are usual, points far from any law take many
_GAIN = 1e-14  # relative improvement below which a step changes nothing that anybody could see
_MOST_DAMPING = 1e12  # a step so short that it is none
_NO_PIVOT = 1e-14  # columns are scaled to 1; below, one depends on the others


#: The law as it is fitted: task time with N agents = own + waiting * (N - 1) + agreeing * N * (N - 1).
_Times = tuple[float, ...]
#: Agents and their throughput, in multiples of the highest.
_Point = tuple[int, float]


def extra_time(group: float, parameters: Parameters) -> float:
    """Return by how much a round of `group` agents under one coordinator lasts longer, in task times."""
    return (group - 1) * (parameters.contention + parameters.coherency * group)


def flat_speedup(agents: int, parameters: Parameters) -> float:
    """Return the throughput of `agents` under one coordinator, in multiples of one agent."""
    return agents / (1 + extra_time(agents, parameters))


def ceiling(parameters: Parameters) -> Ceiling | None:
    """Return where throughput under one coordinator is highest; None when it falls nowhere up to 100,000 agents."""
    room = max(0.0, 1 - parameters.contention)
    if room >= parameters.coherency * MOST_AGENTS**2:
        return None
    peak = sqrt(room / parameters.coherency)
    agents = max((max(1, floor(peak)), max(1, ceil(peak))), key=lambda n: flat_speedup(n, parameters))
    return Ceiling(agents=agents, throughput=parameters.single * flat_speedup(agents, parameters), found=True)


@cache
def flat_fit() -> Fit:
    """Return the fit to the known example of flat coordination: the parameters used where nothing was measured (S)."""
    return fit(FLAT_EXAMPLE, single=1.0)


def flat_ceiling() -> int:
    """Return the number of agents beyond which flat coordination delivers less, by the default parameters (L1, L2)."""
    peak = ceiling(flat_fit().parameters)
    assert peak is not None, "the example falls at its end, so its curve has a peak"
    return peak.agents


def fit(points: Sequence[Measured], single: float | None = None) -> Fit:
    """Return the parameters nearest to `points`; `single` is the throughput of one agent when that is known.

    Raises `InvalidInput` for fewer than three different numbers of agents.
    """
    distinct = len({point.agents for point in points})
    if distinct < POINTS_NEEDED:
        raise InvalidInput(
            f"cannot fit a curve to points at {distinct} different numbers of agents: {POINTS_NEEDED} are needed at "
            "least; measure the same work with other numbers of agents too"
        )
    scale = max(point.throughput for point in points)  # so that the unit of throughput changes nothing but the unit
    scaled = [(point.agents, point.throughput / scale) for point in points]
    own = None if single is None else scale / single
    faces = [(free, own or _SMALLEST_OWN) for free in _KNOWN] + [(free, None) for free in _UNKNOWN if own is None]
    found = [_refined(scaled, _start(scaled, free, fixed), free) for free, fixed in faces]
    own_time, waiting, agreeing = min(found, key=lambda times: _error(scaled, times))
    return _judged(
        points,
        Parameters(contention=waiting / own_time, coherency=agreeing / own_time, single=scale / own_time),
    )


def _judged(points: Sequence[Measured], parameters: Parameters) -> Fit:
    """Return the fit with how near it is to the points."""
    throughputs = [point.throughput for point in points]
    off = [parameters.single * flat_speedup(p.agents, parameters) - p.throughput for p in points]
    mean = sum(throughputs) / len(throughputs)
    spread = sum((one - mean) ** 2 for one in throughputs)
    error = sum(one**2 for one in off)
    explained = 1 - error / spread if spread else 0.0
    return Fit(parameters=parameters, r_squared=explained, largest_error=max(map(abs, off)))


def _start(points: Sequence[_Point], free: Sequence[int], own: float | None) -> _Times:
    """Solve for the time a task takes, in which the law is linear, with the weights that errors in throughput have."""
    weights = [throughput**2 / agents for agents, throughput in points]
    rows = [[w * term for term in _terms(agents)] for w, (agents, _) in zip(weights, points, strict=True)]
    wanted = [w * agents / throughput for w, (agents, throughput) in zip(weights, points, strict=True)]
    fixed = own or 0.0
    left = [value - fixed * row[0] for value, row in zip(wanted, rows, strict=True)]
    return _moved((fixed, 0.0, 0.0), free, _least_squares(rows, left, free))


def _refined(points: Sequence[_Point], times: _Times, free: Sequence[int]) -> _Times:
    """Improve the `free` times until a step changes nothing that anybody could see."""
    error, damping = _error(points, times), 1e-3
    for _ in range(_STEPS if free else 0):
        rows = [_slopes(agents, times) for agents, _ in points]
        off = [throughput - agents / _time(agents, times) for agents, throughput in points]
        trial = _moved(times, free, _least_squares(rows, off, free, damping))
        found = _error(points, trial)
        if found >= error:
            damping *= 10
            if damping > _MOST_DAMPING:
                break
            continue
        gain, times, error, damping = error - found, trial, found, damping / 10
        if gain <= _GAIN * error:
            break
    return times


def _moved(times: _Times, free: Sequence[int], step: Sequence[float]) -> _Times:
    """Return the times after a step; none becomes negative."""
    moved = list(times)
    for index, change in zip(free, step, strict=True):
        moved[index] = min(max(0.0 if index else _SMALLEST_OWN, moved[index] + change), _LARGEST)
    return tuple(moved)


def _least_squares(
    rows: Sequence[Sequence[float]], wanted: Sequence[float], free: Sequence[int], damping: float = 0.0
) -> list[float]:
    """Return what to multiply the `free` columns with so that they come nearest to `wanted` (normal equations)."""
    sizes = [
        max(sum(row[i] ** 2 for row in rows) ** 0.5, 1e-300) for i in free
    ]  # columns differ by orders of magnitude
    columns = [[row[i] / size for row in rows] for i, size in zip(free, sizes, strict=True)]
    system = [[_dot(one, other) for other in columns] + [_dot(one, wanted)] for one in columns]
    for index, row in enumerate(system):
        row[index] += damping
    return [value / size for value, size in zip(_solved(system), sizes, strict=True)]


def _solved(system: list[list[float]]) -> list[float]:
    """Solve a symmetric positive system of at most three unknowns; a direction that nothing depends on stays put."""
    for i, row in enumerate(system):
        pivot = row[i]
        system[i] = [value / pivot for value in row] if pivot > _NO_PIVOT else [0.0] * len(row)
        for j, other in enumerate(system):
            if j != i:
                system[j] = [value - other[i] * scaled for value, scaled in zip(other, system[i], strict=True)]
    return [row[-1] for row in system]


def _dot(one: Sequence[float], other: Sequence[float]) -> float:
    return sum(a * b for a, b in zip(one, other, strict=True))


def _terms(agents: int) -> tuple[float, float, float]:
    return 1.0, agents - 1.0, agents * (agents - 1.0)


def _time(agents: int, times: _Times) -> float:
    return _dot(_terms(agents), times)


def _slopes(agents: int, times: _Times) -> list[float]:
    """Return how throughput changes with each of the times."""
    falling = -agents / _time(agents, times) ** 2
    return [falling * term for term in _terms(agents)]


def _error(points: Sequence[_Point], times: _Times) -> float:
    return sum((agents / _time(agents, times) - throughput) ** 2 for agents, throughput in points)
