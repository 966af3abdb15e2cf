"""What owners decide and audits find counts in the record of whoever made the result, once (X9, O4, X11)."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import pytest
from pydantic import BaseModel

from echelon import Audit, Autonomy, Brief, Complete, Conflict, Handoffs, Job, Key, Oversight, agent, integrator
from echelon.coordination.autonomy.rulings import ResultName, rulings_of
from echelon.coordination.context import RunContext
from echelon.coordination.job_run import run_phases
from echelon.journal.journal import SqlJournal
from echelon.model.audit.audit import AuditRecord
from echelon.model.autonomy.decisions import AgentAutonomy
from echelon.model.conflicts.conflict import ConflictRecord, Side
from echelon.model.run import RunView
from echelon.runlog.judging.autonomy import autonomy_over_runs
from echelon.runlog.judging.autonomy_events import AutonomyDecided
from echelon.runlog.state import RunState
from echelon.settings import Settings
from echelon.testing.judging_events import audit_record, conflict, settled, verifier_probe
from echelon.testing.runs import a_run, view_so_far

pytestmark = pytest.mark.anyio

ONE, OTHER = ResultName("inspect", "v"), ResultName("report", "v")
MERGED = ResultName("inspect/merge/primary", "v")


def decided(chosen: str = "inspect", *, by: str = "stricter", **changes: Any) -> ConflictRecord:
    how = settled(chosen).model_copy(update={"by": by})
    return conflict().model_copy(update={"settled": how, **changes})


def verdicts(
    conflicts: Sequence[ConflictRecord] = (), audits: Sequence[AuditRecord] = (), *, exposed: str = ""
) -> dict[ResultName, bool | None]:
    state = RunState(
        conflicts={str(number): one for number, one in enumerate(conflicts)},
        audits={str(number): one for number, one in enumerate(audits)},
        probes={exposed: verifier_probe(exposed)} if exposed else {},
    )
    rulings = rulings_of(state)
    return {name: rulings.of(name) for name in (ONE, OTHER, MERGED) if rulings.of(name) is not None}


@pytest.mark.parametrize(
    ("conflicts", "known"),
    [
        ([decided()], {ONE: True, OTHER: False}),
        ([conflict()], {}),  # nothing decides
        ([decided(chosen="")], {}),  # nobody could tell
        ([decided(), decided("report")], {ONE: False, OTHER: False}),  # each lost once, and is wrong once
        ([decided(), decided()], {ONE: True, OTHER: False}),
    ],
)
def test_who_lost_is_wrong_and_who_was_chosen_is_right(
    conflicts: list[ConflictRecord], known: dict[ResultName, bool]
) -> None:
    assert verdicts(conflicts) == known


@pytest.mark.parametrize(
    ("result", "checked", "right"),
    [
        (OTHER, True, False),  # a loss overrides an acceptance by a check
        (ONE, False, False),  # who was chosen was judged by its check already
        (ONE, None, True),
        (MERGED, None, None),
    ],
)
def test_what_checks_say_stands_unless_an_owner_decided_for_another(
    result: ResultName, checked: bool | None, right: bool | None
) -> None:
    assert rulings_of(RunState(conflicts={"x": decided()})).of(result, checked) is right


@pytest.mark.parametrize(
    ("audits", "right"),
    [
        ([audit_record()], False),
        ([audit_record(verdict="accepted", findings=())], True),
        ([audit_record(verdict="unverifiable", findings=())], None),
        ([audit_record(verdict="error", findings=())], None),
        ([audit_record(), audit_record(verdict="accepted", findings=())], False),
    ],
)
def test_an_integration_is_what_its_audit_says(audits: list[AuditRecord], right: bool | None) -> None:
    assert verdicts(audits=audits) == ({} if right is None else {MERGED: right})


def test_verdicts_of_who_accepts_whatever_it_is_given_count_for_nobody() -> None:
    accepted = audit_record(verdict="accepted", findings=(), by=("stamp",))

    assert verdicts([decided(by="stamp")], [accepted], exposed="stamp") == {}


def test_a_round_that_went_back_and_forth_is_never_right_and_who_only_agrees_is_judged_as_well() -> None:
    sides = tuple(
        Side(task_id="inspect", round=number, producer="a", version=f"v{number}", says={}, agrees=agrees)
        for number, agrees in ((1, ()), (2, ("report",)))
    )
    found = conflict().conflict.model_copy(update={"sides": sides})
    rulings = rulings_of(RunState(conflicts={"x": decided("inspect@1", conflict=found, versions={"report": "w"})}))

    assert (rulings.chosen, rulings.lost) == (
        frozenset(),
        {ResultName("inspect", "v2"), ResultName("report", "w")},
    )


class Risk(BaseModel):
    file: Annotated[str, Key()]
    level: int


class Risks(BaseModel):
    risks: Annotated[list[Risk], Complete()]


@agent
async def mild(brief: Brief) -> Risk:
    """Look."""
    return Risk(file="a.py", level=1)


@agent
async def strict(brief: Brief) -> Risk:
    """Look, too."""
    return Risk(file="a.py", level=2)


@integrator
async def merge(found: Handoffs[Risk]) -> Risks:
    """Put together."""
    return Risks(risks=[one.load() for one in found if not one.handoff.overruled])


@integrator
async def lose(found: Handoffs[Risk]) -> Risks:
    """Lose everything."""
    return Risks(risks=[])


def stricter(conflict: Conflict) -> str:
    """The higher level counts."""
    return max(conflict.sides, key=lambda side: side.says["level"]).name


def is_risk(output: Risk) -> bool:
    return output.level > 0


def a_job(integrate: Any = None, *, success: Any = (), settle: Any = stricter) -> Job:
    job = Job("audit", goal="Find risks", oversight=Oversight(settle=settle, autonomy=Autonomy(), audit=Audit()))
    job.phase("look", agents=[mild, strict], integrate=integrate, success=success)
    return job


@agent
async def rate(name: str) -> Risk:
    """Rate a file."""
    return Risk(file=name, level=1)


def wide(**more: Any) -> Job:
    """As many agents as it takes that integrations are audited, and verifiers are tried."""
    oversight = Oversight(verify=more.pop("verify", None), autonomy=Autonomy(), audit=Audit())
    job = Job("audit", goal="Find risks", oversight=oversight)
    job.phase("rate", each=rate, over=lambda: [f"n{number}" for number in range(12)], **more)
    return job


def side_by_side() -> Job:
    @agent
    async def both(one: Handoffs[Risk], other: Handoffs[Risk]) -> int:
        """Report."""
        return len(one) + len(other)

    job = Job("audit", goal="Find risks", oversight=Oversight(settle=stricter, autonomy=Autonomy()))
    job.phase("one", agent=mild, success=[is_risk])
    job.phase("other", agent=strict)
    job.phase("report", agent=both, needs=["one", "other"])
    return job


async def carried_out(job: Job, home: Path, run_id: str = "run") -> RunView:
    async with a_run(job, home, run_id=run_id) as run:
        await run_phases(run)
        return view_so_far(run)


def records(agents: Sequence[AgentAutonomy]) -> dict[str, tuple[int, int]]:
    return {one.agent: (sum(one.now.right), sum(one.now.wrong)) for one in agents}


@pytest.mark.parametrize("success", [(), [is_risk]])
async def test_a_result_that_lost_is_wrong_whatever_its_check_said_and_counts_once(
    tmp_path: Path, success: Any
) -> None:
    once = await carried_out(a_job(success=success), tmp_path)
    again = await carried_out(a_job(success=success), tmp_path)

    assert records(once.autonomy) == {"mild": (0, 1), "strict": (1, 0)}
    assert again.autonomy == once.autonomy


async def test_where_nobody_decides_nobody_is_wrong(tmp_path: Path) -> None:
    view = await carried_out(a_job(settle=None), tmp_path)

    assert records(view.autonomy) == {"mild": (0, 0), "strict": (0, 0)}


async def test_who_integrates_has_a_record_over_the_runs_of_its_job_as_others_have(tmp_path: Path) -> None:
    for run_id in ("r1", "r2"):
        view = await carried_out(wide(integrate=merge), tmp_path, run_id)
    async with SqlJournal.open(Settings(home=tmp_path)) as journal:
        agents = autonomy_over_runs(await journal.autonomy_decided("audit"), await journal.concerns(job="audit"))

    assert records(agents) == {"merge": (2 * len(view.audits), 0), "rate": (0, 0)}
    assert len(view.audits) > 0


async def test_an_integration_that_an_audit_rejects_is_wrong_for_who_integrated(tmp_path: Path) -> None:
    view = await carried_out(wide(integrate=lose), tmp_path)

    assert records(view.autonomy) == {"lose": (0, len(view.audits)), "rate": (0, 0)}
    assert {one.verdict for one in view.audits} == {"rejected"}


async def test_a_person_is_asked_about_who_integrated_wrongly_in_earlier_runs(tmp_path: Path) -> None:
    first, second = [await carried_out(wide(integrate=lose), tmp_path, run_id) for run_id in ("r1", "r2")]
    asked = [
        [said for one in view.concerns for said in one.concern.evidence if " by lose: " in said]
        for view in (first, second)
    ]

    assert (asked[0], len(asked[1])) == ([], len(second.audits))
    assert "the record of its agent says" in asked[1][0]


async def test_what_is_decided_between_phases_counts_in_the_records_of_both(tmp_path: Path) -> None:
    once = await carried_out(side_by_side(), tmp_path)
    again = await carried_out(side_by_side(), tmp_path)

    assert records(once.autonomy) == {"both": (0, 0), "mild": (0, 1), "strict": (1, 0)}
    assert again.autonomy == once.autonomy
    assert [record.id for record in again.concerns] == [record.id for record in once.concerns]


def stamp(output: Risk) -> bool:
    return bool(output.file)


async def decided_in(run: RunContext) -> list[AutonomyDecided]:
    events = [entry.event for entry in await run.log.journal.events(run.spec.run_id)]
    return [event for event in events if isinstance(event, AutonomyDecided)]


async def test_what_a_rubber_stamp_accepted_counts_for_nobody_once_it_is_exposed(tmp_path: Path) -> None:
    async with a_run(wide(verify=stamp), tmp_path) as run:
        await run_phases(run)
        accepted, exposed, view = run.log.state.steps, run.log.state.probes["stamp"].is_exposed, view_so_far(run)

    assert exposed
    assert any(one.handoff.verification and one.handoff.verification.result == "accepted" for one in accepted)
    assert records(view.autonomy) == {"rate": (0, 0)}


async def test_what_it_accepted_in_phases_before_counts_no_more_either(tmp_path: Path) -> None:
    job = Job("audit", goal="Find risks", oversight=Oversight(verify=stamp, autonomy=Autonomy()))
    job.phase("few", agents=[mild])
    job.phase("many", each=rate, over=lambda: [f"n{number}" for number in range(12)], needs="few")
    async with a_run(job, tmp_path) as run:
        await run_phases(run)
        counted = [
            sum(one.own.right) for event in await decided_in(run) for one in event.standings if one.agent == "mild"
        ]

    assert counted == [1, 0]
