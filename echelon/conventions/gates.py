"""What is said of steps that wait for a person before they begin, in runs that have such steps (O5, X13)."""

from collections.abc import Iterator, Sequence

from echelon.conventions.facts import AGENTS, Facts
from echelon.conventions.people import COORDINATION, in_a_phase, in_plan, of_plan, to_people
from echelon.conventions.row import Aspect, Row
from echelon.conventions.shared import NAMED_IN_A_ROW
from echelon.model.concern import HIGH
from echelon.model.graph import TaskSpec
from echelon.model.markdown import NAMED_AT_MOST, literal, names
from echelon.model.phrasing import duration, listed
from echelon.model.plan import PhasePlan, Plan
from echelon.planning.schedule.phase_graph import ancestors, phases_awaited

_OVERSIGHT = "echelon.oversight.gates"


def _final(plan: Plan) -> Sequence[TaskSpec]:
    """Return the tasks that cannot be undone."""
    return [task for task in plan.tasks if task.irreversible]


def _waiting(plan: Plan) -> Iterator[str]:
    gated = [phase for phase in plan.phases if phase.gate]
    which = listed(gated, NAMED_AT_MOST, _in_phase, between="; ")
    yield (
        f"Begun only when a person has said so: {which}. All that does not wait for it goes on. Answer with `echelon "
        "gates`."
    )


def _in_phase(phase: PhasePlan) -> str:
    return f"{names(phase.gate, NAMED_IN_A_ROW)} in {literal(phase.name)}"


def _limited(plan: Plan) -> Iterator[str]:
    for task in [task for task in plan.tasks if task.gate and task.gate.expires_seconds][:NAMED_AT_MOST]:
        assert task.gate is not None, "those without a gate are left out"
        counts = "it is denied" if task.gate.on_expiry == "deny" else "it may begin, unless something holds it"
        waited = duration(task.gate.expires_seconds)
        yield f"{literal(task.id)}: an answer is waited for {waited}; when there is none, {counts}."


def _approvers(plan: Plan) -> Iterator[str]:
    for task in [task for task in plan.tasks if task.gate and task.gate.approvers][:NAMED_AT_MOST]:
        assert task.gate is not None, "those without a gate are left out"
        yield f"{literal(task.id)}: only {names(task.gate.approvers, NAMED_IN_A_ROW)} may answer."


def _held_back(facts: Facts) -> Sequence[str]:
    """Return the irreversible tasks that use what the one who is told makes, or what anybody makes."""
    if facts.plan is None:
        return ()
    before, final = phases_awaited(facts.plan), {task.id for task in _final(facts.plan)}
    phase = facts.reader.phase if facts.reader else ""
    using = (one for one in facts.plan.phases if not phase or phase in ancestors(before, one.name))
    return [task for one in using for task in one.gate if task in final]


def _holding(facts: Facts) -> Iterator[str]:
    held = names(_held_back(facts), NAMED_IN_A_ROW)
    yield f"A concern with an impact of {HIGH:g} or more holds back {held} until a person has looked at it."


#: What those are told who may raise a concern before something irreversible.
HOLDING = Row(
    id="agent.holding",
    aspect=Aspect.BRIEF,
    audience=AGENTS,
    text=_holding,
    mechanism=f"{_OVERSIGHT}.holding.concerns_holding",
    when=lambda facts: bool(facts.job.speaking & AGENTS) and bool(_held_back(facts)),
)

#: What people are told.
GATES: tuple[Row, ...] = (
    to_people(
        "gates.waiting",
        Aspect.GATES,
        of_plan(_waiting),
        f"{COORDINATION}.gates.layer.AtGate",
        in_a_phase(lambda phase: phase.gate),
    ),
    to_people(
        "gates.exact",
        Aspect.GATES,
        "An approval is for just what was shown, for one time: what has changed since is asked about again.",
        f"{COORDINATION}.gates.executing.approval_used",
        in_plan(lambda plan: bool(_final(plan))),
    ),
    to_people(
        "gates.concerns",
        Aspect.GATES,
        "What cannot be undone does not begin while a concern of high impact about it, or about what it uses, is open.",
        f"{_OVERSIGHT}.holding.concerns_holding",
        in_plan(lambda plan: bool(_final(plan))),
    ),
    to_people(
        "gates.partial",
        Aspect.GATES,
        "Where some of its inputs are missing, it begins only when the approval says so.",
        f"{_OVERSIGHT}.answers.refusal_of",
        in_a_phase(lambda phase: phase.gate),
    ),
    to_people(
        "gates.ready",
        Aspect.GATES,
        "Before what cannot be undone the agents of its phase, and of all phases that it uses, are asked whether they "
        "are ready; who cannot be asked is named, and does not count as ready.",
        f"{COORDINATION}.gates.readiness.ReadinessRound",
        in_plan(lambda plan: any(task.at_gate and task.at_gate.asks_ready for task in _final(plan))),
    ),
    to_people(
        "gates.limited",
        Aspect.GATES,
        of_plan(_limited),
        f"{_OVERSIGHT}.answers.answer_by_default",
        in_plan(lambda plan: any(task.gate and task.gate.expires_seconds for task in plan.tasks)),
    ),
    to_people(
        "gates.approvers",
        Aspect.GATES,
        of_plan(_approvers),
        f"{_OVERSIGHT}.answers.refusal_of",
        in_plan(lambda plan: any(task.gate and task.gate.approvers for task in plan.tasks)),
    ),
)
