"""A part of a phase is ordered with data, and done by another process that has nothing else (F8, X1)."""

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from echelon.coordination.context import RunContext
from echelon.coordination.job_run import run_phases
from echelon.coordination.phase_output import PhaseOutput
from echelon.coordination.placement import StageOrder
from echelon.definition.definition import JobDefinition
from echelon.definition.inputs import read_inputs
from echelon.definition.source import load_job
from echelon.engine.stage_worker import carry_out, main
from echelon.model.errors import InvalidInput, LeaseLost, RunHeld
from echelon.model.exception_report import Trigger
from echelon.model.run import StepKind
from echelon.settings import Settings
from echelon.testing.runs import a_run
from tests.unit.coordination.jobs import on_record, output_of

pytestmark = pytest.mark.anyio

#: Nothing here takes longer, in seconds.
PATIENCE_SECONDS = 30.0

LEASE_SECONDS = 4.0

#: Two domains, so two parts; who did what is told by the output. One agent may be stopped by the system at its work.
JOB = '''
import os
import signal
from pathlib import Path

from pydantic import BaseModel

from echelon import AgentFailed, Handoffs, Job, Resilience, agent, integrator


class Inputs(BaseModel):
    world: Path
    failing: tuple[str, ...] = ()


class Seen(BaseModel):
    items: tuple[str, ...]
    processes: tuple[int, ...]
    missing: tuple[str, ...] = ()


def items(inputs: Inputs) -> list[str]:
    return [f"d{n // 5}-{n}" for n in range(10)]


@agent(breaker="the shelf")
async def look(item: str, world: Path, failing: tuple[str, ...]) -> Seen:
    """Look at an item."""
    print("nobody is to mistake this for the output")
    with (world / "asked").open("a") as asked:
        asked.write(f"{item}\\n")
    if item == "d0-0" and (world / "stop").exists():
        (world / "stop").rename(world / "stopped")
        os.kill(os.getpid(), signal.SIGSTOP)
    if item in failing:
        raise ConnectionError("the shelf is locked")
    return Seen(items=(item,), processes=(os.getpid(),))


@integrator
async def merge(seen: Handoffs[Seen]) -> Seen:
    """Put together what was seen."""
    found = seen.outputs()
    return Seen(
        items=tuple(item for one in found for item in one.items),
        processes=tuple({process for one in found for process in one.processes} | {os.getpid()}),
        missing=tuple(one.task_id for one in seen.missing),
    )


@merge.combine
async def staged(seen: Handoffs[Seen]) -> Seen:
    """Put together what was put together."""
    found = seen.outputs()
    return Seen(
        items=tuple(item for one in found for item in one.items),
        processes=tuple({process for one in found for process in one.processes} | {os.getpid()}),
        missing=tuple(one.task_id for one in seen.missing),
    )


placed = Job("placed", goal="See everything", inputs=Inputs, defaults=Resilience(attempts=1))
placed.phase("look", each=look, over=items, domain=lambda item: item.partition("-")[0], integrate=staged)
'''


