"""What to change next, by rules over measured facts: each says what it saw, and computes what that is worth (X10).

An effect is what the planner's own schedule makes of the run with the change, given what each task really took. Pure.
"""

import math
import statistics
from collections import Counter
from collections.abc import Callable, Iterator

from echelon.model.graph import WorkerKind
from echelon.model.learning.lesson import AgentLesson, PhaseLesson, RunLesson
from echelon.model.learning.retrospective import Suggestion
from echelon.model.phrasing import count, duration, one_line, percent, truncate
from echelon.model.plan import PhasePlan
from echelon.planning.learning.expected import INTEGRATION
from echelon.runlog.costs.bands import INTEGRATION_TIME_WARNING
from echelon.runlog.learning.facts import RunFacts, in_parts, with_tail, with_twice

#: A task is far longer than the others from so many times their median on; of fewer tasks nothing is said.
FAR_LONGER, FEWEST_TASKS = 3.0, 3

#: The most parts that a task is to be split into.
MOST_PARTS = 8

#: Share of the time of a phase from which failed attempts are worth a look.
RETRIES_SHARE = 0.10

#: An agent is slower than before from so many times its time on.
SLOWER = 1.2

#: What is not worth so much, as a share, is not suggested.
LEAST_GAIN = 0.05

#: Characters of a name in a text.
NAME_CHARACTERS = 60

#: How many things are suggested at most.
MOST_SUGGESTIONS = 3

#: Processors bound these: more of them at a time gain nothing.
_BY_PROCESSORS = (WorkerKind.PROCESS, WorkerKind.COMMAND)

Rule = Callable[[RunFacts], Iterator[Suggestion]]
"""Yields what it would change."""


def suggestions_of(facts: RunFacts) -> tuple[Suggestion, ...]:
    """Return what to change, what helps most first."""
    found = [one for rule in RULES.values() for one in rule(facts) if one.gain >= LEAST_GAIN]
    return tuple(sorted(found, key=lambda one: -one.gain)[:MOST_SUGGESTIONS])


def split_the_longest(facts: RunFacts) -> Iterator[Suggestion]:
    """Split a task that takes far longer than the others of its phase (D5)."""
    for phase in facts.plan.phases:
        own = facts.own_of(phase)
        if len(own) < FEWEST_TASKS:
            continue
        longest = max(own, key=lambda one: one.seconds)
        median = statistics.median(one.seconds for one in own)
        times = longest.seconds / median if median else 0.0
        if times < FAR_LONGER:
            continue
        parts = min(MOST_PARTS, round(times))
        expected = facts.makespan_with(change=in_parts(facts.plan, longest.task_id, parts))
        yield from _shorter(
            facts,
            "longest",
            phase.name,
            f"split {_named(longest.task_id)} into {parts}",
            f"it takes {duration(longest.seconds)}, {times:.1f} × the median of {phase.name}",
            expected,
        )


def stop_retries(facts: RunFacts) -> Iterator[Suggestion]:
    """Look at what makes attempts fail, where that takes a good part of a phase (F3)."""
    for phase in facts.plan.phases:
        own = {one.task_id: one for one in facts.own_of(phase)}
        failed = [one for one in facts.state.failed_attempts if one.task_id in own]
        lost, spent = sum(one.seconds for one in failed), sum(one.seconds for one in own.values())
        if len(failed) < 2 or lost < RETRIES_SHARE * spent:
            continue
        [(whose, _)] = Counter(one.error.dependency or one.error.kind for one in failed).most_common(1)
        without = {task: one.seconds for task, one in own.items()}
        for one in failed:
            without[one.task_id] = max(0.0, without[one.task_id] - one.seconds)
        yield from _shorter(
            facts,
            "retries",
            phase.name,
            f"look at why {_named(whose)} fails in {phase.name}",
            f"{count(len(failed), 'attempt')} failed, {duration(lost)} of {duration(spent)}",
            facts.makespan_with(without),
        )


def lighten_integration(facts: RunFacts) -> Iterator[Suggestion]:
    """Integrate in stages, or less, where integration takes too much of the working time (M6, X2)."""
    for phase in facts.plan.phases:
        lesson = facts.lesson.phases.get(phase.name)
        merged, work = _took(lesson, merged=True), _took(lesson, merged=False)
        share = merged / (merged + work) if merged + work else 0.0
        if lesson is None or share <= INTEGRATION_TIME_WARNING:
            continue
        advice, factor = _lighter(phase, share)
        yield from _shorter(
            facts,
            "integration",
            phase.name,
            advice,
            f"it takes {percent(share)} of the working time of {phase.name}",
            facts.makespan_with(change=with_tail(facts.plan, phase, factor)),
        )


def _lighter(phase: PhasePlan, share: float) -> tuple[str, float]:
    """Return what to do about an integration, and what that leaves of its time.

    In stages each coordinator receives the root of their number, if what it takes grows with that: two stages of that
    in place of one of all. Else it is brought down to the share that is usual.
    """
    number = len(phase.tasks)
    staged = 2 * math.ceil(math.sqrt(number)) / number if number else 1.0
    if phase.integration == "primary" and staged < 1.0:
        return f"integrate {phase.name} in stages (integrate= with domains)", staged
    usual = INTEGRATION_TIME_WARNING / (1 - INTEGRATION_TIME_WARNING) * (1 - share) / share
    return f"give who integrates {phase.name} less, to {percent(INTEGRATION_TIME_WARNING)} of the working time", usual


