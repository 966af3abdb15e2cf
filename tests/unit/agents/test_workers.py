"""CPU-bound functions in real processes: what crosses, and what happens when one dies, hangs or talks too much."""

import asyncio
import os
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import psutil
import pytest
from pydantic import SecretStr

from echelon import AgentFailed, Handoffs, Outcome, Previous, agent
from echelon.agents.agent import Agent
from echelon.agents.call import CallShape
from echelon.agents.handoffs import Received
from echelon.agents.processes.workers import Workers
from echelon.definition.definition import NoInputs
from echelon.journal.outputs import OutputStore
from echelon.model.errors import AgentTimeout, InvalidJob
from echelon.model.handoff import Handoff, Missing
from echelon.model.status import Status
from echelon.testing.calls import a_call
from tests.unit.agents import crunching
from tests.unit.agents.crunching import Held, Numbers
from tests.unit.resilience.limits import within

pytestmark = pytest.mark.anyio

SHAPE = CallShape(inputs_type=NoInputs, takes_item=True, upstream=("seen",))


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(autouse=True)
async def ended() -> AsyncIterator[None]:
    """Leave no child behind."""
    yield
    await Workers.close_shared()


async def do(who: Agent, item: Any = None) -> Any:
    return (await who.bind(SHAPE).perform(a_call(item))).output


async def test_arguments_and_results_cross_as_what_they_are_annotated_to_be() -> None:
    assert await do(crunching.add, Numbers(values=(1, 2, 3))) == 6


@pytest.mark.parametrize(
    ("who", "item", "delivered"),
    [
        (crunching.price_of, Decimal("1.10"), "Decimal('1.10')"),
        (crunching.half, 3, 1.5),
        (crunching.reveal, Held(token=SecretStr("pw-1")), "pw-1 2026"),
        (crunching.reverse, b"\xff\x00", b"\x00\xff"),
        (crunching.reverse, bytes(5_000_000), bytes(5_000_000)),
    ],
    ids=["a decimal", "a whole number", "a secret", "bytes", "many bytes"],
)
async def test_what_is_no_json_crosses_as_it_is(who: Agent, item: Any, delivered: Any) -> None:
    """A secret was eight asterisks in the other process."""
    assert await do(who, item) == delivered


@pytest.mark.parametrize("item", [Decimal("1.10"), {"at": datetime(2026, 1, 1, tzinfo=UTC)}, b"\xff"], ids=str)
async def test_what_would_be_something_else_in_the_other_process_is_refused(item: Any) -> None:
    """It was a text there."""
    with pytest.raises(AgentFailed, match="parameter 'item' cannot be given to kind_of in another process as it is"):
        await do(crunching.kind_of, item)


async def test_what_would_be_something_else_when_it_comes_back_is_refused() -> None:
    with pytest.raises(AgentFailed, match="a datetime would be read as the text"):
        await do(crunching.moment)


async def test_a_child_is_used_again_and_is_another_process() -> None:
    first, second = await do(crunching.whoami), await do(crunching.whoami)

    assert first == second != os.getpid()


async def test_calls_at_one_time_have_a_child_each() -> None:
    pids = await asyncio.gather(do(crunching.whoami), do(crunching.whoami))

    assert len(set(pids)) == 2


async def test_what_a_function_prints_and_reads_is_not_the_protocol() -> None:
    assert await do(crunching.chatter, "said") == "said"
    assert await do(crunching.chatter, "again") == "again"


@pytest.mark.parametrize("who", [crunching.die, crunching.leave])
async def test_a_child_that_dies_costs_its_own_call_only(who: Agent) -> None:
    with pytest.raises(AgentFailed, match=f"died with exit code 7 in .*{who.name}"):
        await do(who, 7)

    assert await do(crunching.add, Numbers(values=(2,))) == 2


async def test_a_call_that_takes_too_long_takes_its_process_with_it(tmp_path: Path) -> None:
    told = tmp_path / "pid"
    os.mkfifo(told)  # opening it waits for the child: no other clock is needed
    call = asyncio.create_task(within(3600, lambda: do(crunching.hang, told)))
    pid = int(await asyncio.to_thread(told.read_text))
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call

    assert not psutil.pid_exists(pid)


async def test_the_time_limit_of_a_call_kills_its_process(tmp_path: Path) -> None:
    before = set(psutil.Process().children())
    with pytest.raises(AgentTimeout):
        await within(0.001, lambda: do(crunching.hang, tmp_path / "pid"))

    assert set(psutil.Process().children()) <= before