class Worker:
    """A process that carries out the order in a file, somewhere else on this machine."""

    def __init__(self, place: "Place", order: StageOrder, name: str) -> None:
        file = place.folder / f"order-{name.replace(':', '-').replace('/', '-')}.json"
        file.write_text(order.model_dump_json(), encoding="utf-8")
        elsewhere = place.folder / "elsewhere"
        elsewhere.mkdir(exist_ok=True)
        mine = {name: value for name, value in os.environ.items() if not name.startswith(("PREFECT_", "ECHELON_"))}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "echelon.engine.stage_worker", str(file)],
            cwd=elsewhere,
            env=mine | {"ECHELON_HOME": str(place.home), "ECHELON_LEASE_SECONDS": str(LEASE_SECONDS)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        place.workers.append(self)

    def wait(self) -> tuple[int, str, str]:
        """Wait for its end; return exit code, output and errors."""
        out, err = self.process.communicate(timeout=PATIENCE_SECONDS)
        return self.process.returncode, out, err

    def end(self) -> None:
        """End it, whatever it does."""
        self.process.kill()
        self.process.communicate()


class Place:
    """A project with the job, a home for its journal, and a world that outlives processes."""

    def __init__(self, folder: Path, text: str = JOB) -> None:
        self.folder = folder
        self.home = folder / "home"
        self.workers: list[Worker] = []
        self.world = folder / "world"
        self.world.mkdir()
        project = folder / "project"
        project.mkdir()
        (project / "pyproject.toml").touch()
        (project / "placed_job.py").write_text(text, encoding="utf-8")
        self.job = load_job(str(project / "placed_job.py"), JobDefinition)

    def asked(self) -> list[str]:
        """Return who was set to work, each time."""
        return (self.world / "asked").read_text(encoding="utf-8").split()

    @asynccontextmanager
    async def run(self, failing: tuple[str, ...] = ()) -> AsyncIterator[RunContext]:
        """Open the run, as the process does that is its root."""
        inputs = read_inputs(self.job.inputs_type, {"world": str(self.world), "failing": failing})
        async with a_run(self.job, self.home, inputs) as run:
            yield run


@pytest.fixture
def place(tmp_path: Path, importing: None) -> Iterator[Place]:
    made = Place(tmp_path)
    yield made
    for worker in made.workers:
        worker.end()


class Elsewhere:
    """Has each part carried out by a process of its own; keeps the orders, and who did them."""

    def __init__(self, place: Place) -> None:
        self.orders: list[StageOrder] = []
        self.processes: set[int] = set()
        self._place = place

    async def run(self, order: StageOrder) -> PhaseOutput:
        """Do what is ordered."""
        self.orders.append(order)
        worker = Worker(self._place, order, order.node)
        self.processes.add(worker.process.pid)
        code, out, err = await asyncio.to_thread(worker.wait)
        assert code == 0, err
        return PhaseOutput.model_validate_json(out)


class Refused(Exception):
    """Ends a run whose order is all that is wanted."""


class Ordered:
    """Takes the order for a part, and does nothing."""

    def __init__(self) -> None:
        self.orders: list[StageOrder] = []

    async def run(self, order: StageOrder) -> PhaseOutput:
        """Remember it."""
        self.orders.append(order)
        raise Refused


@asynccontextmanager
async def ordered(place: Place) -> AsyncIterator[tuple[RunContext, StageOrder]]:
    """Give a run that is held, and the order for its first part."""
    async with place.run() as run:
        parts = Ordered()
        with contextlib.suppress(ExceptionGroup):
            await run_phases(run, parts)
        yield run, min(parts.orders, key=lambda order: order.node)


def settings(place: Place) -> Settings:
    return Settings(home=place.home, lease_seconds=LEASE_SECONDS)


async def test_parts_are_done_by_processes_that_have_only_an_order_and_the_root_integrates_what_they_made(
    place: Place,
) -> None:
    async with place.run() as run:
        parts = Elsewhere(place)
        outputs = await run_phases(run, parts)
        await run.log.refresh()
        output = output_of(run)

    everything = [f"look/d{n // 5}-{n}" for n in range(10)]
    assert sorted(task for order in parts.orders for task in order.tasks) == sorted(everything)
    assert sorted(output["items"]) == sorted(task.removeprefix("look/") for task in everything)
    # What each of them made was merged there, and combined here.
    assert set(output["processes"]) == parts.processes | {os.getpid()}
    assert len(parts.processes) == 2
    assert outputs["look"].missing == ()
    integrated = [step for step in run.log.state.steps if step.kind is StepKind.INTEGRATION]
    assert integrated[-1].node == run.spec.plan.primary.id
    assert len(place.asked()) == len(set(place.asked())) == 10


async def test_an_order_is_data_and_refers_to_everything_that_is_large(place: Place) -> None:
    async with ordered(place) as (run, order):
        document = json.loads(order.model_dump_json())

        assert StageOrder.model_validate(document) == order
        assert (order.run_id, order.phase) == (run.spec.run_id, "look")
        assert order.plan_digest == run.spec.plan.digest
        assert Path(order.source.rpartition(":")[0]).is_absolute()
        assert run.lease is not None
        assert order.token == run.lease.session.token
        assert len(order.model_dump_json()) < 2_000


async def test_what_was_lost_elsewhere_is_known_to_the_root_and_reported_once(place: Place) -> None:
    """All of one domain blames one dependency: an incident, found by the root, which saw none of it happen."""
    failing = tuple(f"d0-{n}" for n in range(5))
    async with place.run(failing) as run:
        outputs = await run_phases(run, Elsewhere(place))
        state = await on_record(run)

    assert sorted(one.task_id for one in outputs["look"].missing) == sorted(f"look/{name}" for name in failing)
    assert [one.trigger for one in state.exceptions].count(Trigger.INCIDENT) == 1


async def test_a_process_whose_part_was_taken_writes_nothing_any_more(place: Place) -> None:
    """The first one sleeps in the middle of its work, a second one takes the part, and then the first one wakes."""
    (place.world / "stop").touch()
    async with ordered(place) as (run, order):
        first = Worker(place, order, "first")
        try:
            await asyncio.to_thread(stopped, first, place.world / "stopped")
            with pytest.raises(RunHeld, match=f"part '{order.part}' of run 'run' is held by process"):
                await carry_out(order, settings(place))
            second = await asyncio.to_thread(taken_over, place, order)
        finally:
            first.process.send_signal(signal.SIGCONT)
        asked = place.asked()
        code, out, err = await asyncio.to_thread(first.wait)
        state = await on_record(run)

    assert (code, out) == (1, "")
    assert "LeaseLost" in err
    assert second.missing == ()
    assert place.asked() == asked
    done = [step.handoff.task_id for step in state.steps if step.handoff.done]
    assert len(done) == len(set(done))
    assert {task for task in done if task.startswith("look/d0-")} == set(order.tasks)


def stopped(worker: Worker, trace: Path) -> None:
    """Wait until a process sleeps."""
    end = time.monotonic() + PATIENCE_SECONDS
    while not trace.exists() or state_of(worker.process.pid) != "T":
        assert time.monotonic() < end, "nobody was stopped"
        assert worker.process.poll() is None, worker.wait()
        time.sleep(0.02)


def state_of(process: int) -> str:
    return Path(f"/proc/{process}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0]


def taken_over(place: Place, order: StageOrder) -> PhaseOutput:
    """Let other processes try to take a part until nobody holds it any more, and do it."""
    end = time.monotonic() + PATIENCE_SECONDS
    while True:
        code, out, err = Worker(place, order, "another").wait()
        if code == 0:
            return PhaseOutput.model_validate_json(out)
        assert time.monotonic() < end, err


async def test_a_part_that_was_done_before_is_not_done_again(place: Place) -> None:
    async with ordered(place) as (_, order):
        first = await carry_out(order, settings(place))
        asked = place.asked()
        second = await carry_out(order, settings(place))

    assert first == second
    assert place.asked() == asked


async def test_a_part_of_a_run_that_another_process_has_taken_is_refused(place: Place) -> None:
    async with ordered(place) as (_, order):
        pass
    async with place.run():  # taken anew: its parts are ordered under another token
        with pytest.raises(LeaseLost):
            await carry_out(order, settings(place))

    assert not (place.world / "asked").exists()


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"plan_digest": "0" * 64}, "was ordered for another plan (000000000000) than it has here"),
        ({"inputs_digest": "1" * 64}, "was ordered for another input (111111111111) than it has here"),
        ({"run_id": "nothing"}, "run 'nothing' is not in the journal of this process"),
    ],
    ids=["X1-plan", "X1-inputs", "X1-journal"],
)
async def test_an_order_for_something_else_is_refused_before_anything_is_done(
    place: Place, changed: dict[str, str], said: str
) -> None:
    async with ordered(place) as (_, order):
        with pytest.raises(InvalidInput) as refused:
            await carry_out(order.model_copy(update=changed), settings(place))

    assert said in str(refused.value)
    assert not (place.world / "asked").exists()


