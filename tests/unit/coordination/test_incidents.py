"""Failures with one upstream cause are one incident, and the rest of the tree goes on (F6)."""

from dataclasses import replace
from pathlib import Path

import pytest

from echelon import AgentFailed, Budget, Handoffs, Job, Resilience, agent
from echelon.agents.fallback import Fallback
from echelon.coordination.job_run import run_phases
from echelon.model.errors import DependencyFailed
from echelon.model.exception_report import Level, Trigger
from echelon.model.incident import Incident
from echelon.model.run import StepRecord
from echelon.runlog.incidents import incidents_of
from echelon.testing.runs import a_run, view_so_far
from echelon.visibility.report import default_report
from tests.unit.coordination.jobs import (
    ONCE,
    Item,
    Items,
    items,
    look,
    looking,
    of_domain,
    on_record,
    output_of,
    staged,
)

pytestmark = pytest.mark.anyio


@agent(breaker="provider")
async def ask(item: Item) -> str:
    """Ask a provider that is down for some."""
    if item.fails:
        raise DependencyFailed(f"no answer for {item.id}", passing=True)
    return item.id


@agent
async def conclude(look: Handoffs[str]) -> int:
    """Count."""
    return len(look)


async def test_one_cause_is_told_loudly_once_however_many_it_hits(tmp_path: Path) -> None:
    """A provider is down for two of three domains: first some fail, then its breaker refuses the others."""
    given = items(10, 10, 10, failing=frozenset(range(20)))
    async with a_run(looking(each=ask, integrate=staged), tmp_path, given) as run:
        await run_phases(run)
        reports = (await on_record(run)).exceptions
        found = incidents_of(await run.log.journal.steps(run.spec.run_id), run.spec.plan)

    assert len(found) == 1
    incident = found[0]
    assert incident.cause.startswith("provider is not available")
    assert set(incident.failed) >= {f"look/i{n}" for n in range(20)}
    assert incident.domains[:2] == ("d0", "d1")
    assert incident.within[0] == run.spec.plan.primary.id
    loud = [report for report in reports if report.level is Level.CRITICAL]
    assert [(report.trigger, report.message) for report in loud] == [(Trigger.INCIDENT, incident.message)]
    assert sum(report.trigger in (Trigger.FAILED, Trigger.BLOCKED) for report in reports) == 1


async def test_every_failure_of_an_incident_stays_on_record(tmp_path: Path) -> None:
    async with a_run(looking(each=ask), tmp_path, items(20, failing=frozenset(range(20)))) as run:
        await run_phases(run)
        on_record = await run.log.journal.steps(run.spec.run_id)

    assert len([step for step in on_record if step.handoff.error]) == 20


async def test_failures_that_share_nothing_are_no_incident(tmp_path: Path) -> None:
    async with a_run(looking(), tmp_path, items(4, failing=frozenset({1, 2}))) as run:
        await run_phases(run)

    assert incidents_of(run.log.state.steps, run.spec.plan) == ()
    assert [report.level for report in run.log.state.exceptions] == [Level.WARNING, Level.WARNING]


async def test_those_who_wait_in_vain_belong_to_what_they_wait_for(tmp_path: Path) -> None:
    """Two phases behind one that failed, and one beside it that did not: reach and containment."""
    job = looking()
    job.phase("beside", each=replace(look, name="beside"), over=_well, domain=of_domain)
    job.phase("conclude", agent=conclude, needs="look")
    job.phase("end", agent=_end, needs="conclude")
    async with a_run(job, tmp_path, items(3, failing=frozenset({0, 1, 2}))) as run:
        await run_phases(run)

    (incident,) = incidents_of(run.log.state.steps, run.spec.plan)
    assert incident.cause == "phase 'look' delivered nothing"
    assert incident.failed == ("look/i0", "look/i1", "look/i2")
    assert incident.blocked == ("conclude/conclude", "end/end")
    assert (incident.went_on, incident.domains[0]) == (3, "d0")
    assert [report.trigger for report in run.log.state.exceptions if report.level is Level.CRITICAL] == [
        Trigger.INCIDENT
    ]
    assert "3 tasks failed, 2 not started" in incident.message


async def test_an_incident_that_reaches_further_is_told_once_more_at_the_end_and_without_another_alarm(
    tmp_path: Path,
) -> None:
    job = looking(each=ask)
    job.phase("conclude", agent=conclude, needs="look")
    job.phase("end", agent=_end, needs="conclude")
    async with a_run(job, tmp_path, items(3, failing=frozenset({0, 1, 2}))) as run:
        await run_phases(run)
        told = [one for one in (await on_record(run)).exceptions if one.trigger is Trigger.INCIDENT]

    assert [one.level for one in told] == [Level.CRITICAL, Level.WARNING]
    assert "3 tasks failed in 1 domain" in told[0].message
    assert told[1].message.startswith("an incident has grown since it was reported: ")
    assert "3 tasks failed, 2 not started" in told[1].message


async def test_an_incident_that_stays_where_it_is_is_told_once(tmp_path: Path) -> None:
    job = looking(each=ask)
    job.phase("beside", each=replace(look, name="beside"), over=_well, domain=of_domain)
    async with a_run(job, tmp_path, items(3, failing=frozenset({0, 1, 2}))) as run:
        await run_phases(run)

    assert [one.level for one in run.log.state.exceptions if one.trigger is Trigger.INCIDENT] == [Level.CRITICAL]


