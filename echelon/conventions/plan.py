"""Sentences that name what is in a plan: who leads, phases, owners, checks, contracts, budgets. Names are bounded."""

from collections import Counter
from collections.abc import Iterator, Sequence

from echelon.conventions.facts import Facts
from echelon.conventions.shared import NAMED_IN_A_ROW
from echelon.conventions.words import COUPLINGS
from echelon.model.graph import Coupling, TaskSpec
from echelon.model.markdown import NAMED_AT_MOST, literal, names
from echelon.model.phrasing import count, listed
from echelon.model.plan import NodeKind, PhasePlan, Plan
from echelon.planning.schedule.phase_graph import depths, direct_needs, needs_of_phases

#: Coordinators below the primary, as they are spoken of.
LEADS: dict[NodeKind, str] = {NodeKind.DOMAIN: "domain", NodeKind.TEAM: "team"}


def leads(plan: Plan) -> Iterator[str]:
    """Say who leads whom."""
    primary = plan.primary
    yield f"{literal(primary.id)} is the primary and leads {names(primary.members)}."
    for kind, title in LEADS.items():
        found = [node.id for node in plan.tree if node.kind is kind]
        if found:
            ids = "" if tuple(found) == primary.members else f": {names(found)}"
            yield f"{count(len(found), title)}, each with a lead{ids}."
    yield f"No one leads more than {plan.span}."


def phases(plan: Plan) -> Iterator[str]:
    """Say which phases there are, and what each comes behind."""
    needs = needs_of_phases(plan.phases)
    in_a_row = len(set(depths(needs).values())) == len(needs)
    after = {} if in_a_row else direct_needs(needs)
    between = ", then " if in_a_row else "; "
    rows = listed(plan.phases, NAMED_AT_MOST, lambda phase: _phase(phase, after.get(phase.name, ())), between)
    yield f"{count(len(plan.phases), 'phase')}: {rows}."


def _phase(phase: PhasePlan, after: Sequence[str] = ()) -> str:
    behind = f", after {names(after)}" if after else ""
    return f"{literal(phase.name)} ({count(len(phase.tasks), 'task')}{behind})"


def continued(plan: Plan) -> Iterator[str]:
    """Say which phases go on with each item of another one as soon as it is done (D1)."""
    for phase in [phase for phase in plan.phases if phase.continues][:NAMED_AT_MOST]:
        before = literal(phase.continues or "")
        yield f"{literal(phase.name)} goes on with each item of {before} when that one is done, whatever the others do."


def open_phases(plan: Plan) -> Iterator[str]:
    """Say which phases are planned on the way (X12)."""
    for one in plan.open[:NAMED_AT_MOST]:
        yield f"{literal(one.phase)} is planned when {names(one.after)} {'are' if len(one.after) > 1 else 'is'} done."


def conditions(plan: Plan) -> Iterator[str]:
    """Say which phases may be skipped (X12)."""
    for phase in [phase for phase in plan.phases if phase.when][:NAMED_AT_MOST]:
        yield f"{literal(phase.name)} is done only when {literal(phase.when)} says so."


def repeats(plan: Plan) -> Iterator[str]:
    """Say which phases are repeated until a check passes (X12)."""
    repeated = {phase.loop or (phase.name,): phase for phase in plan.phases if phase.until}
    for members, phase in [*repeated.items()][:NAMED_AT_MOST]:
        what, bound = names(members, NAMED_IN_A_ROW), f"at most {count(phase.rounds, 'round')}"
        yield (
            f"{what}: repeated until {literal(phase.until)} says that it passes, {bound}; each round is told what was "
            "missing in the one before."
        )


def integrators(plan: Plan) -> Iterator[str]:
    """Say who puts outputs together (X2)."""
    for way, who in (
        ("primary", "by {owner} alone"),
        ("staged", "in stages: each lead integrates those of its own agents, then {owner} what the leads made"),
    ):
        found = [phase for phase in plan.phases if phase.integration == way]
        if found:
            named, owner = names([phase.name for phase in found]), literal(found[0].sync.owner)
            yield f"Outputs of {named} are integrated {who.format(owner=owner)}."


def checking_tasks(plan: Plan) -> Iterator[str]:
    """Say which tasks check what others made (O3)."""
    found = [task for task in plan.tasks if task.verifies]
    yield f"Checks of what others made: {listed(found, NAMED_AT_MOST, _check, between='; ')}."


def _check(task: TaskSpec) -> str:
    return f"{literal(task.id)} checks {names(task.verifies, NAMED_IN_A_ROW)}"


def judges(plan: Plan) -> Iterator[str]:
    """Say by whom results are judged before they are handed on (O3)."""
    found = [phase for phase in plan.phases if phase.verify]
    yield f"Judged by somebody else before it is handed on: {listed(found, NAMED_AT_MOST, _judged, between='; ')}."