def look_at_the_slow(facts: RunFacts) -> Iterator[Suggestion]:
    """Look at an agent that takes longer than in the run before, or than is stated (V6)."""
    tasks = {task.id: task for task in facts.plan.tasks}
    for phase in facts.plan.phases:
        own = [one for one in facts.own_of(phase) if one.done]
        if not own:
            continue
        mean, usual, whose = statistics.fmean(one.seconds for one in own), _before(facts, phase.name), "before"
        if usual is None:
            stated = [seconds for one in own if (seconds := tasks[one.task_id].seconds)]
            usual, whose = (statistics.fmean(stated) if stated else None), "stated"
        if not usual or mean < SLOWER * usual:
            continue
        as_usual = {one.task_id: one.seconds * usual / mean for one in own}
        yield from _shorter(
            facts,
            "slower",
            phase.name,
            f"look at why {phase.name} is slow",
            f"a task takes {duration(mean)}, {whose} {duration(usual)}",
            facts.makespan_with(as_usual),
        )


def widen_the_limit(facts: RunFacts) -> Iterator[Suggestion]:
    """Let more be at work at one time where a limit bound the run (F5)."""
    for limit in facts.plan.limits:
        if limit.at_once is None or limit.thing is not None or limit.kind in _BY_PROCESSORS:
            continue
        yield from _shorter(
            facts,
            "limit",
            limit.name,
            f"allow {2 * limit.at_once:,} {limit.name} at a time",
            f"{limit.at_once:,} at a time bound the run",
            facts.makespan_with(change=with_twice(limit)),
        )


def merge_the_small(facts: RunFacts) -> Iterator[Suggestion]:
    """Merge tasks that use little of a context: each is told again what all are told (D5, D1)."""
    priors, whole = facts.plan.priors, facts.lesson.tokens
    for phase in facts.plan.phases:
        own = facts.own_of(phase)
        known = [one.tokens for one in own if one.tokens]
        mean = statistics.fmean(known) if known else 0.0
        if len(known) < FEWEST_TASKS or whole is None or mean >= priors.over_decomposed_share * priors.context_tokens:
            continue
        merged = math.ceil(len(own) / min(MOST_PARTS, int(priors.context_budget // mean)))
        told = _told(facts, phase)
        saved = (len(own) - merged) * told
        why = (
            f"a task uses {mean:,.0f} tokens, {percent(mean / priors.context_tokens, 1)} of a context, "
            f"{told:,.0f} of them to be told the same"
        )
        yield _suggestion(
            facts, "small", phase.name, f"give {count(merged, 'agent')} all of {phase.name}", why, whole, whole - saved
        ).model_copy(update={"measure": "tokens"})


def _told(facts: RunFacts, phase: PhasePlan) -> float:
    """Return the tokens that each task of a phase is told by value, on average."""
    steps = [step for step in facts.state.latest.values() if step.phase == phase.name]
    told = [step.handoff.received.tokens_by_value for step in steps if step.handoff.task_id in phase.tasks]
    return statistics.fmean(told) if told else 0.0


RULES: dict[str, Rule] = {
    "longest": split_the_longest,
    "retries": stop_retries,
    "integration": lighten_integration,
    "slower": look_at_the_slow,
    "limit": widen_the_limit,
    "small": merge_the_small,
}
"""By the name under which a suggestion is on record."""


def _shorter(
    facts: RunFacts, rule: str, phase: str, advice: str, why: str, expected: float | None
) -> Iterator[Suggestion]:
    """Yield what makes a run shorter."""
    if expected is not None and facts.lesson.makespan_seconds is not None:
        yield _suggestion(facts, rule, phase, advice, why, facts.lesson.makespan_seconds, expected)


def _suggestion(
    facts: RunFacts, rule: str, phase: str, advice: str, why: str, now: float, expected: float
) -> Suggestion:
    return Suggestion(
        rule=rule,
        phase=phase,
        advice=advice,
        why=why,
        measure="makespan_seconds",
        now=round(now, 6),
        expected=round(max(0.0, expected), 6),
        fact=fact_of(rule, phase, facts.lesson),
    )


def fact_of(rule: str, phase: str, lesson: RunLesson) -> str:
    """Return what differs in a run where somebody has done what a rule advises; empty where that cannot be seen."""
    if rule == "limit":
        return f"{lesson.limits[phase]:,} at a time" if phase in lesson.limits else ""
    known = lesson.phases.get(phase)
    if known is None:
        return ""
    if rule in ("longest", "small"):
        return count(known.tasks, "task")
    versions = sorted(f"{name} {one.fingerprint[:8]}" for name, one in known.agents.items() if one.fingerprint)
    return ", ".join([known.integration, *versions] if rule == "integration" else versions)


def _took(lesson: PhaseLesson | None, *, merged: bool) -> float:
    if lesson is None:
        return 0.0
    return sum(_seconds(one) for name, one in lesson.agents.items() if (name == INTEGRATION) is merged)


def _seconds(agent: AgentLesson) -> float:
    return agent.wall.mean * agent.wall.count if agent.wall else 0.0


def _before(facts: RunFacts, phase: str) -> float | None:
    """Return the mean time of a task of a phase in the run before; None where none was done."""
    known = facts.before.phases.get(phase) if facts.before else None
    done = [one.seconds for name, one in known.agents.items() if name != INTEGRATION and one.seconds] if known else []
    number = sum(one.count for one in done)
    return sum(one.mean * one.count for one in done) / number if number else None


def _named(text: str) -> str:
    return truncate(one_line(text), NAME_CHARACTERS)
