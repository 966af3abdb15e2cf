"""What of a job's organisation to change for a failure mode, as far as that can be changed from outside. Pure (G, R10).

A remedy that is a matter of code (another integrator, smaller items, who may decide) is said in words only.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence

from echelon.model.diagnosis.adjustment import Adjustment, Lever
from echelon.model.diagnosis.mode import FailureMode
from echelon.model.errors import AgentTimeout
from echelon.planning.regime import DEFAULT_SPAN, MINIMUM_SPAN
from echelon.visibility.diagnosis.decomposition import unused_needs
from echelon.visibility.diagnosis.facts import RunEvidence

Remedy = Callable[[RunEvidence, Sequence[RunEvidence]], Iterator[Adjustment]]
"""Gets a run and those of the job before it; yields what to change."""

#: How much more time attempts get that ran out of it.
MORE_TIME = 2.0

_M = FailureMode


def remedies(mode: FailureMode, facts: RunEvidence, history: Sequence[RunEvidence]) -> tuple[Adjustment, ...]:
    """Return what to change of a job whose run shows a failure mode; nothing where that is a matter of its code."""
    remedy = _REMEDIES.get(mode)
    return tuple(one for one in remedy(facts, history) if one.before != one.after) if remedy else ()


def _merge(facts: RunEvidence, _history: Sequence[RunEvidence]) -> Iterator[Adjustment]:
    if len(facts.plan.phases) > 1:
        reason = "tasks are small: one agent that takes its item through several phases saves a handoff each"
        yield Adjustment(lever=Lever.MERGE, before="never", after="auto", mode=_M.OVER_DECOMPOSITION, reason=reason)


def _more_time(facts: RunEvidence, _history: Sequence[RunEvidence]) -> Iterator[Adjustment]:
    late = [one for one in facts.state.failed_attempts if one.error.kind == AgentTimeout.__name__]
    longest: dict[str, float] = defaultdict(float)
    for one in late:
        step = facts.step_of.get(one.task_id)
        if step is not None:
            longest[step.phase] = max(longest[step.phase], one.seconds)
    for phase, seconds in longest.items():
        reason = f"{len(late)} attempts ran out of time; with more they can end, where they cannot be cut smaller"
        more = round(seconds * MORE_TIME, 1)
        yield Adjustment(
            lever=Lever.TIMEOUT, phase=phase, before=round(seconds, 1), after=more, mode=_M.UNDER_DECOMPOSITION,
            reason=reason,
        )  # fmt: skip


def _domains(facts: RunEvidence, _history: Sequence[RunEvidence]) -> Iterator[Adjustment]:
    """Yield for each phase where its tasks belong: where most of what they used was made."""
    used: dict[str, Counter[str]] = defaultdict(Counter)
    for user, made in facts.uses:
        if facts.domain_of.get(user) and facts.domain_of.get(made):
            used[user][facts.domain_of[made]] += 1
    better: dict[str, dict[str, str]] = defaultdict(dict)
    for user, domains in used.items():
        most = domains.most_common(1)[0][0]
        step = facts.step_of.get(user)
        if step is not None and most != facts.domain_of[user]:
            better[step.phase][user] = most
    for phase, moved in better.items():
        reason = f"{len(moved)} tasks use more of another domain than of their own: they belong there"
        yield Adjustment(lever=Lever.DOMAINS, phase=phase, after=moved, mode=_M.BAD_BOUNDARIES, reason=reason)


def _needs(facts: RunEvidence, _history: Sequence[RunEvidence]) -> Iterator[Adjustment]:
    for phase, unused in unused_needs(facts).items():
        before = next(one.needs or () for one in facts.plan.phases if one.name == phase)
        after = tuple(name for name in before if name not in unused)
        reason = f"it waited for {', '.join(unused)} and used nothing of that"
        yield Adjustment(
            lever=Lever.NEEDS, phase=phase, before=before, after=after, mode=_M.SERIAL_WHERE_PARALLEL, reason=reason
        )


def _narrower(mode: FailureMode) -> Remedy:
    def remedy(facts: RunEvidence, _history: Sequence[RunEvidence]) -> Iterator[Adjustment]:
        most = max(map(len, facts.reports.values()), default=0)
        span = max(MINIMUM_SPAN, min(DEFAULT_SPAN, facts.plan.span // 2 if most <= DEFAULT_SPAN else DEFAULT_SPAN))
        reason = f"{most} reports at one coordinator: with {span} at most, leads work side by side"
        yield from _free(mode, facts, reason)
        yield Adjustment(lever=Lever.SPAN, before=facts.plan.span, after=span, mode=mode, reason=reason)

    return remedy


def _wider(mode: FailureMode) -> Remedy:
    def remedy(facts: RunEvidence, _history: Sequence[RunEvidence]) -> Iterator[Adjustment]:
        span = max(facts.plan.span, min(DEFAULT_SPAN, facts.agents))
        reason = f"{facts.agents} agents under {facts.plan.levels} levels: with a span of {span} fewer will do"
        yield from _free(mode, facts, reason)
        yield Adjustment(lever=Lever.SPAN, before=facts.plan.span, after=span, mode=mode, reason=reason)
        rituals = {wave.phase for wave in facts.state.sync.waves if not wave.changed}
        changed = {wave.phase for wave in facts.state.sync.waves if wave.changed}
        for phase in sorted(rituals - changed):
            every = next((one.sync.every for one in facts.plan.phases if one.name == phase), None)
            said = f"no light sync point of {phase} changed anything"
            yield Adjustment(lever=Lever.SYNC, phase=phase, before=every, after=None, mode=mode, reason=said)

    return remedy


def _free(mode: FailureMode, facts: RunEvidence, reason: str) -> Iterator[Adjustment]:
    """Yield that the planner chooses the structure, where one was asked for."""
    asked = facts.plan.organisation.structure
    if asked is not None:
        yield Adjustment(lever=Lever.STRUCTURE, before=asked.value, after=None, mode=mode, reason=reason)


def _by_size(mode: FailureMode) -> Remedy:
    def remedy(facts: RunEvidence, _history: Sequence[RunEvidence]) -> Iterator[Adjustment]:
        reason = (
            f"{facts.agents} agents: the planner chooses the structure for that, and the run follows what it measures"
        )
        yield from _free(mode, facts, reason)
        span = min(facts.plan.span, DEFAULT_SPAN)
        yield Adjustment(lever=Lever.SPAN, before=facts.plan.span, after=span, mode=mode, reason=reason)
        yield Adjustment(lever=Lever.ADAPT, before="propose", after="apply", mode=mode, reason=reason)

    return remedy


def _fewer(facts: RunEvidence, history: Sequence[RunEvidence]) -> Iterator[Adjustment]:
    """Yield the number of agents at work at one time that brought the most."""
    runs = [run for run in (facts, *history) if run.makespan > 0 and run.tasks]
    best = max(runs, key=lambda run: (len(run.tasks) / run.makespan, -run.agents))
    before = facts.plan.makespan.max_concurrency
    reason = f"{best.agents} agents brought as much in the same time (run {best.run_id})"
    yield Adjustment(
        lever=Lever.MAX_CONCURRENCY, before=before, after=best.agents, mode=_M.SCALING_CEILING, reason=reason
    )


_REMEDIES: Mapping[FailureMode, Remedy] = {
    _M.OVER_DECOMPOSITION: _merge,
    _M.UNDER_DECOMPOSITION: _more_time,
    _M.BAD_BOUNDARIES: _domains,
    _M.SERIAL_WHERE_PARALLEL: _needs,
    _M.ORCHESTRATOR_SATURATION: _narrower(_M.ORCHESTRATOR_SATURATION),
    _M.TOO_SHALLOW: _narrower(_M.TOO_SHALLOW),
    _M.OVERHEAD_EXCEEDS_VALUE: _wider(_M.OVERHEAD_EXCEEDS_VALUE),
    _M.TOO_DEEP: _wider(_M.TOO_DEEP),
    _M.PREMATURE_SCALING: _wider(_M.PREMATURE_SCALING),
    _M.WRONG_REGIME: _by_size(_M.WRONG_REGIME),
    _M.SCALING_DENIAL: _by_size(_M.SCALING_DENIAL),
    _M.SCALING_CEILING: _fewer,
}