def _judged(phase: PhasePlan) -> str:
    again = f", done {count(phase.attempts, 'time')} at most" if phase.attempts > 1 else ""
    return f"{literal(phase.name)} by {names(phase.verify, NAMED_IN_A_ROW)}{again}"


def waves(plan: Plan) -> Iterator[str]:
    """Say which phases are done in waves, and when they synchronise (X3)."""
    found = listed([phase for phase in plan.phases if is_in_waves(phase)], NAMED_AT_MOST, _in_waves, between="; ")
    yield (
        f"Done in waves, with a light sync point between them: {found}. Who begins behind one is told what the tasks "
        "before it have revealed."
    )


def is_in_waves(phase: PhasePlan) -> bool:
    """Say whether a phase has light sync points, or some of its domains."""
    return phase.sync.policy != "phase"


def _in_waves(phase: PhasePlan) -> str:
    often = f", {count(phase.sync.every, 'task')} to begin with" if phase.sync.every else ""
    return f"{literal(phase.name)} ({phase.sync.policy}{often})"


def settled_conflicts(plan: Plan) -> Iterator[str]:
    """Say what decides where outputs contradict each other (X9)."""
    found = [phase for phase in plan.phases if phase.settle]
    yield (
        f"Contradicting results are settled before they are handed on: "
        f"{listed(found, NAMED_AT_MOST, _settled, between='; ')}. Each decision is on record, with its reason."
    )


def _settled(phase: PhasePlan) -> str:
    return f"in {literal(phase.name)} by {phase.settle}"


def successes(plan: Plan) -> Iterator[str]:
    """Say what results must be (D11)."""
    found = [phase for phase in plan.phases if phase.success]
    yield (
        f"What results must be: {listed(found, NAMED_AT_MOST, _success, between='; ')}. What a check rejects is not "
        "handed on; what nobody can check is marked as such."
    )


def _success(phase: PhasePlan) -> str:
    return f"in {literal(phase.name)}: {names(phase.success, NAMED_IN_A_ROW)}"


def redundancy(plan: Plan) -> Iterator[str]:
    """Say which work is done by several, or has a standby (F9)."""
    for phase in [one for one in plan.phases if one.replicas > 1][:NAMED_AT_MOST]:
        then = f"{phase.agree:,} of them must agree" if phase.agree > 1 else "the first handoff wins"
        yield f"Each task of {literal(phase.name)} is done by {phase.replicas:,} agents at the same time; {then}."
    for phase in [one for one in plan.phases if one.standby][:NAMED_AT_MOST]:
        yield f"{literal(phase.standby)} takes over where an agent of {literal(phase.name)} fails or is late."


def couplings(plan: Plan) -> Iterator[str]:
    """Say how dependencies are coupled, and what each word means for whoever uses the other (D3)."""
    used = _couplings_in(plan)
    meant = "; ".join(f"{used[word]:,} {word.value}: {COUPLINGS[word]}" for word in Coupling if used[word])
    yield f"Dependencies, from the side of who uses the other: {meant}."


def has_couplings(plan: Plan) -> bool:
    """Say whether a plan has dependencies whose coupling is known."""
    return bool(_couplings_in(plan))


def _couplings_in(plan: Plan) -> Counter[Coupling]:
    links = [used.coupling for task in plan.tasks for used in task.depends_on]
    return Counter([*links, *(one.coupling for one in plan.terms if one.coupling)])


def contracts(facts: Facts) -> Iterator[str]:
    """Say which contracts outputs keep, and what becomes of one that does not fit (C5)."""
    found = Counter(task.contract for task in facts.plan.tasks if task.contract) if facts.plan else Counter[str]()
    rows = [f"{literal(name)} ({count(number, 'task')})" for name, number in found.most_common()]
    misfit = "is repaired where that takes no guess, on record, or else refused" if facts.job.flexible else "is refused"
    where = ", for agents whose contract is flexible" if facts.job.flexible else ""
    yield f"Outputs keep: {listed(rows, NAMED_AT_MOST)}. What does not fit {misfit}{where}."


def budget(plan: Plan) -> Iterator[str]:
    """Say what a run may use, and what is kept back of it (F4)."""
    assert plan.budget is not None, "said only where there is a budget"
    yield f"The job may use {_bounds(plan.budget.model_dump())} at most. A call that does not fit any more is refused."
    if plan.budget.final_call:
        yield f"Of it {plan.budget.final_call:.0%} is kept back, for agents to write down what they have."


def standing_budgets(plan: Plan) -> Iterator[str]:
    """Say what all runs of a day or a month may use together (F10)."""
    for one in plan.standing:
        yield f"All runs of the job in a {one.per} together may use {_bounds(one.model_dump())} at most."


def _bounds(stated: dict[str, float | str | None]) -> str:
    numbers = [(value, unit) for unit, value in stated.items() if unit not in ("final_call", "per")]
    return ", ".join(f"{_plain(float(value))} {unit}" for value, unit in numbers if value is not None)


def _plain(value: float) -> str:
    return f"{value:,}".removesuffix(".0")
