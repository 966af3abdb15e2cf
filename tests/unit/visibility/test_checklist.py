"""Every item of the checklist, ticked for what proves it and not ticked for what does not."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from echelon.model.audit.audit import JudgedResults
from echelon.model.exception_report import Trigger
from echelon.model.graph import Coupling, Dependency, TaskGraph, TaskSpec
from echelon.model.handoff import ErrorReport
from echelon.model.organisation import Organisation, Structure
from echelon.model.plan import Finding, FindingLevel, PhasePlan, SyncPoint
from echelon.model.policy import DEFAULT_RESILIENCE, Resilience
from echelon.model.rolling.phases import PhaseView
from echelon.model.run import RunStatus, RunView, StepKind
from echelon.model.sync.seen import SyncSeen
from echelon.model.terms import Terms
from echelon.planning.infrastructure import infrastructure_for
from echelon.planning.planner import plan
from echelon.testing.judging_events import conflict
from echelon.testing.run_events import gate, gate_answer
from echelon.visibility.checklist.answers import MOST_CHARACTERS, ItemState, Section
from echelon.visibility.checklist.evidence import AgentKind, JobEvidence
from echelon.visibility.checklist.items import TABLE, checklist
from tests.unit.planning.building import label_mixes, labelled
from tests.unit.visibility.building import AT
from tests.unit.visibility.evidence import (
    STAGED,
    a_call,
    a_phase,
    a_run,
    concern,
    evidence,
    exception,
    item,
    planned,
    ran,
    step,
    tasks,
)

#: Items of each section, as the source document counts them.
COUNTS = {"foundation": 15, "optimization": 12, "resilience": 12, "scale": 12, "prerequisites": 9, "success": 5}

THREE, DEEP, LARGE, HUGE = (planned(tasks(count)) for count in (3, 30, 60, 240))
WIDE = plan(TaskGraph(name="job", goal="Get it done", tasks=tasks(12, domain=None)), span=12, agents_fixed=True)
PARTLY = planned([*tasks(1, tokens=50_000), *tasks(3)[1:]])
NOTHING = planned(())
ONE = planned(tasks(1))
FINAL = planned(tasks(2, irreversible=True))
BY_ANN, BY_DEFAULT = gate_answer(author="Ann"), gate_answer("deny", author="default", channel="expiry")
WHOLE = ran(THREE)
GAPS = ran(THREE, failing=1)
PLANLESS = WHOLE.model_copy(update={"record": WHOLE.record.model_copy(update={"plan": None})})
SETTLED = THREE.model_copy(
    update={"phases": tuple(one.model_copy(update={"settle": "stricter"}) for one in THREE.phases)}
)
VERIFIED = planned(tasks(12)).model_copy(
    update={
        "phases": tuple(one.model_copy(update={"verify": ("recount",)}) for one in planned(tasks(12)).phases),
    }
)
EARLY = SyncSeen(stopped={"work/t1": "enough", "work/t2": "enough"})
CONTRACT = ErrorReport(kind="ContractViolation", message="no", can_pass=False)


def linked(coupling: Coupling, reason: str = "", *, contract: str | None = None) -> JobEvidence:
    """Plan two tasks, the second of which uses the first."""
    link = Dependency(task="a", coupling=coupling, reason=reason)
    first = TaskSpec(id="a", goal="do", contract=contract, domain="x")
    return evidence(planned([first, TaskSpec(id="b", goal="do", depends_on=(link,), contract=contract, domain="y")]))


def unstated() -> JobEvidence:
    """Plan two tasks, the second of which uses the first without saying how much."""
    uses = (Dependency(task="a"),)
    return evidence(planned([TaskSpec(id="a", goal="do"), TaskSpec(id="b", goal="do", depends_on=uses)]))


def checked_end() -> JobEvidence:
    """Plan two tasks, of which the second checks the first."""
    return evidence(planned([TaskSpec(id="a", goal="do"), TaskSpec(id="v", goal="check", verifies=("a",))]))


def reached(*, ended: bool) -> RunView:
    """Record a run whose phase passed its sync point, or did not."""
    phase = PhaseView(name="work", planned=3, completed=3, failed=0, seconds=1.0, ended=AT if ended else None)
    return WHOLE.model_copy(update={"phases": (phase,)})


def federation(contract: str | None) -> JobEvidence:
    """Plan 240 tasks in domains of ten; one domain uses another one loosely."""
    specs = list(tasks(240, contract=contract))
    specs[15] = specs[15].model_copy(update={"depends_on": (Dependency(task="work/t0", coupling=Coupling.LOOSE),)})
    return evidence(planned(specs))


def tight_phases() -> JobEvidence:
    """Plan a phase that needs another one of many domains tightly."""
    end = TaskSpec(id="end/e", goal="do", phase="end", domain="z", needs=("work",))
    terms = Terms(
        phase="end", consumer="e", needs="work", delivers="X@1.0", strictness="strict", strictness_stated="usual",
        timeout_stated="usual", attempts=1, attempts_stated="usual", coupling=Coupling.TIGHT, when_missing="",
    )  # fmt: skip
    return changed(planned([*tasks(240), end]), terms=(terms,))


def checking(model: str | None, **last: bool) -> JobEvidence:
    """Plan four tasks, the last of which checks the first; `last` is said of the third."""
    specs = [TaskSpec(id=f"t{n}", goal="do", model="m", **(last if n == 2 else {})) for n in range(3)]
    return evidence(planned([*specs, TaskSpec(id="v", goal="check", verifies=("t0",), model=model)]))


def warned(rule: str) -> JobEvidence:
    """Plan with a warning."""
    finding = Finding(rule=rule, level=FindingLevel.WARNING, where="work/t0", message="too large", fix="split it")
    return evidence(THREE.model_copy(update={"findings": (finding,)}))


def changed(made: object = THREE, **update: object) -> JobEvidence:
    """Plan with something else in it."""
    return evidence(made.model_copy(update=update))  # pyright: ignore[reportAttributeAccessIssue]


def crossing(contract: str | None) -> JobEvidence:
    """Plan ten tasks in two domains; one domain uses the other."""
    uses = (Dependency(task="t0", coupling=Coupling.TIGHT, reason="it must"),)
    specs = [TaskSpec(id=f"t{n}", goal="do", domain=f"d{n // 5}", contract=contract) for n in range(10)]
    specs[9] = specs[9].model_copy(update={"depends_on": uses})
    return evidence(planned(specs))


def policed(sync: str) -> JobEvidence:
    """Plan with another way to synchronise."""
    phases = tuple(p.model_copy(update={"sync": p.sync.model_copy(update={"policy": sync})}) for p in THREE.phases)
    return changed(phases=phases)


def measured(**measures: float | None) -> JobEvidence:
    """Put a run on record that measured something."""
    return evidence(THREE, STAGED, runs=[ran(THREE, **measures)])  # pyright: ignore[reportArgumentType]


RESUMED = a_run([step("work/t0", failed=True), step("work/t0")], made=THREE)
BLOCKED = ran(THREE, exceptions=[exception(Trigger.BLOCKED)])
ALL_TASKS_WITH = [a_call("a"), a_call("b", contract=None)]
UNTYPED = a_phase(agents=tuple(ALL_TASKS_WITH))
LATER = PhasePlan(name="x", tasks=("work/t0",), sync=SyncPoint(owner="nobody"))
JUDGED = LARGE.model_copy(update={"infrastructure": infrastructure_for(LARGE.tree, ("proof",), ("second_look",))})
JUDGES_AT_WORK = [step(f"work/t0/{one}", kind=StepKind.CHECK) for one in ("verify/proof", "audit/second_look")]
AUDITED = WHOLE.model_copy(update={"judged": JudgedResults(integrations=1, audited=1, audit_rejected=1)})

Row = tuple[str, JobEvidence, str]

WATCHED = a_phase(agents=(a_call(policy=DEFAULT_RESILIENCE.model_copy(update={"idle_seconds": 30.0})),))

DONE: list[Row] = [
    ("optimization.visibility.health-checks", evidence(THREE, WATCHED), "ended after 30 s without one"),
    ("foundation.regime.count-agents", evidence(), "R1: 3 agents for 3 tasks"),
    ("foundation.regime.identify", evidence(), "R1: 3 agents make a flat structure; the next change is 6 agents away"),
    ("foundation.regime.select-pattern", evidence(), "R2: 1 coordinating level, no one leads more than 3"),
    ("foundation.boundaries.decompose", evidence(planned(tasks(3, tokens=50_000))), "each states its tokens"),
    ("foundation.boundaries.minimize-dependencies", linked(Coupling.LOOSE), "D1: 1 of 1 handoffs are left"),
    ("foundation.boundaries.identify-dependencies", linked(Coupling.TIGHT, "it must"), "D3: tight 1"),
    ("foundation.boundaries.map-graph", linked(Coupling.LOOSE), "D4: 2 tasks, 1 dependency in 2 phases"),
    ("foundation.contracts.vocabulary", evidence(runs=[GAPS]), "C2: run r used completed 3, failed 1"),
    ("foundation.contracts.handoff-format", evidence(runs=[WHOLE]), "C1: 4 handoffs of run r kept version 1.8"),
    ("foundation.contracts.error-format", evidence(runs=[GAPS]), "AgentFailed 1"),
    ("foundation.contracts.error-format", evidence(rehearsals=(GAPS,)), "AgentFailed 1"),
    ("foundation.contracts.interfaces", evidence(THREE, STAGED), "C5: 3 agents and integrators"),
    ("foundation.contracts.interfaces", linked(Coupling.LOOSE, contract="Out@1"), "C7: 1 task used by other agents"),
    ("foundation.coordination.orchestrator", evidence(DEEP), "R1: primary leads 6 direct reports, with 6 team leads"),
    ("foundation.coordination.assignment", evidence(), "D6: 3 tasks, each held"),
    ("foundation.coordination.status-protocol", evidence(runs=[WHOLE]), "X1: 3 tasks of run r"),
    ("foundation.coordination.integration", evidence(THREE, STAGED), "by integrators in work"),
    (
        "foundation.coordination.integration",
        evidence(THREE, a_phase(), a_phase("end", needs=("work",))),
        "by the phase end",
    ),
    ("foundation.coordination.integration", linked(Coupling.LOOSE), "D6: everything ends in b"),
    ("optimization.sync.frequency", policed("adaptive"), "X3: 1 phase synchronised by drift"),
    ("optimization.sync.levels", evidence(), "X2: 1 sync point, each owned by primary"),
    ("optimization.sync.levels", evidence(DEEP, STAGED), "integrate in stages in work"),
    ("optimization.sync.exceptions-only", evidence(runs=[WHOLE, BLOCKED]), "V1: run r pushed 1 report for 4 steps"),
    (
        "optimization.sync.escalation-triggers",
        evidence(runs=[a_run(concerns=[concern(0.9, 0.9), concern(0.1, 0.9)])]),
        "immediate 1, human review 1",
    ),
    ("optimization.visibility.exceptions", evidence(runs=[BLOCKED]), "primary › x: it broke"),
    ("optimization.visibility.exceptions", evidence(rehearsals=(BLOCKED,)), "primary › x: it broke"),
    ("optimization.visibility.aggregation", evidence(DEEP, runs=[ran(DEEP, integrators=["team:d0/1"])]), "team 1"),
    ("optimization.visibility.pull-detail", evidence(runs=[WHOLE]), "V2: 4 outputs (4 bytes)"),
    ("optimization.integration.owners", evidence(DEEP), "D6: 7 coordinators and 1 sync point"),
    ("optimization.integration.checkpoints", evidence(runs=[reached(ended=True)]), "passed 1 sync point, of work"),
    (
        "optimization.integration.quality-criteria",
        evidence(THREE, a_phase(merger=a_call("m", criteria=("worst",)))),
        "C5: what misses the criteria of its contract is refused: m → worst",
    ),
    ("optimization.integration.quality-criteria", checked_end(), "O3: what everything ends in is checked: v"),
    (
        "resilience.protection.breakers",
        evidence(THREE, a_phase(agents=(a_call(policy=Resilience(breaker="api")),))),
        "F1: 1 breaker for what agents depend on: api",
    ),
    (
        "resilience.protection.fallbacks",
        evidence(THREE, a_phase(), a_phase("end", needs=("work",), fallbacks=("work → default",))),
        "F2: 1 fallback stated: work → default",
    ),
    ("resilience.protection.timeouts-and-retries", evidence(THREE, STAGED), "300 s for an attempt (F4), 3 attempts"),
    ("resilience.protection.cascades", evidence(runs=[BLOCKED]), "F6: run r reported one cause once"),
    ("resilience.verification.independent-channel", checking("other"), "O3: 1 check of what other agents made"),
    ("resilience.verification.independent-channel", evidence(VERIFIED), "O3: results are verified by recount"),
    ("optimization.integration.conflicts", evidence(SETTLED), "X9: found in work, settled by stricter"),
    (
        "foundation.coordination.status-protocol",
        evidence(runs=[a_run(made=THREE, steps=[step("work/t0")]).model_copy(update={"sync": EARLY})]),
        "X1: 1 task of run r reported",
    ),
    ("resilience.verification.audit", evidence(LARGE, runs=[AUDITED]), "1 of 1 integration of run r audited, 1 rejec"),
    ("resilience.verification.concerns", evidence(runs=[a_run(concerns=[concern(0.1, 0.1)])]), "O1: 1 concern on"),
    ("resilience.tests.agent-failure", evidence(runs=[GAPS]), "1 agent failed and 2 of 3 delivered"),
    ("resilience.tests.agent-failure", evidence(rehearsals=(GAPS,)), "1 agent failed and 2 of 3 delivered"),
    ("resilience.tests.missing-outputs", evidence(runs=[GAPS]), "primary integrated without 1 output"),
    (
        "resilience.verification.patterns",
        evidence(LARGE, runs=[a_run(concerns=[concern(0.1, 0.1), concern(0.9, 0.9)])]),
        "O7: 2 concerns of 1 run compared, 0 raised in several of them",
    ),
    ("resilience.tests.escalation", evidence(runs=[a_run(concerns=[concern(0.9, 0.9, author="Ann")])]), "by Ann"),
    ("resilience.tests.recovery", evidence(runs=[RESUMED]), "F8: run r was resumed and did again 1 step"),
    ("scale.hierarchy.sub-orchestrators", evidence(DEEP, STAGED), "R2: 6 team leads that integrate their own, on 2"),
    ("scale.hierarchy.domain-boundaries", evidence(planned(tasks(10, domain="x"))), "D2: 1 domain: x"),
    ("scale.hierarchy.cross-domain", crossing("Out@1"), "each under a contract"),
    ("scale.hierarchy.aggregation", evidence(DEEP, STAGED), "further up in work"),
    ("scale.federation.boundaries", evidence(HUGE), "8 parts of whole domains, below primary"),
    ("scale.federation.contracts", federation("Out@1"), "each output that others use"),
    ("scale.federation.contracts", evidence(HUGE, STAGED, runs=[WHOLE]), "C7: 1 contract with a version in run r: X"),
    (
        "scale.federation.integration",
        evidence(HUGE, runs=[ran(HUGE, integrators=[HUGE.primary.members[0]])]),
        "parts integrated their own",
    ),
    ("scale.federation.eventual-consistency", federation(None), "1 handoff between domains, none of them tight"),
    ("scale.infrastructure.agents", evidence(JUDGED, runs=[a_run(JUDGES_AT_WORK)]), "report to a person"),
    ("scale.infrastructure.state", evidence(LARGE, runs=[WHOLE]), "F8: the journal keeps 4 steps of run r"),
    (
        "scale.infrastructure.routing",
        evidence(LARGE, runs=[ran(THREE, bytes_by_reference=4)]),
        "pairs instead of 1,770",
    ),
    ("prerequisites.coordination.single-agent", evidence(runs=[WHOLE]), "100.0 % of 1 task at the first attempt"),
    ("prerequisites.coordination.decomposition", evidence(planned(tasks(3, seconds=1.0))), "V6: 3 tasks, each with"),
    (
        "prerequisites.coordination.decomposition",
        evidence(planned(tasks(3, seconds=1.0))),
        "of the decomposition (D1, D2, D4, D5) the planner warns of nothing; echelon lint looks at the rest",
    ),
    (
        "prerequisites.coordination.conventions",
        evidence(constraints=("be brief",), vocabularies=("severity",), runs=[WHOLE]),
        "D9: 1 constraint (be brief) and the words for severity bound 3 tasks of run r",
    ),
    (
        "prerequisites.coordination.human-oversight",
        evidence(runs=[a_run(concerns=[concern(0.1, 0.1, author="Ann")])]),
        "1 concern answered by Ann, 0 open",
    ),
    (
        "prerequisites.coordination.human-oversight",
        evidence(FINAL, runs=[a_run(gates=[gate("g-1"), gate("g-2", answers=(BY_ANN,))])]),
        "O5: 1 gate answered by Ann, 1 open",
    ),
    ("prerequisites.coordination.monitoring", evidence(runs=[WHOLE]), "V2: 4 steps, 0 exceptions"),
    (
        "prerequisites.scaling.hierarchy-tested",
        evidence(DEEP, runs=[ran(planned(tasks(12)))]),
        "carried out 12 agents on 2 levels",
    ),
    (
        "prerequisites.scaling.integration-validated",
        evidence(DEEP, runs=[ran(DEEP)]),
        "X2: 1 integration of run r",
    ),
    ("prerequisites.scaling.exceptions-proven", evidence(DEEP, runs=[BLOCKED]), "had 1 exception and delivered 3"),
    ("prerequisites.scaling.contracts-verified", evidence(DEEP, runs=[WHOLE]), "C5: 4 outputs of run r kept"),
    ("success.coordination-ratio", measured(coordination_ratio=0.2), "M1: 20.0 % of run r was coordination"),
    ("success.coordination-ratio", measured(coordination_ratio=0.01), "less is no harm"),
    ("success.first-try", evidence(runs=[WHOLE]), "M2: in run r 100.0 %"),
    ("success.integration-quality", evidence(runs=[WHOLE]), "M3: in run r 100.0 %"),
    ("success.escalation-rate", measured(escalation_rate=0.1), "M4: in run r 10.0 %"),
]

NOT_DONE: list[Row] = [
    ("foundation.regime.count-agents", evidence(NOTHING), "nothing to do"),
    ("foundation.regime.identify", evidence(NOTHING), "nothing to do"),
    (
        "foundation.regime.select-pattern",
        changed(organisation=Organisation(structure=Structure.MULTI_TIER)),
        "L8: multi-tier is asked for, 3 agents are flat",
    ),
    ("foundation.regime.select-pattern", evidence(WIDE), "R2: someone leads 12 direct reports"),
    ("foundation.boundaries.decompose", warned("D5"), "work/t0: too large"),
    ("foundation.boundaries.decompose", evidence(), "3 of 3 tasks state no tokens"),
    ("foundation.boundaries.decompose", evidence(PARTLY), "2 of 3 tasks state no tokens"),
    ("foundation.boundaries.minimize-dependencies", linked(Coupling.NONE), "1 task with a dependency that is none: b"),
    ("foundation.boundaries.identify-dependencies", linked(Coupling.TIGHT), "1 tight dependency without a reason"),
    ("foundation.boundaries.identify-dependencies", unstated(), "1 dependency of which is not said how tight: b → a"),
    (
        "foundation.boundaries.identify-dependencies",
        evidence(THREE, a_phase(), a_phase("end", needs=("work",), unstated=("work",))),
        "not said how tight: end → work",
    ),
    ("foundation.boundaries.map-graph", evidence(NOTHING), "nothing to do"),
    ("foundation.contracts.vocabulary", evidence(LARGE, runs=[WHOLE]), "C3: 60 agents, and no contract declares"),
    ("foundation.contracts.vocabulary", evidence(runs=[a_run()]), "no step on record"),
    ("foundation.contracts.handoff-format", evidence(runs=[a_run()]), "no step on record"),
    ("foundation.coordination.orchestrator", evidence(WIDE), "R1: primary leads 12 direct reports alone"),
    ("foundation.contracts.vocabulary", evidence(), "no run of this job"),
    ("foundation.contracts.handoff-format", evidence(runs=[a_run([step("x", schema_version="0.9")])]), "version 0.9"),
    ("foundation.contracts.error-format", evidence(), "neither a run nor a rehearsal"),
    ("foundation.contracts.error-format", evidence(runs=[WHOLE]), "no step failed, so no error report was seen"),
    ("foundation.contracts.interfaces", evidence(THREE, UNTYPED), "C5: anything may come from b"),
    ("foundation.contracts.interfaces", linked(Coupling.LOOSE), "1 task without a contract"),
    ("foundation.coordination.assignment", changed(owners={}), "3 tasks without an owner"),
    ("foundation.coordination.status-protocol", evidence(runs=[a_run(made=THREE)]), "3 tasks of run r never reported"),
    ("foundation.coordination.status-protocol", evidence(runs=[PLANLESS]), "no task to report on"),
    ("foundation.coordination.integration", evidence(THREE, a_phase()), "no one integrates what the agents of work"),
    (
        "foundation.coordination.integration",
        evidence(THREE, STAGED, a_phase("other")),
        "nothing puts together what work, other deliver",
    ),
    ("foundation.coordination.integration", evidence(), "3 results that nothing uses"),
    ("optimization.sync.frequency", evidence(), "synchronised by phase"),
    ("optimization.sync.levels", evidence(DEEP, a_phase(merger=a_call("m"))), "in work the primary alone"),
    ("optimization.sync.levels", evidence(DEEP, a_phase()), "no level is integrated"),
    ("optimization.sync.levels", evidence(DEEP), "nothing that integrates at any"),
    ("optimization.sync.exceptions-only", evidence(runs=[WHOLE]), "nothing was pushed in 1 run"),
    ("optimization.visibility.health-checks", evidence(), "no agents are known that could"),
    ("optimization.integration.checkpoints", evidence(runs=[reached(ended=False)]), "the sync point of work"),
    ("optimization.integration.checkpoints", evidence(runs=[WHOLE]), "the sync point of any phase"),
    ("optimization.sync.exceptions-only", evidence(runs=[a_run(exceptions=[exception()])]), "more than there were"),
    ("optimization.sync.escalation-triggers", evidence(runs=[WHOLE]), "no concern was raised in 1 run"),
    ("optimization.visibility.health-checks", evidence(THREE, STAGED), "noticed by its timeout, after 300 s"),
    ("optimization.visibility.health-checks", evidence(THREE, WATCHED, a_phase("other")), "V1: 1 agent of 2 may be"),
    ("optimization.visibility.exceptions", evidence(runs=[WHOLE]), "nothing went wrong in 1 run"),
    (
        "optimization.visibility.aggregation",
        evidence(DEEP, runs=[ran(DEEP)]),
        "no coordinator below the primary integrated",
    ),
    ("optimization.visibility.pull-detail", evidence(runs=[a_run()]), "no output to read"),
    ("optimization.integration.owners", changed(phases=(LATER,)), "no one owns the integration of x"),
    ("optimization.integration.quality-criteria", evidence(THREE, a_phase()), "there is no integrator"),
    (
        "optimization.integration.quality-criteria",
        evidence(THREE, a_phase(merger=a_call("m", contract=None))),
        "m may deliver anything",
    ),
    ("optimization.integration.quality-criteria", evidence(THREE, STAGED), "a return type alone"),
    ("optimization.integration.quality-criteria", evidence(), "no task checks work/t0"),
    (
        "optimization.integration.quality-criteria",
        linked(Coupling.LOOSE, contract="Out@1"),
        "the name of a contract says nothing",
    ),
    ("optimization.integration.conflicts", evidence(planned(tasks(3, touches=("db",)))), "the same of 1 thing"),
    (
        "optimization.integration.conflicts",
        evidence(SETTLED, runs=[WHOLE.model_copy(update={"conflicts": (conflict(),)})]),
        "1 conflict of run r still to be settled",
    ),
    ("resilience.protection.breakers", evidence(THREE, a_phase()), "no agent names what it depends on"),
    ("resilience.protection.breakers", evidence(), "a task graph"),
    (
        "resilience.protection.breakers",
        evidence(THREE, a_phase(agents=(a_call("llm", kind=AgentKind.MODEL),))),
        "no breaker guards the provider of llm",
    ),
    ("resilience.protection.fallbacks", evidence(THREE, a_phase(), runs=[WHOLE]), "F2: no fallback is stated"),
    ("resilience.protection.fallbacks", evidence(THREE, a_phase(), runs=[GAPS]), "F2: no fallback is stated"),
    (
        "resilience.protection.fallbacks",
        evidence(THREE, a_phase("end", needs=("a", "b"), unsettled=("b",), fallbacks=("a → default",))),
        "F2: 1 need without a fallback: end → b",
    ),
    ("resilience.protection.fallbacks", evidence(runs=[GAPS]), "a task graph does not say what stands in"),
    (
        "resilience.protection.timeouts-and-retries",
        evidence(THREE, a_phase(agents=(a_call(policy=Resilience()),))),
        "worker may never end",
    ),
    ("resilience.protection.timeouts-and-retries", evidence(), "3 tasks without a number of attempts"),
    ("resilience.protection.timeouts-and-retries", evidence(planned(tasks(3, attempts=(2,)))), "timeouts are not"),
    ("resilience.protection.cascades", evidence(runs=[WHOLE]), "no failure reached"),
    ("resilience.verification.independent-channel", evidence(planned(tasks(4))), "nobody checks"),
    ("resilience.verification.independent-channel", checking("m"), "v would check their own work"),
    ("resilience.verification.independent-channel", checking("other", irreversible=True), "1 dangerous task that no"),
    ("resilience.verification.audit", evidence(LARGE, runs=[WHOLE]), "no integration of run r was audited"),
    ("resilience.verification.audit", evidence(LARGE), "no run of this job"),
    ("resilience.verification.concerns", evidence(runs=[WHOLE]), "no concern was raised"),
    ("resilience.verification.patterns", evidence(LARGE, runs=[WHOLE]), "no concern was raised"),
    ("resilience.verification.patterns", evidence(LARGE), "no run of this job"),
    ("resilience.tests.agent-failure", evidence(runs=[WHOLE]), "no agent failed in 1 run"),
    ("resilience.tests.missing-outputs", evidence(runs=[WHOLE]), "no integration had to do without"),
    ("resilience.tests.missing-outputs", evidence(rehearsals=(GAPS,)), "no run of this job"),
    ("resilience.tests.escalation", evidence(runs=[WHOLE]), "nothing was escalated"),
    ("resilience.tests.escalation", evidence(runs=[a_run(concerns=[concern(0.1, 0.9)])]), "no one has answered yet"),
    ("resilience.tests.recovery", evidence(runs=[WHOLE]), "no step was made good"),
    (
        "scale.hierarchy.sub-orchestrators",
        changed(DEEP, tree=(DEEP.primary, *[n for n in DEEP.tree if n.kind.value == "agent"])),
        "there are no leads below the primary",
    ),
    ("scale.hierarchy.sub-orchestrators", evidence(DEEP), "nothing for them to do"),
    (
        "scale.hierarchy.sub-orchestrators",
        evidence(DEEP, a_phase(merger=a_call("m"))),
        "R2: 6 team leads in the plan, and nothing for them to do",
    ),
    ("scale.hierarchy.domain-boundaries", evidence(planned(tasks(12, domain=None))), "12 tasks in no domain"),
    ("scale.hierarchy.domain-boundaries", evidence(DEEP), "divided over several leads"),
    ("scale.hierarchy.cross-domain", crossing(None), "anything may come from t0"),
    ("scale.hierarchy.aggregation", evidence(DEEP, a_phase()), "not integrated in stages"),
    ("scale.hierarchy.aggregation", evidence(DEEP, STAGED, a_phase("x", merger=a_call("m"))), "in stages, in x"),
    ("scale.federation.boundaries", changed(HUGE, tree=HUGE.tree[:1]), "no parts"),
    ("scale.federation.boundaries", evidence(planned(tasks(240, domain=None))), "240 tasks in no domain"),
    ("scale.federation.boundaries", evidence(planned(tasks(240, domain="all"))), "lie in several parts: all"),
    ("scale.federation.contracts", evidence(HUGE, UNTYPED), "no contract for what comes from b"),
    ("scale.federation.integration", evidence(HUGE, runs=[ran(HUGE)]), "no domain integrated its own"),
    (
        "scale.federation.eventual-consistency",
        changed(crossing(None).plan, n_agents=200),
        "1 tight dependency across domains: t9 → t0",
    ),
    ("scale.infrastructure.agents", evidence(LARGE), "no agent verifies or audits"),
    ("scale.infrastructure.agents", evidence(JUDGED, runs=[WHOLE]), "no run shows all of them at work"),
    ("scale.infrastructure.state", evidence(LARGE), "no run of this job"),
    ("scale.federation.eventual-consistency", tight_phases(), "1 tight dependency across domains: end → work"),
    ("scale.infrastructure.state", evidence(LARGE, runs=[a_run()]), "no step on record"),
    ("scale.infrastructure.routing", evidence(LARGE), "no run of this job"),
    ("scale.infrastructure.routing", evidence(LARGE, runs=[a_run()]), "nothing was handed on by reference"),
    ("scale.infrastructure.statistics", evidence(HUGE), "no rate is measured yet"),
    ("scale.infrastructure.statistics", evidence(HUGE, runs=[WHOLE]), "100.0 % at the first attempt"),
    ("prerequisites.coordination.single-agent", evidence(runs=[GAPS]), "0.0 % of 1 task"),
    ("prerequisites.coordination.single-agent", evidence(runs=[a_run()]), "no task on record"),
    ("prerequisites.coordination.decomposition", evidence(), "3 tasks of 3 with no expected duration or size"),
    ("prerequisites.coordination.decomposition", warned("D4"), "D4: too large"),
    ("prerequisites.coordination.conventions", evidence(), "no constraint binds the agents"),
    (
        "prerequisites.coordination.conventions",
        evidence(constraints=("be brief",), runs=[WHOLE]),
        "1 constraint, and no words are declared",
    ),
    (
        "prerequisites.coordination.conventions",
        evidence(constraints=("be brief",), vocabularies=("severity",)),
        "no run of this job",
    ),
    ("prerequisites.coordination.monitoring", evidence(runs=[a_run()]), "no step on record"),
    ("prerequisites.scaling.contracts-verified", evidence(DEEP, runs=[a_run()]), "no output that could keep"),
    ("prerequisites.coordination.human-oversight", evidence(runs=[WHOLE]), "no person has answered"),
    (
        "prerequisites.coordination.human-oversight",
        evidence(FINAL, runs=[a_run(gates=[gate("g-1"), gate("g-2", answers=(BY_DEFAULT,))])]),
        "O5: no person has answered at a gate; 1 gate open",
    ),
    ("prerequisites.coordination.monitoring", evidence(), "no run of this job"),
    ("prerequisites.scaling.hierarchy-tested", evidence(DEEP, runs=[WHOLE]), "no hierarchy of 20 agents or fewer"),
    ("prerequisites.scaling.integration-validated", evidence(DEEP, runs=[a_run()]), "no coordinator integrated"),
    (
        "prerequisites.scaling.integration-validated",
        evidence(DEEP, runs=[a_run([step("primary", failed=True, kind=StepKind.INTEGRATION)])]),
        "failed at primary",
    ),
    ("prerequisites.scaling.exceptions-proven", evidence(DEEP, runs=[WHOLE]), "in 1 run no failure was seen"),
    (
        "prerequisites.scaling.contracts-verified",
        evidence(DEEP, runs=[a_run([step("x", failed=True, error=CONTRACT)])]),
        "1 output of run r broke the contract: x",
    ),
    ("success.coordination-ratio", evidence(runs=[a_run()]), "M1: not measured"),
    ("success.coordination-ratio", measured(coordination_ratio=0.35), "above target"),
    ("success.coordination-ratio", measured(coordination_ratio=0.45), "a warning"),
    ("success.first-try", measured(first_try_rate=None), "M2: not measured in run r"),
    ("success.first-try", evidence(runs=[GAPS]), "M2: in run r 66.7 %"),
    ("success.integration-quality", evidence(runs=[a_run()]), "M3: not measured"),
    ("success.integration-quality", evidence(runs=[ran(THREE, integrators=()), WHOLE]), "M3: not measured"),
    ("success.escalation-rate", evidence(runs=[WHOLE]), "0.0 % of the tasks escalated something, target 5–20 %: crit"),
    ("success.context-use", evidence(), "M5: not measured"),
]

NOT_APPLICABLE: list[Row] = [
    ("foundation.boundaries.decompose", evidence(THREE, STAGED), "D5: all agents are functions and commands"),
    ("foundation.boundaries.minimize-dependencies", evidence(), "no dependency to avoid"),
    ("foundation.boundaries.identify-dependencies", evidence(), "no task uses what another one makes"),
    ("foundation.contracts.interfaces", evidence(), "no agent uses what another one makes"),
    ("scale.hierarchy.cross-domain", evidence(DEEP), "no handoff crosses"),
    ("scale.federation.contracts", evidence(HUGE), "no agent uses what another one makes"),
    ("scale.federation.eventual-consistency", evidence(HUGE), "no domain uses what another one makes"),
    ("foundation.coordination.orchestrator", evidence(ONE), "1 agent"),
    ("optimization.visibility.aggregation", evidence(), "one coordinating level"),
    ("resilience.verification.independent-channel", evidence(), "from 4 agents on"),
    ("resilience.verification.audit", evidence(planned(tasks(10))), "from 11 agents on"),
    ("resilience.verification.patterns", evidence(DEEP), "from 31 agents on"),
    ("scale.hierarchy.sub-orchestrators", evidence(planned(tasks(8))), "from 9 agents on"),
    ("scale.federation.boundaries", evidence(planned(tasks(100))), "from 101 agents on"),
    ("scale.infrastructure.agents", evidence(planned(tasks(49))), "from 50 agents on"),
    ("scale.infrastructure.statistics", evidence(LARGE), "from 200 agents on"),
    ("prerequisites.scaling.hierarchy-tested", evidence(planned(tasks(8))), "from 9 agents on"),
    ("success.coordination-ratio", evidence(ONE), "1 agent"),
    ("success.context-use", evidence(THREE, STAGED), "no context to fill"),
]

#: What this version has for nobody, and what a single agent is never asked.
NEVER_DONE = {
    "scale.infrastructure.statistics",
    "success.context-use",
}


def ids() -> list[str]:
    return [f"{section}.{entry.name}" for section, entries in TABLE.items() for entry in entries]


def name_of(row: Row) -> str:
    rule = re.match(r"[A-Z]\d+", row[2])
    return f"{rule.group() if rule else 'state'}-{row[0]}"


def test_the_table_has_every_item_of_the_checklist_once() -> None:
    assert {section.value: len(TABLE[section]) for section in Section} == COUNTS
    assert len(set(ids())) == len(ids()) == 65


def test_every_item_is_tested_for_being_done() -> None:
    assert set(ids()) - {row[0] for row in DONE} == NEVER_DONE


@pytest.mark.parametrize("item_id", ids())
def test_every_item_has_something_that_makes_it_not_done(item_id: str) -> None:
    states = [item(row[1], item_id).state for row in NOT_DONE if row[0] == item_id]

    assert states
    assert set(states) == {ItemState.NOT_DONE}


#: A job of several agents of which nothing is stated but that it works: what it does not say is not done.
SILENT = [
    evidence(planned(tasks(number, domain=None)), a_phase(), a_phase("end", needs=("work",), unstated=("work",),
             unsettled=("work",)), runs=[ran(planned(tasks(number, domain=None)))])
    for number in (3, 12, 60, 240)
]  # fmt: skip


@pytest.mark.parametrize("found", SILENT, ids=lambda found: f"{found.plan.n_agents}-agents")
def test_a_job_that_states_nothing_has_nothing_done_that_would_have_to_be_stated(found: JobEvidence) -> None:
    """What is done is what its plan and its run show, whatever its size."""
    shown = {
        "foundation.regime.count-agents", "foundation.regime.identify", "foundation.regime.select-pattern",
        "foundation.boundaries.map-graph", "foundation.contracts.vocabulary", "foundation.contracts.handoff-format",
        "foundation.contracts.interfaces", "foundation.coordination.orchestrator",
        "foundation.coordination.assignment", "foundation.coordination.status-protocol",
        "foundation.coordination.integration", "optimization.sync.levels", "optimization.visibility.pull-detail",
        "optimization.integration.owners", "resilience.protection.timeouts-and-retries", "scale.infrastructure.state",
        "scale.infrastructure.routing", "scale.federation.contracts", "prerequisites.coordination.single-agent",
        "prerequisites.coordination.monitoring", "prerequisites.scaling.hierarchy-tested",
        "prerequisites.scaling.integration-validated", "prerequisites.scaling.contracts-verified",
        "success.first-try", "success.integration-quality",
    }  # fmt: skip

    assert {one.id for one in checklist(found) if one.state is ItemState.DONE} <= shown


@pytest.mark.parametrize("row", DONE, ids=name_of)
def test_an_item_is_done_with_the_proof_it_names(row: Row) -> None:
    found = item(row[1], row[0])

    assert (found.state, found.fix) == (ItemState.DONE, "")
    assert row[2] in found.proof
    assert re.match(r"[A-Z]\d+: ", found.proof)


@pytest.mark.parametrize("row", NOT_DONE, ids=name_of)
def test_an_item_without_proof_is_not_done_and_says_what_helps(row: Row) -> None:
    found = item(row[1], row[0])

    assert found.state is ItemState.NOT_DONE
    assert row[2] in found.proof
    assert found.fix


@pytest.mark.parametrize("row", NOT_APPLICABLE, ids=name_of)
def test_an_item_that_a_job_does_not_need_says_why(row: Row) -> None:
    found = item(row[1], row[0])

    assert (found.state, found.fix) == (ItemState.NOT_APPLICABLE, "")
    assert row[2] in found.proof


def test_nothing_is_ticked_for_a_job_without_work_and_without_runs() -> None:
    assert [one.id for one in checklist(evidence(NOTHING)) if one.state is ItemState.DONE] == []


@pytest.mark.parametrize(("phases", "words"), [((STAGED,), "echelon run SOURCE"), ((), "write the job in Python")])
def test_without_a_run_the_fix_is_to_make_one(phases: tuple[object, ...], words: str) -> None:
    found = evidence(THREE, *phases)  # pyright: ignore[reportArgumentType]

    assert words in item(found, "foundation.contracts.vocabulary").fix


def test_a_run_that_delivered_nothing_proves_nothing_and_is_named() -> None:
    found = item(evidence(runs=[ran(THREE, status=RunStatus.FAILED)]), "foundation.contracts.vocabulary")

    assert found.state is ItemState.NOT_DONE
    assert found.fix == "see why: echelon show r"


@pytest.mark.parametrize("item_id", ["prerequisites.coordination.single-agent", "success.first-try"])
def test_a_rehearsal_proves_nothing_about_agents(item_id: str) -> None:
    assert item(evidence(rehearsals=(WHOLE,)), item_id).state is ItemState.NOT_DONE


def test_more_coordination_is_on_target_where_so_much_is_usual() -> None:
    """From 51 agents on 30–40 % is the usual band (R4)."""
    view = ran(THREE, coordination_ratio=0.35)

    assert item(evidence(LARGE, runs=[view]), "success.coordination-ratio").state is ItemState.DONE


def test_proofs_stay_short_whatever_things_are_called() -> None:
    long = planned([TaskSpec(id="x" * 5000 + str(n), goal="do", depends_on=()) for n in range(12)])

    assert max(len(one.proof) for one in checklist(evidence(long))) <= MOST_CHARACTERS


@settings(max_examples=40, deadline=None)
@given(labels=label_mixes(most=250), defined=st.booleans(), failing=st.integers(0, 3), recorded=st.booleans())
def test_every_plan_gets_an_answer_to_every_item(
    labels: list[str | None], defined: bool, failing: int, recorded: bool
) -> None:
    made = planned(labelled(labels))
    runs = [ran(made, failing=failing)] if recorded else []
    found = checklist(evidence(made, *([STAGED] if defined else []), runs=runs))

    assert [one.id for one in found] == ids()
    assert all(one.proof and len(one.proof) <= MOST_CHARACTERS for one in found)
    assert all(bool(one.fix) is (one.state is ItemState.NOT_DONE) for one in found)
