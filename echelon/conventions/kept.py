"""What people are told is kept in a run: concerns, failures, checks, contracts, budgets, shared things (K)."""

from collections.abc import Iterator

from echelon.conventions import plan
from echelon.conventions.facts import AGENTS, Facts
from echelon.conventions.people import COORDINATION, in_a_phase, in_plan, of_plan, several, to_people
from echelon.conventions.row import Aspect, Row
from echelon.conventions.shared import shared_things, turns
from echelon.conventions.words import BY_REFERENCE, ENVELOPE, ONE_MEANING
from echelon.model.autonomy.terms import DEFAULT_TERMS
from echelon.model.concern import HIGH
from echelon.model.markdown import names
from echelon.model.usage import Budget
from echelon.planning.infrastructure import is_judged


def _bounds_something(budget: Budget | None) -> bool:
    stated = budget.model_dump(exclude_none=True, exclude={"final_call", "per"}) if budget else {}
    return bool(stated)


def _doubt(facts: Facts) -> Iterator[str]:
    terms = facts.job.autonomy or DEFAULT_TERMS
    yield f"A result of which its agent is less than {terms.escalate:.2f} sure is asked about."


def _autonomy(facts: Facts) -> Iterator[str]:
    terms = facts.job.autonomy or DEFAULT_TERMS
    between = f"{names(facts.job.peers)} look at it first" if facts.job.peers else "it is asked about"
    yield (
        f"A result proceeds where its agent was right {terms.proceed:.2f} of the time or more, by its record over the "
        f"runs of the job; below {terms.escalate:.2f} it is asked about, in between {between}. Asked about is also "
        "what reaches into another domain, exceeds a budget, or is new to all runs; more that rests on a result raises "
        "both thresholds."
    )


def _critical(facts: Facts) -> Iterator[str]:
    yield (
        f"Results on the critical path and in front of gates are verified by {names(facts.job.verifiers)}, where these "
        "take results of their type; without a verdict a result is unverified."
    )


def _audited(facts: Facts) -> Iterator[str]:
    by = f", and judged by {names(facts.job.auditors)}" if facts.job.auditors else ""
    yield (
        f"A sample of the integrations is audited against their contracts{by}; a rejected one raises a concern for a "
        "person."
    )


def _is_audited(facts: Facts) -> bool:
    stated = facts.job.audited
    return facts.plan is not None and facts.is_integrated and is_judged(facts.plan.n_agents, stated=stated)


def _is_critical(facts: Facts) -> bool:
    return bool(facts.job.verifiers) and facts.plan is not None and bool(facts.plan.to_verify)


def _is_tried(facts: Facts) -> bool:
    verifies = facts.plan is not None and (_is_critical(facts) or any(one.verify for one in facts.plan.phases))
    return verifies and is_judged(facts.agents, stated=True)


def _breakers(facts: Facts) -> Iterator[str]:
    yield f"Calls to what fails again and again are refused for a while: {names(facts.job.breakers)}."


_CONCERNS = (
    to_people(
        "concerns.voice",
        Aspect.CONCERNS,
        "A concern is on record as soon as it is said, also that of an agent that is killed. Nobody in the run can "
        "take it back.",
        f"{COORDINATION}.voice.recording.record_leftovers",
        lambda facts: bool(facts.job.speaking & AGENTS),
    ),
    to_people(
        "concerns.routes",
        Aspect.CONCERNS,
        f"With low confidence and high impact it is for a person to look at, always (both are high from {HIGH:g} on).",
        "echelon.model.concern.ROUTES",
    ),
    to_people(
        "concerns.doubt",
        Aspect.CONCERNS,
        _doubt,
        f"{COORDINATION}.autonomy.settling.settle_autonomy",
    ),
    to_people(
        "concerns.autonomy",
        Aspect.CONCERNS,
        _autonomy,
        "echelon.oversight.autonomy.deciding.decide",
        lambda facts: facts.job.autonomy is not None,
    ),
    to_people(
        "concerns.ends",
        Aspect.CONCERNS,
        "It ends only with an author and a reason on record: `echelon concerns dispose`.",
        "echelon.model.concern.Disposition",
    ),
    to_people(
        "concerns.repeated",
        Aspect.CONCERNS,
        "What several runs of a job raise in the same words is listed once, with how often.",
        "echelon.oversight.ledger.ledger_of",
    ),
)

