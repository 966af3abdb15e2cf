"""What agents are told: goals, bounds and references, never methods (D7, D8, D9, X2). Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from echelon.agents.call import Call
from echelon.coordination.phase_output import PhaseOutput
from echelon.coordination.placement import StageOrder
from echelon.coordination.step.envelope import MAX_SUMMARY, one_line
from echelon.definition.definition import JobDefinition
from echelon.model.assignment import Assignment, Brief, Intent
from echelon.model.concern import ConcernRecord
from echelon.model.graph import TaskSpec
from echelon.model.handoff import Missing
from echelon.model.phrasing import listed, truncate
from echelon.model.policy import Resilience
from echelon.model.run import MissingGroup
from echelon.model.usage import Budget
from echelon.runlog.alike import KnownLosses, missing_by_cause

#: Items of a list that a brief spells out; the rest is counted, so that briefs stay small (X8).
MAX_LISTED = 20

#: Open concerns that a brief spells out.
MAX_CONCERNS = 5


def assignment_for(
    job: JobDefinition,
    task: TaskSpec,
    agent: str,
    references: tuple[str, ...],
    budget: Budget,
    success: tuple[str, ...] = (),
) -> Assignment:
    """Return what is asked of an agent for one task."""
    return Assignment(
        id=f"{task.id}#1",
        task_id=task.id,
        agent=agent,
        intent=Intent(job=job.goal, domain=task.domain, task=task.goal),
        success=success,
        constraints=job.constraints,
        priority=task.priority,
        budget=budget,
        references=references,
    )


def brief_for(
    run_id: str,
    phase: str,
    assignment: Assignment,
    reports_to: str,
    *,
    order: StageOrder,
    missing: tuple[str, ...],
    conventions: tuple[str, ...],
) -> Brief:
    """Return what an agent is told at the start of a phase."""
    return Brief(
        run_id=run_id,
        phase=phase,
        assignment=assignment,
        reports_to=reports_to,
        summary=order.summary,
        changed=order.news.changed,
        decisions=order.news.decisions,
        domain=order.news.domains.get((assignment.intent.domain or "").partition(".")[0], ()),
        flat=order.news.flat,
        missing=missing,
        conventions=conventions,
    )


def told_anew(
    call: Call, budget: Budget, by_value_tokens: int, success: tuple[str, ...], conventions: tuple[str, ...]
) -> Call:
    """Return a call for another agent in the place of the first: bounds of its own, and nothing of the other's work.

    `success` is what must be true of its result, in words; `conventions` are those for its kind.
    """
    assignment = call.brief.assignment.model_copy(update={"budget": budget, "success": success})
    brief = call.brief.model_copy(update={"assignment": assignment, "conventions": conventions})
    return replace(call, brief=brief, by_value_tokens=by_value_tokens, by_value={}, notes=[], so_far=None)


def by_value_told(policy: Resilience, default: int) -> int:
    """Return how many tokens of outputs an agent is given by value: what its policy states, or else the setting."""
    return default if policy.by_value_tokens is None else int(policy.by_value_tokens)


def strategic_summary(outputs: Iterable[tuple[str, int, PhaseOutput]]) -> str:
    """Say in one sentence a phase what came of it: name, tasks given, and what it delivered."""
    return " ".join(_sentence(phase, tasks, output) for phase, tasks, output in outputs)


def missing_lines(missing: Iterable[Missing]) -> tuple[str, ...]:
    """Spell out what is missing, each cause once, as far as a brief has room."""
    groups = missing_by_cause(missing, KnownLosses(errors={}))
    rest = sum(len(group.tasks) for group in groups[MAX_LISTED:])
    return tuple([*map(_missing, groups[:MAX_LISTED])] + ([f"and {rest:,} more"] if rest else []))


def concern_lines(records: Sequence[ConcernRecord]) -> tuple[str, ...]:
    """Spell out open concerns, each once, as far as a brief has room; the rest is counted (O2)."""
    said = list(dict.fromkeys(map(_raised, records)))
    rest = len(said) - MAX_CONCERNS
    return tuple(said[:MAX_CONCERNS] + ([f"and {rest:,} more"] if rest > 0 else []))


def _raised(record: ConcernRecord) -> str:
    return one_line(record.said)


def _missing(group: MissingGroup) -> str:
    why = f"{group.why} (instead: {group.instead})" if group.instead else group.why
    return f"{_names(group.tasks)}: {one_line(why)}"


def _names(tasks: Sequence[str]) -> str:
    """Return as many names as there is room for, and how many more there are."""
    shown = (listed(tasks, most) for most in range(MAX_LISTED, 0, -1))
    return next((names for names in shown if len(names) <= MAX_SUMMARY), truncate(tasks[0], MAX_SUMMARY))


def _sentence(phase: str, tasks: int, output: PhaseOutput) -> str:
    said = f" {output.handoffs[0].summary}" if len(output.handoffs) == 1 else ""
    lost = f", {len(output.missing)} missing" if output.missing else ""
    return f"Phase {phase}: {tasks} tasks{lost}.{said}"
