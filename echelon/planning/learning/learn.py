"""Learn from what runs of a job measured: a middle run counts, so that one gone wrong moves nothing (X10). Pure."""

import math
import statistics
from collections.abc import Callable, Iterable, Sequence

from echelon.model.learning.learnt import Learnt, LearntAgent, LearntPhase, Spread
from echelon.model.learning.lesson import QUANTILE_STEPS, AgentLesson, MeasuredValues, RunLesson, level_of
from echelon.planning.learning.expected import INTEGRATION

#: So many of the newest runs of a job are learnt from.
MAX_RUNS = 20

#: Of what runs measured this share is left out at each end.
TRIMMED = 0.1


def learn(runs: Sequence[RunLesson]) -> Learnt | None:
    """Return what the newest runs teach, given in the order in which they began; None without any.

    Of an agent whose code has changed only what its newest version measured counts.
    """
    newest = runs[-MAX_RUNS:]
    if not newest:
        return None
    whole = [run for run in newest if not run.kept]
    names = dict.fromkeys(name for run in reversed(newest) for name in run.phases)
    phases = {name: _phase([run for run in newest if name in run.phases], name) for name in names}
    return Learnt(
        runs=len(newest),
        newest=newest[-1].run_id,
        phases=phases,
        makespan_seconds=_of_runs(run.makespan_seconds for run in whole),
        tokens=_of_runs(run.tokens for run in whole),
        cost=_of_runs(run.cost for run in whole),
    )


def _phase(runs: Sequence[RunLesson], name: str) -> LearntPhase:
    parts = [run.phases[name] for run in runs]
    whole = [part for part in parts if not part.kept]
    agents = dict.fromkeys(agent for part in reversed(parts) for agent in part.agents)
    merged = [one.seconds for part in parts if (one := part.agents.get(INTEGRATION)) is not None]
    return LearntPhase(
        tasks=_of_runs(part.tasks for part in parts),
        seconds=_of_runs(part.seconds for part in whole),
        agents={agent: _agent([part.agents[agent] for part in parts if agent in part.agents]) for agent in agents},
        integration_seconds=_spread(merged),
        lead_seconds=_of_runs(part.lead_seconds for part in parts),
        tail_seconds=_of_runs(part.tail_seconds for part in parts),
        task_overhead_seconds=_of_runs(part.task_overhead_seconds for part in parts),
    )


def _agent(known: Sequence[AgentLesson]) -> LearntAgent:
    """Return what an agent took, by its newest version."""
    own = [one for one in known if one.fingerprint == known[-1].fingerprint]
    ended = sum(one.done + one.failed for one in own)
    return LearntAgent(
        fingerprint=known[-1].fingerprint,
        seconds=_spread(one.seconds for one in own),
        wall=_spread(one.wall for one in own),
        tokens=_spread(one.tokens for one in own),
        cost=_spread(one.cost for one in own),
        failure_share=sum(one.failed for one in own) / ended if ended else None,
        attempts=max(1.0, sum(one.attempts for one in own) / ended) if ended else None,
    )


def _of_runs(values: Iterable[float | None]) -> Spread | None:
    """Return how something varies of which each run measured one value."""
    known = [value for value in values if value is not None]
    return None if not known else _described(known, typical=trimmed_mean(known))


def _spread(samples: Iterable[MeasuredValues | None]) -> Spread | None:
    """Return how something varies of which each run measured several values.

    Each quantile is that of usual runs: so the largest one is what the longest task of a run usually takes.
    """
    known = [sample for sample in samples if sample is not None]
    if not known:
        return None
    number = sum(one.count for one in known)
    mean = sum(one.mean * one.count for one in known) / number
    variance = sum(one.count * (one.deviation**2 + (one.mean - mean) ** 2) for one in known) / number
    levels = [step / QUANTILE_STEPS for step in range(QUANTILE_STEPS + 1)]
    quantiles = tuple(_middle(known, lambda one, level=level: one.at(level)) for level in levels)
    return Spread(
        count=number,
        mean=mean,
        median=level_of(quantiles, 0.5),
        p90=level_of(quantiles, 0.9),
        deviation=variance**0.5,
        typical=_middle(known, lambda one: one.mean),
        quantiles=quantiles,
    )


def _middle(samples: Sequence[MeasuredValues], value: Callable[[MeasuredValues], float]) -> float:
    return trimmed_mean([value(one) for one in samples])


def trimmed_mean(values: Sequence[float]) -> float:
    """Return the mean without the outermost values on both sides: one run that went wrong does not move it.

    A median would be too small for the sum of phases whose times are skewed.

    >>> trimmed_mean([1.0, 2.0, 3.0, 90.0])
    2.5
    """
    outer = math.ceil(len(values) * TRIMMED) if len(values) > 2 else 0
    return statistics.fmean(sorted(values)[outer : len(values) - outer])


def _described(known: Sequence[float], typical: float) -> Spread:
    ordered = sorted(known)
    return Spread(
        count=len(known),
        mean=statistics.fmean(known),
        median=statistics.median(known),
        p90=level_of(ordered, 0.9),
        deviation=statistics.pstdev(known),
        typical=typical,
    )
