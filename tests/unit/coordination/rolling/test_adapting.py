"""R10: what is measured at a sync point is proposed with its reason, or applied to the phases that have not begun."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from echelon import Job
from echelon.coordination.context import RunContext
from echelon.coordination.job_run import run_phases
from echelon.model.errors import InvalidJob
from echelon.model.exception_report import ExceptionReport, Level, Trigger
from echelon.model.organisation import StructureChange, StructureSignal
from echelon.model.run import StepKind
from echelon.runlog.events import ExceptionPushed, PhaseStarted, PlanChangeProposed, PlanExtended
from echelon.testing.runs import a_run, view_so_far
from tests.chaos.jobs.adapting_job import Clock, Numbers, slow_integrations
from tests.unit.coordination.jobs import Watched

pytestmark = pytest.mark.anyio


def outgrown(seen: Watched) -> list[ExceptionReport]:
    return [one.report for one in seen.of(ExceptionPushed) if one.report.trigger is Trigger.OUTGROWN]


async def carried_out(job: Job, home: Path, clock: Clock, inputs: Numbers | None = None) -> tuple[Watched, RunContext]:
    seen = Watched()
    async with a_run(job, home, inputs or Numbers(), watch=seen, now=clock) as run:
        await run_phases(run)
        return seen, run


async def test_a_change_is_proposed_once_with_what_was_measured_and_changes_nothing(tmp_path: Path) -> None:
    clock = Clock()
    seen, run = await carried_out(slow_integrations(clock, "propose"), tmp_path, clock)
    first, *_ = (one.proposal for one in seen.of(PlanChangeProposed))

    assert (first.signal, first.change) == (StructureSignal.WAITING, StructureChange.ADD_LEVEL)
    assert (first.after, first.phases, first.applied) == ("look", ("check", "fix"), False)
    assert first.measured > 0.2
    assert seen.of(PlanExtended) == []
    causes = [(one.proposal.signal, one.proposal.change) for one in seen.of(PlanChangeProposed)]
    assert len(set(causes)) == len(causes)
    reports = outgrown(seen)
    assert [report.message for report in reports] == [one.proposal.said for one in seen.of(PlanChangeProposed)]
    assert {report.level for report in reports} == {Level.WARNING}
    assert view_so_far(run).plan_changes == tuple(one.proposal for one in seen.of(PlanChangeProposed))


async def test_a_run_that_is_told_to_leave_its_structure_says_nothing(tmp_path: Path) -> None:
    clock = Clock()
    seen, _ = await carried_out(slow_integrations(clock, "off"), tmp_path, clock)

    assert seen.of(PlanChangeProposed) == []
    assert outgrown(seen) == []


async def test_integrations_that_are_quick_are_no_reason(tmp_path: Path) -> None:
    clock = Clock()
    seen, _ = await carried_out(slow_integrations(clock, integration_seconds=0.1), tmp_path, clock)

    assert seen.of(PlanChangeProposed) == []


async def test_an_applied_change_holds_for_the_phases_that_have_not_begun(tmp_path: Path) -> None:
    clock = Clock()
    seen, run = await carried_out(slow_integrations(clock), tmp_path, clock)
    before, after = run.spec.plan, seen.state.plan
    proposal = seen.of(PlanChangeProposed)[0].proposal

    assert after is not None
    assert proposal.applied
    assert proposal.span == 3  # six agents reported to one coordinator
    reports = {len(before.nodes[before.nodes[node].parent or ""].members) for node in _agents(run, "check")}
    assert reports == {8}
    assert {len(after.nodes[after.nodes[node].parent or ""].members) for node in _agents(run, "check")} <= {2, 3}
    look = [node for node in before.tree if any(task.startswith("look/") for task in node.members)]
    assert [after.nodes[node.id] for node in look] == look  # nobody at work is moved
    assert view_so_far(run).output == sum(range(8))


async def test_an_applied_change_is_on_record_before_the_phase_begins(tmp_path: Path) -> None:
    clock = Clock()
    seen, _ = await carried_out(slow_integrations(clock), tmp_path, clock)
    kinds = [type(event) for event in seen.events]
    extended = seen.of(PlanExtended)[0]
    second = [index for index, kind in enumerate(kinds) if kind is PhaseStarted][1]

    assert kinds.index(PlanChangeProposed) < kinds.index(PlanExtended) < second
    assert extended.reason == seen.of(PlanChangeProposed)[0].proposal.said
    assert outgrown(seen)[0].level is Level.INFO


async def test_leads_of_a_changed_phase_integrate_side_by_side(tmp_path: Path) -> None:
    clock = Clock()
    seen, _ = await carried_out(slow_integrations(clock), tmp_path, clock)
    state = seen.state

    integrated = {step.node for step in state.steps if step.kind is StepKind.INTEGRATION and step.phase == "check"}
    assert len(integrated) > 2


async def test_where_leads_would_integrate_nothing_the_change_stays_a_proposal(tmp_path: Path) -> None:
    """An integrator without a `combine` integrates at the primary alone: a level more would be of no use."""
    clock = Clock()
    seen, _ = await carried_out(slow_integrations(clock, staged=False), tmp_path, clock)

    assert [one.proposal.applied for one in seen.of(PlanChangeProposed)] == [False]
    assert "once their integrator has a `combine`" in outgrown(seen)[0].message
    assert seen.of(PlanExtended) == []


async def test_one_agent_is_proposed_and_never_applied(tmp_path: Path) -> None:
    clock = Clock()
    seen, _ = await carried_out(slow_integrations(clock), tmp_path, clock, Numbers(first=2, others=2))
    proposed = [one.proposal for one in seen.of(PlanChangeProposed)]

    assert [(one.change, one.applied) for one in proposed] == [(StructureChange.SINGLE_AGENT, False)]


async def test_what_is_measured_behind_the_last_phase_is_for_the_next_run(tmp_path: Path) -> None:
    clock = Clock()
    job = slow_integrations(clock)
    for phase in ("fix", "check"):
        del job.phases[phase]
    seen, _ = await carried_out(job, tmp_path, clock)
    (proposal,) = (one.proposal for one in seen.of(PlanChangeProposed))

    assert (proposal.phases, proposal.applied) == ((), False)
    assert proposal.said.endswith("add level is proposed for the next run")


async def test_a_second_process_decides_nothing_anew(tmp_path: Path) -> None:
    clock = Clock()
    seen, _ = await carried_out(slow_integrations(clock), tmp_path, clock)
    before = seen.state
    again = Watched()
    async with a_run(slow_integrations(clock), tmp_path, Numbers(), watch=again, now=clock) as run:
        spans = run.log.state.spans
        ready = run.spec.replan({}, spans)
        spec = replace(run.spec, plan=ready.plan, expansion=ready.expansion, spans=spans)
        await run_phases(replace(run, spec=spec))

    assert again.of(PlanChangeProposed) == []
    assert again.of(PlanExtended) == []
    assert again.state.plan == before.plan
    assert seen.of(PlanChangeProposed) != []


async def test_a_way_to_adapt_that_is_not_known_is_refused() -> None:
    adapt: Any = "always"

    with pytest.raises(InvalidJob, match="adapt='always' is not known; use one of off, propose, apply"):
        Job("job", goal="Work", adapt=adapt)


async def test_a_consequence_that_is_not_known_is_refused() -> None:
    job = slow_integrations(Clock())
    consequence: Any = "bad"

    with pytest.raises(InvalidJob, match="error_consequence='bad' is not known; use one of minor, significant"):
        job.phase("more", agent=job.phases["look"].agents[0], error_consequence=consequence)


def _agents(run: RunContext, phase: str) -> list[str]:
    plan = run.spec.plan
    return [plan.agent_of[task.id] for task in plan.tasks if task.phase == phase]
