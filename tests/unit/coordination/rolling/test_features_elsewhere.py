"""Parts of phases that agents go through item by item, carried out from orders alone (D1, X1)."""

from pathlib import Path

import pytest

from echelon.coordination.job_run import run_phases
from echelon.coordination.phase_output import PhaseOutput
from echelon.coordination.placement import StageOrder
from echelon.definition.definition import JobDefinition, NoInputs
from echelon.definition.source import load_job
from echelon.engine.stage_worker import carry_out
from echelon.settings import Settings
from echelon.testing.runs import a_run
from tests.unit.coordination.jobs import missing_in, output_of

pytestmark = pytest.mark.anyio

JOB = '''
from echelon import AgentFailed, Handoffs, Job, Resilience, agent


def items() -> list[str]:
    return [f"d{n // 5}-{n}" for n in range(10)]


def domain(item: str) -> str:
    return item[:2]


@agent
async def look(item: str) -> str:
    """Look at an item."""
    if item == "d1-7":
        raise AgentFailed("it is not there")
    return item


@agent
async def judge(item: str, seen: Handoffs[str]) -> str:
    """Judge what was seen."""
    return f"{item}: {seen.outputs()}"


judging = Job("judging", goal="Judge everything", merge="auto", defaults=Resilience(attempts=1))
judging.phase("look", each=look, over=items, domain=domain)
judging.phase("judge", each=judge, over=items, domain=domain, needs="look")
'''


class FromOrders:
    """Carries out parts as another process does, which has the order, the journal and the file of the job."""

    def __init__(self, settings: Settings) -> None:
        self.orders: list[StageOrder] = []
        self._settings = settings

    async def run(self, order: StageOrder) -> PhaseOutput:
        self.orders.append(order)
        return await carry_out(StageOrder.model_validate_json(order.model_dump_json()), self._settings)


async def test_a_part_gets_with_its_order_what_its_items_go_on_with(tmp_path: Path, importing: None) -> None:
    project = tmp_path / "project"
    project.mkdir()
    (project / "pyproject.toml").touch()
    (project / "judging_job.py").write_text(JOB, encoding="utf-8")
    job = load_job(str(project / "judging_job.py"), JobDefinition)
    parts = FromOrders(Settings(home=tmp_path / "home"))
    async with a_run(job, tmp_path / "home", NoInputs()) as run:
        await run_phases(run, parts)
        await run.log.refresh()
        output, missing = output_of(run), missing_in(run)
    received = {order.node: order.upstream["look"] for order in parts.orders if order.phase == "judge"}

    names = [f"d{n // 5}-{n}" for n in range(10)]
    assert output == {f"judge/{name}": f"{name}: ['{name}']" for name in names if name != "d1-7"}
    assert {one.task_id: one.reason for one in missing} == {
        "look/d1-7": "it is not there",
        "judge/d1-7": "cannot run without look/d1-7",
    }
    # Each part gets what was made of its own items, and nothing else (V4).
    assert sorted(len(upstream.handoffs) for upstream in received.values()) == [4, 5]