_FAILURES = (
    to_people(
        "failures.incidents",
        Aspect.FAILURES,
        "Failures with one cause are reported as one incident.",
        f"{COORDINATION}.incidents.report_incidents",
        several,
    ),
    to_people(
        "failures.fallbacks",
        Aspect.FAILURES,
        "What stands in for an output that is lost says so, and why, and is trusted less.",
        f"{COORDINATION}.fallbacks.FallbackChain",
        lambda facts: facts.job.fallbacks,
    ),
    to_people(
        "failures.breakers",
        Aspect.FAILURES,
        _breakers,
        "echelon.resilience.breaker.breaker.Breaker",
        lambda facts: bool(facts.job.breakers),
    ),
    to_people(
        "failures.redundancy",
        Aspect.FAILURES,
        of_plan(plan.redundancy),
        f"{COORDINATION}.redundancy.replicas.Redundant",
        in_a_phase(lambda phase: phase.replicas > 1 or phase.standby),
    ),
)

_VERIFICATION = (
    to_people(
        "verification.success",
        Aspect.VERIFICATION,
        of_plan(plan.successes),
        f"{COORDINATION}.success.checked.Checked",
        in_a_phase(lambda phase: phase.success),
    ),
    to_people(
        "verification.judges",
        Aspect.VERIFICATION,
        of_plan(plan.judges),
        f"{COORDINATION}.success.verifying.verify_task",
        in_a_phase(lambda phase: phase.verify),
    ),
    to_people(
        "verification.critical",
        Aspect.VERIFICATION,
        _critical,
        f"{COORDINATION}.success.verifying.verify_task",
        _is_critical,
    ),
    to_people(
        "verification.tried",
        Aspect.VERIFICATION,
        "A verifier that has accepted everything (five results or more) is probed once with results made wrong on "
        "purpose; if it accepts these too, none of its verdicts counts.",
        f"{COORDINATION}.audit.canaries.probe_verifiers",
        _is_tried,
    ),
    to_people(
        "verification.audit",
        Aspect.VERIFICATION,
        _audited,
        f"{COORDINATION}.audit.auditing.audit_integrations",
        _is_audited,
    ),
    to_people(
        "verification.conflicts",
        Aspect.VERIFICATION,
        of_plan(plan.settled_conflicts),
        f"{COORDINATION}.conflicts.settling.settle_gathered",
        in_a_phase(lambda phase: phase.settle),
    ),
    to_people(
        "verification.tasks",
        Aspect.VERIFICATION,
        of_plan(plan.checking_tasks),
        "echelon.planning.schedule.order.producers_of",
        in_plan(lambda plan: any(task.verifies for task in plan.tasks)),
    ),
)

_CONTRACTS = (
    to_people("vocabulary.statuses", Aspect.VOCABULARY, ONE_MEANING, "echelon.model.status.Status", several),
    to_people(
        "vocabulary.couplings",
        Aspect.VOCABULARY,
        of_plan(plan.couplings),
        f"{COORDINATION}.readiness.unmet_need",
        in_plan(plan.has_couplings),
    ),
    to_people("contracts.envelope", Aspect.CONTRACTS, ENVELOPE, "echelon.model.handoff.Handoff", several),
    to_people("contracts.reference", Aspect.CONTRACTS, BY_REFERENCE, "echelon.journal.outputs.OutputStore", several),
    to_people(
        "contracts.outputs",
        Aspect.CONTRACTS,
        plan.contracts,
        f"{COORDINATION}.step.boundary.Boundary.take",
        in_plan(lambda plan: any(task.contract for task in plan.tasks)),
    ),
)

_BUDGETS = (
    to_people(
        "budgets.job",
        Aspect.BUDGETS,
        of_plan(plan.budget),
        "echelon.resilience.budget.Account.reserve",
        in_plan(lambda plan: _bounds_something(plan.budget)),
    ),
    to_people(
        "budgets.standing",
        Aspect.BUDGETS,
        of_plan(plan.standing_budgets),
        "echelon.resilience.standing.keeper.StandingKeeper",
        in_plan(lambda plan: bool(plan.standing)),
    ),
)

_SHARED = (
    to_people(
        "shared.turns",
        Aspect.SHARED,
        of_plan(turns),
        "echelon.resilience.run_slots.RunSlots.turns",
        in_plan(lambda plan: bool(shared_things(plan))),
    ),
)

KEPT: tuple[Row, ...] = (*_CONCERNS, *_FAILURES, *_VERIFICATION, *_CONTRACTS, *_BUDGETS, *_SHARED)