async def test_an_agent_that_says_no_is_heard_with_its_concerns() -> None:
    with pytest.raises(AgentFailed, match="not today") as refused:
        await do(crunching.refuse, "not today")

    assert refused.value.passing
    assert [concern.about for concern in refused.value.concerns] == ["not today"]


@pytest.mark.parametrize(
    ("item", "message", "passing"), [("disk", "OSError: disk", True), ("key", "KeyError: 'key'", False)]
)
async def test_an_error_says_what_it_was_and_whether_it_can_pass(item: str, message: str, passing: bool) -> None:
    with pytest.raises(AgentFailed) as failed:
        await do(crunching.stumble, item)

    assert (str(failed.value), failed.value.passing) == (message, passing)


async def test_a_validation_that_failed_over_there_is_told_on_one_line() -> None:
    with pytest.raises(AgentFailed) as failed:
        await do(crunching.misjudge, "one")

    assert str(failed.value).startswith("ValidationError: Numbers: values.0: Input should be a valid integer")
    assert str(failed.value).endswith("got the text 'one' (and 1 more)")


async def test_whatever_an_outcome_says_crosses_too() -> None:
    here = crunching.tell_all(5)

    assert await crunching.tell_all.bind(SHAPE).perform(a_call(5)) == here


async def test_handoffs_cross_as_references_and_are_read_over_there(tmp_path: Path) -> None:
    store = OutputStore((tmp_path / "outputs").as_posix())
    reference = store.put("run", "ab", {"values": [4, 5]}, "Numbers")
    handoff = Handoff(
        task_id="t1",
        status=Status.COMPLETED,
        summary="",
        producer="t1",
        assignment_id="t1#1",
        output_location=reference,
    )
    seen = Handoffs([Received(handoff, store, Numbers)], [Missing(task_id="t2", producer="t2", reason="too dark")])
    before = store.put("run", "cd", 41, "int")
    old = Previous(Received(handoff.model_copy(update={"output_location": before}), store, int))
    call = replace(a_call(goal="look", workspace=tmp_path / "work"), upstream={"seen": seen}, previous=old)

    outcome = await crunching.gather.bind(SHAPE).perform(call)

    assert outcome.output == ["t1=9", "t2: too dark", "before 41", "look"]
    assert (tmp_path / "work" / "left").read_text() == "here"


async def test_what_cannot_be_found_from_another_process_is_refused_where_it_is_written() -> None:
    with pytest.raises(InvalidJob, match="top level of a module"):

        @agent(cpu_bound=True)
        def inner() -> int:
            return 1

    with pytest.raises(InvalidJob, match="plain function"):

        @agent(cpu_bound=True)
        async def waits() -> int:
            return 1


async def test_the_end_of_another_run_leaves_no_child_of_ours_behind() -> None:
    workers = Workers.shared()
    call = asyncio.create_task(workers.call(crunching.whoami.function, {}, int))
    await asyncio.sleep(0)
    await Workers.close_shared()
    outcome: Outcome[int] = await call

    assert not psutil.pid_exists(outcome.output)


SCRIPT = """
import asyncio
from echelon import agent
from echelon.agents.processes.workers import Workers

@agent(cpu_bound=True)
def double(item: int) -> int:
    return 2 * item

async def main():
    print((await Workers.shared().call(double.function, {"item": 21}, int)).output)
    await Workers.close_shared()

if __name__ == "__main__":
    asyncio.run(main())
"""


@pytest.mark.parametrize("start", [["double it.py"], ["-m", "doubling"]])
async def test_functions_of_the_script_that_runs_are_found_as_well(tmp_path: Path, start: list[str]) -> None:
    (tmp_path / "double it.py").write_text(SCRIPT)
    (tmp_path / "doubling.py").write_text(SCRIPT)
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[3])}
    script = await asyncio.create_subprocess_exec(
        sys.executable, *start, cwd=tmp_path, env=environment, stdout=PIPE, stderr=PIPE
    )
    told = await script.communicate()

    assert told == (b"42\n", b"")


async def test_children_end_with_the_last_run_that_is_at_work_on_their_loop() -> None:
    """Runs inside others end all the time, and starting a child is slow."""
    async with Workers.keep_for_run():
        async with Workers.keep_for_run():
            children = Workers.shared()
        assert Workers.shared() is children
    async with Workers.keep_for_run():
        assert Workers.shared() is not children
