"""A job inside somebody's own Prefect flow, on the embedded server."""

import asyncio
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from prefect import flow, task
from prefect.runtime import flow_run
from pydantic import BaseModel, ConfigDict

from contracts.reports import AuditReport
from echelon import AgentFailed, Job, Resilience, RunResult, agent
from echelon.engine.flows import RunFailed
from echelon.engine.picture.request import wait_for_picture
from echelon.engine.server.handle import ServerHandle, resolve_server
from echelon.engine.server.secret import read_credentials
from echelon.journal.journal import SqlJournal
from echelon.model.run import RunRecord
from echelon.settings import Settings
from flows.audit import audit
from tests.unit.audit.building import tree

pytestmark = [pytest.mark.engine]


class Numbers(BaseModel):
    """Inputs that Prefect's form has to explain."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    n: int = 4
    """How many numbers to try:
    the first is 0,
    the last is n - 1."""
    limit: int = 2
    """Numbers from here on are refused."""


def numbers(inputs: Numbers) -> list[int]:
    return list(range(inputs.n))


@agent
async def below(inputs: Numbers, item: int) -> int:
    """Refuse what is not below the limit."""
    if item >= inputs.limit:
        raise AgentFailed(f"{item} is too much")
    return item


trial = Job("trial", goal="Try", inputs=Numbers, defaults=Resilience(attempts=1))
trial.phase("try", each=below, over=numbers)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerHandle]:
    home = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith(("PREFECT_", "ECHELON_"))]:
            patch.delenv(name)
        patch.setenv("ECHELON_HOME", str(home))
        patch.setenv("PREFECT_PROFILES_PATH", str(home / "no-profiles.toml"))
        with resolve_server(home) as embedded:
            embedded.wait_ready()
            with embedded.connected():
                yield embedded


def test_an_audit_in_a_flow_returns_its_result(server, tmp_path):
    @flow(persist_result=False, result_storage=tmp_path / "results")
    async def monday(path: Path) -> RunResult:
        return await audit.flow(path=path)

    result = asyncio.run(monday(tree(tmp_path / "tree", {"app/run.py": "X = eval(input())\n"})))

    assert isinstance(result, RunResult)
    assert (result.status, result.missing) == ("completed", ())
    assert AuditReport.model_validate(result.output).hotspots[0].path == "app/run.py"
    assert result.report is not None
    assert (Path(result.report) / "report.html").is_file()


def test_a_run_in_a_flow_is_shown_as_a_part_of_it(server, tmp_path):
    @flow(persist_result=False, result_storage=tmp_path / "results")
    async def parent() -> tuple[str, str]:
        result = await trial.flow(n=2)
        return str(flow_run.id), result.run_id

    parent_id, run_id = asyncio.run(parent())

    assert [run["state"]["message"] for run in runs_inside(server, parent_id)] == [f"run {run_id}"]


def runs_inside(server: ServerHandle, flow_run_id: str) -> list[dict[str, Any]]:
    """The flow runs that Prefect shows as a part of another one."""
    inside = {"flow_runs": {"parent_flow_run_id": {"any_": [flow_run_id]}}}
    credentials = read_credentials(server.home / "prefect")
    return httpx.post(f"{server.url}/flow_runs/filter", json=inside, auth=credentials, trust_env=False).json()


def run_in_flow() -> RunResult:
    return asyncio.run(trial.run(n=2))


def waits_in_flow() -> RunResult:
    return trial.run_sync(n=2)


def flow_in_flow() -> RunResult:
    return asyncio.run(trial.flow(n=2))


@pytest.mark.parametrize(
    ("begin", "state"),
    [(run_in_flow, "Completed"), (waits_in_flow, "Completed"), (flow_in_flow, "Completed")],
    ids=["job.run", "job.run_sync", "job.flow"],
)
@pytest.mark.parametrize("in_task", [False, True], ids=["in-the-flow", "in-a-task"])
def test_a_job_runs_in_a_flow_that_is_not_async_as_a_part_of_it(server, tmp_path, begin, state, in_task):
    """Twice: a run of the same job must not be taken for the one before."""
    once = task(begin) if in_task else begin

    @flow(persist_result=False, result_storage=tmp_path / "results")
    def parent() -> tuple[str, list[str]]:
        return str(flow_run.id), [once().run_id for _ in range(2)]

    parent_id, run_ids = parent()

    shown = runs_inside(server, parent_id)
    told = {run["name"] if begin is not flow_in_flow else run["state"]["message"].removeprefix("run ") for run in shown}
    assert told == set(run_ids)
    assert [run["state"]["name"] for run in shown] == [state, state]


@agent
async def nested() -> str:
    """Run another job from a coroutine."""
    return (await trial.run(n=1)).run_id


@agent
def nested_in_thread() -> str:
    """Run another job from a thread."""
    return asyncio.run(trial.run(n=1)).run_id


def test_a_job_that_an_agent_runs_is_shown_as_a_part_of_its_run(server):
    job = Job("outer", goal="Run others")
    job.phase("inner", agents=[nested, nested_in_thread])

    result = asyncio.run(job.flow())
    wait_for_picture(str(result.output["inner/nested"]), Settings(), 60)
    wait_for_picture(str(result.output["inner/nested_in_thread"]), Settings(), 60)

    async def records() -> tuple[RunRecord, tuple[RunRecord, ...]]:
        async with SqlJournal.open(Settings()) as journal:
            return await journal.run(result.run_id), await journal.runs(inside=result.run_id)

    outer, inner = asyncio.run(records())
    assert {(run.run_id, run.parent_task) for run in inner} == {(run, task) for task, run in result.output.items()}
    assert outer.flow_run_id is not None
    assert {run["name"] for run in runs_inside(server, outer.flow_run_id)} == set(result.output.values())


def test_a_job_that_is_an_agent_of_another_one_is_shown_as_a_part_of_its_run(server):
    job = Job("around", goal="Run another", inputs=Numbers)
    job.phase("inner", agent=trial)

    result = asyncio.run(job.flow(n=2))

    async def records() -> tuple[RunRecord, tuple[RunRecord, ...]]:
        async with SqlJournal.open(Settings()) as journal:
            return await journal.run(result.run_id), await journal.runs(inside=result.run_id)

    outer, (inner,) = asyncio.run(records())
    wait_for_picture(inner.run_id, Settings(), 60)
    assert (result.output, outer.flow_run_id is not None) == ({"try/0": 0, "try/1": 1}, True)
    assert {run["name"] for run in runs_inside(server, str(outer.flow_run_id))} == {inner.run_id}


@pytest.mark.parametrize(
    ("limit", "type_", "name"),
    [(4, "COMPLETED", "Completed"), (2, "COMPLETED", "Partial"), (0, "FAILED", "Failed")],
)
def test_the_state_says_how_a_run_ended(server, limit, type_, name):
    state = asyncio.run(trial.flow(limit=limit, return_state=True))

    assert (state.type, state.name) == (type_, name)


def test_a_partial_run_is_a_result_that_says_what_is_missing(server):
    result = asyncio.run(trial.flow(limit=2))

    assert (result.status, [one.task_id for one in result.missing]) == ("partial", ["try/2", "try/3"])


def test_a_failed_run_raises_and_says_what_is_missing(server):
    with pytest.raises(RunFailed, match=r"run trial-[\w-]+: 4 missing, the first: try/0: 0 is too much"):
        asyncio.run(trial.flow(limit=0))


def test_the_form_explains_an_input_whose_description_has_several_lines():
    fields = trial.flow.parameters.properties

    assert fields["n"]["description"] == "How many numbers to try: the first is 0, the last is n - 1."
    assert fields["limit"]["description"] == "Numbers from here on are refused."


def test_a_flow_run_that_prefect_tries_again_goes_on_with_its_run(server):
    asked: list[int] = []

    @agent
    async def flaky(item: int) -> int:
        asked.append(item)
        if asked == [0, 1]:
            raise AgentFailed("not yet")
        return item

    job = Job("again", goal="Try again", inputs=Numbers, defaults=Resilience(attempts=1))
    job.phase("first", each=flaky, over=lambda: [0])
    job.phase("then", each=flaky, over=lambda: [1], needs="first")

    state = asyncio.run(job.flow.with_options(retries=1)(n=1, return_state=True))

    assert (state.name, asked) == ("Completed", [0, 1, 1])