def _well(items: tuple[Item, ...]) -> list[Item]:
    return [item.model_copy(update={"fails": False}) for item in items]


@agent(name="end")
async def _end(conclude: Handoffs[int]) -> int:
    return len(conclude)


async def test_what_a_fallback_replaced_is_contained_and_still_an_incident(tmp_path: Path) -> None:
    @agent
    async def other(item: Item) -> str:
        return "other"

    given = items(6, failing=frozenset(range(6)))
    async with a_run(looking(each=ask, fallback=other), tmp_path, given) as run:
        await run_phases(run)

        assert set(output_of(run).values()) == {"other"}
    (incident,) = incidents_of(run.log.state.steps, run.spec.plan)
    assert len(incident.replaced) == len(incident.failed) == 6
    assert "6 replaced by a fallback" in incident.containment


async def test_a_task_that_is_delivered_when_the_run_is_gone_on_with_is_lost_no_more(tmp_path: Path) -> None:
    broken = [True]

    @agent(breaker="provider")
    async def sometimes(item: Item) -> str:
        if broken[0]:
            raise DependencyFailed("down")
        return item.id

    found: tuple[Incident, ...] | None = None
    for _ in range(2):
        async with a_run(looking(each=sometimes), tmp_path, items(3)) as run:
            await run_phases(run)
            found = incidents_of(run.log.state.steps, run.spec.plan)
        broken[0] = False

    assert found == ()


async def test_a_report_tells_incidents_and_what_stands_in(tmp_path: Path) -> None:
    given = items(6, failing=frozenset(range(6)))
    async with a_run(looking(each=ask, fallback=Fallback.default("?")), tmp_path, given) as run:
        await run_phases(run)
        made = default_report(view_so_far(run))

    assert "6 tasks failed in 1 domain (d0)" in made["report.md"]
    assert "instead: the default value" in made["report.md"]
    assert '<h2 id="incidents">' in made["report.html"]


async def test_a_report_says_one_cause_once_and_folds_whom_it_hit(tmp_path: Path) -> None:
    """Thirty rows of one text hid what else there was."""
    given = items(30, failing=frozenset(range(30)))
    async with a_run(looking(fallback=Fallback.default("?")), tmp_path, given) as run:
        await run_phases(run)
        view = view_so_far(run)
        made = default_report(view)

    missing, exceptions = (made["report.html"].partition(f'id="{part}"')[2].partition("<h2")[0] for part in PARTS)
    assert missing.count("<tr><td") == exceptions.count("<tr><td") == 1
    first = view.missing[0].task_id
    assert f"30 agents\n<details><summary>{first} and 29 more</summary>" in missing
    assert "instead: the default value" in missing
    assert missing.count("<li>look/i") == 30
    assert "and 29 more" in exceptions
    assert made["report.md"].count("cannot be read") == 2
    assert "<details><summary>30 agents</summary>`look/i" in made["report.md"]


PARTS = ("missing", "exceptions")


async def test_a_report_marks_what_stands_in_where_the_output_is_read(tmp_path: Path) -> None:
    given, fallback = items(3, failing=frozenset({1})), Fallback.default("?")
    parts = looking(fallback=fallback)
    whole = looking(fallback=fallback, integrate=staged)
    for number, (job, html, markdown) in enumerate(
        [
            (
                parts,
                'look/i1<div class="muted">stands in: the default value</div></td><td>?',
                "(stands in: the default",
            ),
            (whole, "<li>look/i1: the default value</li>", "made of</summary>`look/i1`: the default value"),
        ]
    ):
        async with a_run(job, tmp_path / str(number), given) as run:
            await run_phases(run)
            made = default_report(view_so_far(run))

        result = made["report.html"].partition('id="result"')[2].partition("<h2")[0]
        assert (html in result, markdown in made["report.md"]) == (True, True)


def test_steps_without_a_plan_can_be_asked_too() -> None:
    none: tuple[StepRecord, ...] = ()

    assert incidents_of(none, None) == ()


async def test_a_budget_that_is_used_up_is_one_incident(tmp_path: Path) -> None:
    job = Job("poor", goal="Look", inputs=Items, defaults=Resilience().over(ONCE), budget=Budget(calls=2))
    job.phase("look", each=look, over=lambda items: items, domain=of_domain)
    async with a_run(job, tmp_path, items(6)) as run:
        await run_phases(run)

    (incident,) = incidents_of(run.log.state.steps, run.spec.plan)
    assert incident.cause.startswith("a budget is used up")
    assert (len(incident.failed), incident.went_on) == (4, 2)


async def test_an_agent_that_says_itself_that_it_cannot_blames_no_dependency(tmp_path: Path) -> None:
    @agent(breaker="provider")
    async def cannot(item: Item) -> str:
        if item.fails:
            raise AgentFailed(f"cannot do {item.id}")
        raise DependencyFailed("down")

    async with a_run(looking(each=cannot), tmp_path, items(6, failing=frozenset({0, 1, 2}))) as run:
        await run_phases(run)

    assert [one.cause.partition(" (")[0] for one in incidents_of(run.log.state.steps, run.spec.plan)] == [
        "AgentFailed at provider",
        "provider is not available",
    ]
