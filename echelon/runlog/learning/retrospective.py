"""A run is looked back on when it has ended: what was foreseen, failed and changed, and what to do (X10). Pure.

It is compared with the run before it, whose own retrospective says what was to be changed.
"""

from collections import Counter
from collections.abc import Callable, Iterator

from echelon.model.learning.lesson import RunLesson
from echelon.model.learning.retrospective import WORTH_SECONDS, Foretold, Retrospective, Tried, written
from echelon.model.phrasing import count, head, one_line, truncate
from echelon.model.plan import Plan
from echelon.runlog.learning.facts import RunFacts
from echelon.runlog.learning.review_events import RunReviewed
from echelon.runlog.learning.rules import fact_of, suggestions_of
from echelon.runlog.state import RunState

#: A measure has changed that is so much larger or smaller, as a share.
CHANGED = 0.10

#: Changes and phases named at most.
NAMED = 6


def look_back(state: RunState, plan: Plan, lesson: RunLesson, before: RunReviewed | None) -> Retrospective:
    """Return what a run teaches that measured `lesson`; `before` is what the run before it taught."""
    earlier = before.lesson if before else None
    return Retrospective(
        foretold=tuple(_foretold(plan, lesson)),
        failed=tuple(head(list(_failed(state, plan, lesson)), NAMED)),
        since=earlier.run_id if earlier else "",
        changes=tuple(head(list(_changes(earlier, lesson)), NAMED)) if earlier else (),
        tried=tuple(_tried(before, lesson)) if before else (),
        suggestions=suggestions_of(RunFacts(state=state, plan=plan, lesson=lesson, before=earlier)),
    )


def _foretold(plan: Plan, lesson: RunLesson) -> Iterator[Foretold]:
    """Yield the forecasts of what was measured; none of a run that kept work of an earlier one."""
    cost = plan.spending.cost
    found = (
        ("makespan", lesson.predicted_seconds, lesson.makespan_seconds),
        ("tokens", lesson.predicted_tokens, lesson.tokens),
        ("cost", cost and (cost.low + cost.high) / 2, lesson.cost),
    )
    for name, predicted, measured in found:
        if predicted is not None and measured is not None and not lesson.kept:
            yield Foretold.model_validate({"name": name, "predicted": predicted, "measured": measured})


def _failed(state: RunState, plan: Plan, lesson: RunLesson) -> Iterator[str]:
    """Yield how much of each phase failed, and why most of it did."""
    for phase in plan.phases:
        steps = [step for step in state.latest.values() if step.phase == phase.name and step.handoff.error is not None]
        failed = sum(one.failed for one in lesson.phases[phase.name].agents.values())
        if not failed:
            continue
        kinds = Counter(step.handoff.error.kind for step in steps if step.handoff.error and step.handoff.attempts)
        why = ", ".join(truncate(one_line(kind), 40) for kind, _ in kinds.most_common(1))
        yield f"{failed:,} of {count(len(phase.tasks), 'task')} of {phase.name}{f' ({why})' if why else ''}"


def _changes(earlier: RunLesson, now: RunLesson) -> Iterator[str]:
    """Yield what is different from the run before: tasks, code, limits, then measures."""
    names = dict.fromkeys((*earlier.phases, *now.phases))
    for name in names:
        one, other = earlier.phases.get(name), now.phases.get(name)
        if one is None or other is None:
            yield f"phase {name} is {'new' if one is None else 'gone'}"
            continue
        if one.tasks != other.tasks:
            yield f"{name} has {count(other.tasks, 'task')}, had {one.tasks:,}"
        codes = {agent: lesson.fingerprint for agent, lesson in one.agents.items()}
        for agent, lesson in other.agents.items():
            if codes.get(agent) and lesson.fingerprint and codes[agent] != lesson.fingerprint:
                yield f"the code of {agent} in {name} has changed"
    for limited in sorted(earlier.limits.keys() & now.limits.keys()):
        if earlier.limits[limited] != now.limits[limited]:
            yield f"{now.limits[limited]:,} {limited} at a time, were {earlier.limits[limited]:,}"
    yield from _measures(earlier, now)


def _measures(earlier: RunLesson, now: RunLesson) -> Iterator[str]:
    figures: tuple[tuple[str, float | None, float | None, Callable[[float], str]], ...] = (
        ("makespan", earlier.makespan_seconds, now.makespan_seconds, lambda one: written("makespan_seconds", one)),
        ("tokens", earlier.tokens, now.tokens, lambda one: written("tokens", one)),
        ("cost", earlier.cost, now.cost, lambda one: f"{one:,.2f}"),
        ("failed", earlier.failed, now.failed, lambda one: f"{one:,.0f}"),
    )
    for name, one, other, write in figures:
        least = WORTH_SECONDS if name == "makespan" else CHANGED * (one or 0.0)
        if one is None or other is None or abs(other - one) <= max(least, CHANGED * one):
            continue
        share = f" ({(other - one) / one:+.0%})".replace("%", " %") if one else ""
        yield f"{name} {write(one)} → {write(other)}{share}"


def _tried(before: RunReviewed, lesson: RunLesson) -> Iterator[Tried]:
    """Yield what the run before suggested and somebody did, with what this one measured."""
    measured = {"makespan_seconds": lesson.makespan_seconds, "tokens": lesson.tokens}
    for one in before.retrospective.suggestions:
        fact, value = fact_of(one.rule, one.phase, lesson), measured[one.measure]
        if one.fact and fact and fact != one.fact and value is not None:
            yield Tried(suggestion=one, fact=fact, measured=value)
