"""`echelon measures`: bands, the account, and the runs of a job beside one another."""

import asyncio
import json
from datetime import timedelta

import pytest

from echelon.journal.journal import SqlJournal
from echelon.journal.outputs import OutputStore
from echelon.model.run import RunRecord, RunStatus
from echelon.model.usage import Usage
from echelon.runlog.events import PhaseEnded, PhaseStarted, RunEnded, RunEvent, RunStarted, StepEnded
from echelon.settings import Settings
from tests.unit.cli.conftest import STARTED, step, survey_plan

SIZES = {"fleet-1": 1, "fleet-2": 2, "fleet-3": 4, "fleet-4": 8}


@pytest.fixture
def fleet(home):
    """Put four runs on record: one agent at a time, then two, four and eight, each faster than the one before."""

    async def write() -> None:
        settings = Settings()
        async with SqlJournal.open(settings) as journal:
            for place, (run_id, agents) in enumerate(SIZES.items()):
                async with journal.holding(run_id, 30, start=begun(run_id, place)):
                    await journal.append(*what_happened(OutputStore(settings.outputs_url), run_id, place, agents))

    asyncio.run(write())


def begun(run_id: str, place: int) -> RunStarted:
    started = STARTED + timedelta(hours=place)
    record = RunRecord(
        run_id=run_id, job="fleet", source="f", inputs={}, status=RunStatus.RUNNING, started=started, plan=survey_plan()
    )
    return RunStarted(run_id=run_id, at=started, record=record, single=run_id == "fleet-1")


def what_happened(store: OutputStore, run_id: str, place: int, agents: int) -> list[RunEvent]:
    """Eight tasks of 10 s each, so many at a time: in eight, four, two rounds, or all at once."""
    started = STARTED + timedelta(hours=place)
    events: list[RunEvent] = [PhaseStarted(run_id=run_id, at=started, phase="look", expected=8)]
    for number in range(8):
        record = step(store, f"look/{number}", output=number)
        began = started + timedelta(seconds=10 * (number // agents))
        usage = Usage(calls=1, seconds=10, tokens_in=100 * agents)
        fields = {"node": f"n{number % agents}", "run_id": run_id, "started": began}
        handoff = record.handoff.model_copy(update={"usage": usage})
        ended = began + timedelta(seconds=10)
        record = record.model_copy(update={**fields, "finished": ended, "handoff": handoff})
        events.append(StepEnded(run_id=run_id, at=ended, record=record))
    end = events[-1].at
    events.append(PhaseEnded(run_id=run_id, at=end, phase="look"))
    events.append(RunEnded(run_id=run_id, at=end, status=RunStatus.COMPLETED, finished=end))
    return events


def by_id(document):
    return {one["id"]: one for one in document["graded"]}


def test_a_run_is_held_against_the_single_agent_and_against_fewer(echelon, fleet):
    document = json.loads(echelon("measures", "fleet-4", "--json").out)
    measures = by_id(document)

    assert list(measures) == [f"M{number}" for number in range(1, 11)]
    # Eight tasks in 10 s: eight times what one does in 80 s, twice what four do in 20 s; 800 tokens a task against 100.
    assert (measures["M10"]["value"], measures["M10"]["note"]) == (8.0, "8.00 × its tokens a task")
    assert (measures["M7"]["value"], measures["M7"]["band"]) == (2.0, "ok")
    assert document["baseline"]["run_id"] == "fleet-1"
    assert document["account"]["total"]["seconds"] == 80
    assert document["account"]["by"]["phase"]["look"]["work"]["tokens"] == 6400


def test_a_run_is_not_compared_with_what_came_after_it(echelon, fleet):
    document = json.loads(echelon("measures", "fleet-2", "--json").out)

    assert [point["agents"] for point in document["scaling"]["points"]] == [1, 2]
    assert "do not differ enough in size" in document["scaling"]["said"]


def test_people_see_bands_and_where_everything_went(echelon, fleet):
    said = echelon("measures", "fleet-4", "--by", "level").out

    assert "fleet-4: how it stands" in said
    assert "Where every second and token went" in said
    assert "The same by level" in said


def test_the_runs_of_a_job_stand_beside_one_another(echelon, fleet):
    document = json.loads(echelon("measures", "--history", "fleet", "--json").out)
    said = echelon("measures", "--history", "fleet", "--by", "phase").out

    assert [one["run_id"] for one in document["runs"]] == sorted(SIZES, reverse=True)
    assert [one["single"] for one in document["runs"]] == [False, False, False, True]
    assert [one["graded"][9]["value"] for one in document["runs"]] == [8.0, 4.0, 2.0, None]
    assert document["account"]["total"]["seconds"] == 4 * 80
    assert document["scaling"]["ceiling"] is None
    assert "1 at a time" in said
    assert "no ceiling up to 8 agents: more agents did more" in said


def test_the_baseline_is_found_however_old_it_is(echelon, fleet):
    document = json.loads(echelon("measures", "--history", "fleet", "--runs", "1", "--json").out)

    assert [one["run_id"] for one in document["runs"]] == ["fleet-4", "fleet-1"]
    assert by_id(document)["M10"]["value"] == 8.0


def test_the_law_is_fitted_to_the_runs_of_a_job(echelon, fleet):
    document = json.loads(echelon("simulate", "--history", "fleet", "--agents", "1:8", "--json").out)

    assert document["fit"]["measured"] is True
    assert document["history"]["points"][-1] == {"agents": 8, "throughput": pytest.approx(2880)}
    assert "no ceiling up to 8 agents" in echelon("simulate", "--history", "fleet", "--agents", "1:8").out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("measures",), "one of the two"),
        (("measures", "fleet-1", "--history", "fleet"), "one of the two"),
        (("measures", "--history", "nothing"), "no run of a job 'nothing' is on record"),
        (("simulate", "--history", "nothing"), "no run of a job 'nothing' is on record"),
        (("simulate", "--history", "fleet", "--points", "p.csv"), "give one of them"),
        (("run", "f.py:f", "--single", "--max-concurrency", "2"), "leave out --max-concurrency"),
    ],
)
def test_wrong_use_is_one_line(echelon, fleet, arguments, words):
    said = echelon(*arguments)

    assert (said.code, said.err.count("\n")) == (2, 1)
    assert words in said.err
