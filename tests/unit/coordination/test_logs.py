"""What an agent logs and prints is on record with its step, and never more than is good for the journal (V2)."""

import asyncio
import logging
import sys
from pathlib import Path
from typing import Any

import pytest

from echelon import Handoffs, agent, command
from echelon.agents.capture import capturing
from echelon.coordination.job_run import run_phases
from echelon.coordination.step.observer import MAX_CHARACTERS, MAX_LINES_A_SECOND
from echelon.runlog.events import Logged
from echelon.testing.runs import a_run
from tests.unit.coordination.jobs import Item, Watched, items, looking, on_record

pytestmark = pytest.mark.anyio

log = logging.getLogger("project.work")

#: Looks like the key of a provider.
KEY = "sk-abcdefghij0123456789"


async def lines_of(home: Path, who: Any, count: int = 1) -> list[Logged]:
    """Let an agent work, and return what is on record of what it wrote."""
    seen = Watched()
    with capturing(pass_on=False):
        async with a_run(looking(each=who), home, items(count), watch=seen) as run:
            await run_phases(run)
            state = await on_record(run)
            steps = {step.handoff.task_id: step.key for step in state.steps}
    lines = seen.of(Logged)

    assert all(line.key == steps[line.task_id] for line in lines)
    assert sum(state.log_lines.values()) == len(lines)
    return lines


async def test_what_an_agent_logs_is_on_record_with_how_serious_it_is(tmp_path: Path) -> None:
    @agent
    async def look(item: Item) -> str:
        log.warning("%s is odd", item.id)
        return item.id

    assert [(one.task_id, one.source, one.level, one.message) for one in await lines_of(tmp_path, look)] == [
        ("look/i0", "logging", logging.WARNING, "project.work: i0 is odd")
    ]


@pytest.mark.parametrize("thread", [False, True], ids=["async", "in a thread"])
async def test_what_agents_print_side_by_side_is_told_apart(
    tmp_path: Path, thread: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    def tell(item: Item, *parts: str) -> str:
        for part in parts:
            print(part, end="")
        return item.id

    async def look_async(item: Item) -> str:
        tell(item, f"{item.id} ")
        await asyncio.sleep(0.01)
        return tell(item, "is here\nand")

    def look(item: Item) -> str:
        return tell(item, f"{item.id} ", "is here\nand")

    lines = await lines_of(tmp_path, agent(look if thread else look_async, name="look"), 3)

    assert sorted((one.task_id, one.source, one.message) for one in lines) == sorted(
        (f"look/i{n}", "stdout", message) for n in range(3) for message in (f"i{n} is here", "and")
    )
    assert capsys.readouterr().out == ""


async def test_what_is_printed_appears_where_it_would_have_too(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    @agent
    async def look(item: Item) -> str:
        print("hello")
        return item.id

    with capturing():
        async with a_run(looking(each=look), tmp_path, items(1)) as run:
            await run_phases(run)
            print("not of an agent")

    assert capsys.readouterr().out == "hello\nnot of an agent\n"
    assert run.log.state.log_lines == {"look/i0": 1}


async def test_what_a_command_writes_to_its_standard_error_is_on_record(tmp_path: Path) -> None:
    seen = Watched()
    job = looking()
    program = "import sys; print('no such file', file=sys.stderr); print('[1]')"
    job.phase("list", agent=command([sys.executable, "-c", program], name="list", output=list[int]), needs="look")
    async with a_run(job, tmp_path, items(1), watch=seen) as run:
        await run_phases(run)

    assert [(one.task_id, one.source, one.message) for one in seen.of(Logged)] == [
        ("list/list", "stderr", "no such file")
    ]


async def test_an_agent_that_goes_wild_is_cut_short_and_that_is_said(tmp_path: Path) -> None:
    @agent
    async def look(item: Item) -> str:
        for number in range(10 * MAX_LINES_A_SECOND):
            print(number)
        return item.id

    *lines, last = await lines_of(tmp_path, look)

    # A second may begin in between.
    assert MAX_LINES_A_SECOND <= len(lines) <= 2 * MAX_LINES_A_SECOND
    assert (last.source, last.level) == ("echelon", logging.WARNING)
    assert last.message.startswith(f"{10 * MAX_LINES_A_SECOND - len(lines)} lines left out: 100 a second and 1,000 in")


async def test_a_line_is_bounded_and_keeps_no_secret(tmp_path: Path) -> None:
    @agent
    async def look(item: Item) -> str:
        print("x" * (10 * MAX_CHARACTERS))
        log.error("refused: %s", KEY)
        return item.id

    long, secret = await lines_of(tmp_path, look)

    assert len(long.message) == MAX_CHARACTERS
    assert secret.message == "project.work: refused: [secret]"


async def test_what_is_logged_outside_of_agents_is_nobodys(tmp_path: Path) -> None:
    seen = Watched()

    @agent
    async def conclude(look: Handoffs[str]) -> int:
        return len(look)

    job = looking()
    job.phase("conclude", agent=conclude, needs="look")
    with capturing(pass_on=False):
        async with a_run(job, tmp_path, items(2), watch=seen) as run:
            log.warning("the loop says so")
            await run_phases(run)

    assert seen.of(Logged) == []


@pytest.mark.parametrize("cpu_bound", [False, True], ids=["here", "in a process"])
async def test_the_whole_error_of_each_attempt_is_in_its_log(tmp_path: Path, cpu_bound: bool) -> None:
    (line,) = await lines_of(tmp_path, agent(cpu_bound=cpu_bound)(divide))

    assert (line.source, line.level) == ("echelon", logging.ERROR)
    assert line.message.startswith("attempt 1 failed: ")
    assert "in divide" in line.message
    assert line.message.endswith("ZeroDivisionError: integer division or modulo by zero")


def divide(item: Item) -> int:
    """Fail."""
    return len(item.id) // 0
