"""`echelon checklist` on a job that really ran, without Prefect: what its journal proves is ticked, the rest is not."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel, Field, field_validator

from echelon import AgentFailed, Concern, Handoffs, Outcome, agent, command, integrator
from echelon.agents.fallback import Fallback
from echelon.cli.checklist import RUNS_READ, checklist
from echelon.coordination.job_run import run_phases
from echelon.coordination.result import status_after
from echelon.definition.checklist_facts import evidence_of
from echelon.definition.graphs.graph_job import job_name, rehearsal_name
from echelon.definition.need import Need
from echelon.definition.rehearsal import REHEARSAL_SOURCE, Rehearsal, RehearsalJob
from echelon.job import Job
from echelon.journal.journal import SqlJournal
from echelon.model.concern import Disposition
from echelon.model.graph import TaskGraph
from echelon.model.run import RunRecord
from echelon.planning.planner import plan
from echelon.runlog.events import ConcernDisposed, RunEnded, RunStarted
from echelon.settings import Settings
from echelon.testing.runs import a_run
from echelon.visibility.checklist.answers import ChecklistItem, ItemState
from echelon.visibility.checklist.evidence import AgentKind
from echelon.visibility.checklist.items import checklist as answered
from echelon.visibility.history import History, view_runs
from tests.unit.cli.conftest import RUN_ID, STARTED, survey_plan
from tests.unit.coordination.jobs import Item, Items, items, looking, staged, total

NONE = History(runs=(), rehearsals=())
TWELVE = items(6, 6)

JOB = '''
from echelon import Handoffs, Job, agent, integrator

@agent
async def look(n: int) -> str:
    """Look."""
    return str(n)

@integrator
async def total(seen: Handoffs[str]) -> str:
    """Add up."""
    return str(len(seen.outputs()))

survey = Job("survey", goal="Look around", constraints=("Be brief.",))
survey.phase("look", each=look, over=lambda: [1, 2, 3], integrate=total, seconds=1)
'''

GRAPH = {
    "name": "sky map",
    "goal": "Map",
    "tasks": [
        {"id": "a", "goal": "look", "tokens": 90_000, "contract": "Look@1"},
        {"id": "b", "goal": "add up", "tokens": 90_000, "depends_on": [{"task": "a"}]},
        {"id": "c", "goal": "add up", "tokens": 90_000, "depends_on": [{"task": "a"}]},
    ],
}


class Doubtful:
    """An agent that doubts the first item, and fails for the second until it is repaired."""

    def __init__(self) -> None:
        self.repaired = False
        doubtful = self

        @agent
        async def look(item: Item) -> Outcome[str]:
            """Look at an item."""
            if item.id == "i1" and not doubtful.repaired:
                raise AgentFailed("it cannot be read")
            doubts = (Concern(about=item.id, message="odd", confidence=0.2, impact=0.9),) if item.id == "i0" else ()
            return Outcome(output=item.id, concerns=doubts)

        self.agent = look


async def carry_out(job: Job, home: Path, given: Items, run_id: str = "run") -> None:
    """Run a job on a real journal, and put its end on record as the engine does."""
    async with a_run(job, home, given, run_id=run_id) as run:
        delivered = await run_phases(run)
        end = run.now()
        await run.log.append(RunEnded(run_id=run_id, at=end, status=status_after(delivered), finished=end))


async def read_job(journal: SqlJournal, job: str) -> History:
    """Read what a journal knows of a job, as the command does."""
    return await view_runs(journal, job, rehearsal_name(job), REHEARSAL_SOURCE, RUNS_READ)


async def read(job: Job, home: Path) -> History:
    """Read what the journal knows of a job."""
    async with SqlJournal.open(Settings(home=home)) as journal:
        return await read_job(journal, job.name)


def answers(job: Job, given: Items, recorded: History) -> dict[str, ChecklistItem]:
    """Answer the checklist by id."""
    return {
        item.id: item for item in answered(evidence_of(job, job.plan_for(given), recorded.runs, recorded.rehearsals))
    }


def states(found: dict[str, ChecklistItem], *ids: str) -> list[str]:
    return [found[item_id].state.value for item_id in ids]


@pytest.mark.anyio
async def test_a_run_without_trouble_proves_what_it_shows_and_no_more(tmp_path: Path) -> None:
    job = looking(integrate=staged)
    before = answers(job, TWELVE, NONE)
    await carry_out(job, tmp_path, TWELVE)
    found = answers(job, TWELVE, await read(job, tmp_path))

    proven = (
        "foundation.contracts.handoff-format",
        "success.integration-quality",
        "prerequisites.scaling.hierarchy-tested",
    )
    assert states(before, *proven) == ["not_done"] * 3
    assert states(found, *proven) == ["done"] * 3
    assert "run run kept version 1.8" in found["foundation.contracts.handoff-format"].proof
    assert "integrated in stages" in found["optimization.visibility.aggregation"].proof
    unseen = ("resilience.tests.agent-failure", "resilience.tests.recovery", "resilience.verification.concerns")
    assert states(found, *unseen) == ["not_done"] * 3


@pytest.mark.anyio
async def test_a_failure_that_is_made_good_by_a_resume_is_proof_of_resilience(tmp_path: Path) -> None:
    doubtful = Doubtful()
    job = looking(each=doubtful.agent, integrate=staged)
    await carry_out(job, tmp_path, TWELVE)
    partial = answers(job, TWELVE, await read(job, tmp_path))
    doubtful.repaired = True
    await carry_out(job, tmp_path, TWELVE)
    whole = answers(job, TWELVE, await read(job, tmp_path))

    tried = ("resilience.tests.agent-failure", "resilience.tests.missing-outputs")
    assert states(partial, *tried) == ["done"] * 2
    assert states(partial, "resilience.protection.fallbacks") == ["not_done"]
    assert (
        "in run run domain:d0, domain:d1, primary continued without 1 output"
        in partial["resilience.protection.fallbacks"].fix
    )
    assert states(partial, "resilience.tests.recovery") == ["not_done"]
    assert states(whole, "resilience.tests.recovery", "optimization.visibility.exceptions") == ["done"] * 2
    assert "look/i1: it cannot be read" in whole["optimization.visibility.exceptions"].proof


@pytest.mark.anyio
async def test_a_concern_proves_the_way_up_only_when_somebody_ended_it(tmp_path: Path) -> None:
    job = looking(each=Doubtful().agent, integrate=total)
    await carry_out(job, tmp_path, TWELVE)
    open_ = answers(job, TWELVE, await read(job, tmp_path))
    async with SqlJournal.open(Settings(home=tmp_path)) as journal:
        raised = (await journal.concerns("run"))[0].id
        end = Disposition(verdict="accepted", author="Ann", reason="known", at=STARTED)
        await journal.append(ConcernDisposed(run_id="run", at=STARTED, concern_id=raised, disposition=end))
    ended = answers(job, TWELVE, await read(job, tmp_path))

    ids = (
        "resilience.verification.concerns",
        "resilience.tests.escalation",
        "prerequisites.coordination.human-oversight",
    )
    assert states(open_, *ids) == ["done", "not_done", "not_done"]
    assert raised in open_["resilience.tests.escalation"].fix
    assert states(ended, *ids) == ["done"] * 3


@agent
async def stands_by(item: Item) -> str:
    """Look instead."""
    return item.id


@agent
async def conclude(look: Handoffs[str]) -> int:
    """Count."""
    return len(look)


def test_a_need_without_a_fallback_is_named_though_another_has_one() -> None:
    job = looking()
    job.phase("conclude", agent=conclude, needs="look")
    job.phase("again", agent=conclude, needs=Need("look", fallback=Fallback.last_good()))
    found = answers(job, TWELVE, NONE)

    assert states(found, "resilience.protection.fallbacks") == ["not_done"]
    assert "F2: 1 need without a fallback: conclude → look" in found["resilience.protection.fallbacks"].proof
    assert "not said how tight: conclude → look" in found["foundation.boundaries.identify-dependencies"].proof


class Sized(BaseModel):
    number: int = Field(ge=0)


class Odd(BaseModel):
    number: int

    @field_validator("number")
    @classmethod
    def is_odd(cls, number: int) -> int:
        assert number % 2
        return number


@pytest.mark.parametrize(
    ("made", "state", "part"),
    [
        pytest.param(int, "not_done", "a return type alone", id="C5-type"),
        pytest.param(Sized, "done", "conclude → number", id="C5-bound"),
        pytest.param(Odd, "done", "conclude → is_odd", id="C5-validator"),
        pytest.param(Path, "not_done", "a return type alone", id="C5-validated-by-pydantic-itself"),
        pytest.param(dict, "not_done", "may deliver anything", id="C5-whatever"),
        pytest.param(dict[str, Any], "not_done", "may deliver anything", id="C5-a-container-of-whatever"),
    ],
)
def test_what_is_good_enough_is_said_by_more_than_a_type(made: Any, state: str, part: str) -> None:
    def put_together(parts: Any) -> Any:
        """Put together."""

    put_together.__annotations__ = {"parts": Handoffs[str], "return": made}
    found = answers(looking(integrate=integrator(name="conclude")(put_together)), TWELVE, NONE)
    quality = found["optimization.integration.quality-criteria"]

    assert (quality.state, part in quality.proof) == (state, True)


def test_fallbacks_that_are_stated_are_proof_without_any_run() -> None:
    job = looking(fallback=[stands_by, Fallback.skip("seen twice")])
    job.phase("conclude", agent=conclude, needs=Need("look", fallback=Fallback.last_good()))
    item = next(
        one for one in answered(evidence_of(job, job.plan_for(TWELVE))) if one.id == "resilience.protection.fallbacks"
    )

    assert item.state is ItemState.DONE
    assert item.proof.startswith("F2: 3 fallbacks stated: look → agent (stands_by), look → skip (seen twice), look → ")


@pytest.mark.parametrize("name", ["sky map", "-sky", "x" * 80, "sky " * 40])
@pytest.mark.anyio
async def test_the_rehearsal_of_a_graph_is_found_whatever_the_graph_is_called(tmp_path: Path, name: str) -> None:
    graph = TaskGraph.model_validate(GRAPH | {"name": name})
    rehearsed = RehearsalJob.of(plan(graph), Rehearsal())
    async with SqlJournal.open(Settings(home=tmp_path)) as journal:
        record = RunRecord(
            run_id="try", job=rehearsed.name, source=REHEARSAL_SOURCE, inputs={}, status="running", started=STARTED
        )
        await journal.append(RunStarted(run_id="try", at=STARTED, record=record))
        found = await read_job(journal, job_name(graph))

    assert [run.record.run_id for run in found.rehearsals] == ["try"]


@pytest.mark.anyio
async def test_runs_of_other_jobs_prove_nothing_and_rehearsals_are_kept_apart(tmp_path: Path) -> None:
    job = looking(integrate=total)
    await carry_out(looking(name="other"), tmp_path, TWELVE, run_id="theirs")
    async with SqlJournal.open(Settings(home=tmp_path)) as journal:
        rehearsal = RunRecord(
            run_id="try", job="looking-rehearsal", source=REHEARSAL_SOURCE, inputs={}, status="running", started=STARTED
        )
        await journal.append(RunStarted(run_id="try", at=STARTED, record=rehearsal))
    found = await read(job, tmp_path)

    assert found.runs == ()
    assert [run.record.run_id for run in found.rehearsals] == ["try"]


def test_the_definition_is_told_with_what_each_call_inherits() -> None:
    job = looking(integrate=staged)
    job.phase("list", agent=command(["ls"], timeout=7), needs="look")
    phases = evidence_of(job, job.plan_for(TWELVE)).phases

    assert [(phase.name, phase.needs, bool(phase.merger), bool(phase.combiner)) for phase in phases] == [
        ("look", (), True, True),
        ("list", ("look",), False, False),
    ]
    calls = [phase.agents[0] for phase in phases]
    assert [(call.kind, call.contract) for call in calls] == [(AgentKind.FUNCTION, "str"), (AgentKind.COMMAND, "str")]
    assert [(call.policy.timeout_seconds, call.policy.attempts) for call in calls] == [(300, 1), (7, 1)]


@pytest.fixture
def source(tmp_path: Path, importing: None, home: Path) -> str:
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "checked_survey.py").write_text(JOB, encoding="utf-8")
    return f"{folder / 'checked_survey.py'}:survey"


def test_the_document_has_every_item_with_its_state_and_proof(source: str, capsys: pytest.CaptureFixture[str]) -> None:
    code = checklist(source, as_json=True)
    document = json.loads(capsys.readouterr().out)

    assert code == 0
    assert (document["job"], document["runs"], len(document["items"])) == ("survey", [], 65)
    assert document["items"][0] == {
        "id": "foundation.regime.count-agents",
        "phase": "foundation",
        "text": "The number of agents that the work asks for is known.",
        "state": "done",
        "proof": "R1: 3 agents for 3 tasks",
        "fix": "",
    }
    assert sum(document["counts"].values()) == 65


def test_people_see_marks_by_section_and_a_line_of_counts(source: str, capsys: pytest.CaptureFixture[str]) -> None:
    checklist(source)
    said = capsys.readouterr().out

    for words in ("Foundation: ", "Success: ", "✓", "✗", "–", "→ run it once", "65 items: "):
        assert words in said


def test_runs_of_the_same_name_are_read_from_the_journal(
    source: str, survey: object, capsys: pytest.CaptureFixture[str]
) -> None:
    checklist(source, as_json=True)
    document = json.loads(capsys.readouterr().out)
    found = {item["id"]: item for item in document["items"]}

    assert document["runs"] == [RUN_ID]
    assert "1 agent failed and 2 of 3 delivered" in found["resilience.tests.agent-failure"]["proof"]
    assert found["success.first-try"]["fix"] == f"see why: echelon show {RUN_ID}"
    assert survey_plan().n_agents == 4


def test_a_task_graph_is_judged_by_its_tasks(home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "sky.json"
    file.write_text(json.dumps(GRAPH), encoding="utf-8")
    checklist(str(file), as_json=True)
    found = {item["id"]: item for item in json.loads(capsys.readouterr().out)["items"]}

    assert found["foundation.contracts.interfaces"]["state"] == ItemState.DONE
    assert "2 results that nothing uses: b, c" in found["foundation.coordination.integration"]["proof"]
    assert "write the job in Python" in found["success.first-try"]["fix"]


def test_span_and_priority_are_those_of_the_plan(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "sky.json"
    many = [{"id": f"t{i}", "goal": "look"} for i in range(30)]
    file.write_text(json.dumps(GRAPH | {"tasks": many}), encoding="utf-8")
    checklist(str(file), span=4, priority="resilience", as_json=True)
    proofs = " ".join(item["proof"] for item in json.loads(capsys.readouterr().out)["items"])

    assert "(span 4)" in proofs
    assert "30 agents make a federated structure" in proofs


def test_an_empty_journal_has_no_runs_of_any_job(home: Path) -> None:
    assert asyncio.run(read(looking(), home)) == NONE