def test_a_file_that_is_no_order_is_wrong_use(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "order.json").write_text("{}")

    assert main([str(tmp_path / "order.json")]) == main([str(tmp_path / "nowhere.json")]) == main([]) == 2
    said = capsys.readouterr()
    assert (said.out, said.err.count("echelon: give a file with an order: ")) == ("", 3)


GRAPH_AGENT = """
import os
from typing import Any

from echelon import Handoffs, TaskSpec, agent


@agent
async def work(task: TaskSpec, received: Handoffs[Any]) -> tuple[str, int]:
    "Say what was received, and where."
    return f"{task.id}({' '.join(one.task_id for one in received)})", os.getpid()
"""


async def test_parts_of_a_task_graph_are_done_elsewhere_by_the_agents_that_are_on_record(place: Place) -> None:
    folder = place.folder / "graph"
    folder.mkdir()
    (folder / "graph_workers.py").write_text(GRAPH_AGENT, encoding="utf-8")
    firsts = [{"id": f"d{n // 3}-{n}", "domain": f"d{n // 3}"} for n in range(6)]
    seconds = [
        {"id": f"e{n}", "domain": f"d{n // 3}", "depends_on": [f"d0-{n % 3}", f"d1-{3 + n % 3}"]} for n in range(6)
    ]
    (folder / "graph.json").write_text(json.dumps({"tasks": firsts + seconds}), encoding="utf-8")
    agents = {"*": f"{folder}/graph_workers.py:work"}
    place.job = load_job(str(folder / "graph.json"), JobDefinition, agents=agents)
    async with a_run(place.job, place.home) as run:
        parts = Elsewhere(place)
        outputs = await run_phases(run, parts)
        made = [run.outputs.get(one.output_location, Any) for one in outputs["phase-2"].handoffs if one.output_location]

    assert sorted(text for text, _ in made) == sorted(f"e{n}(d0-{n % 3} d1-{3 + n % 3})" for n in range(6))
    assert {process for _, process in made} <= parts.processes
