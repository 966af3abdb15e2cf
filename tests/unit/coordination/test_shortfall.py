"""An output that is there, and not all of it: who says so is believed, counted as missing, and asked again (F7)."""

from pathlib import Path

import pytest

from echelon import AgentFailed, Handoffs, Job, Outcome, Resilience, agent
from echelon.agents.agent import Effect
from echelon.coordination.job_run import run_phases
from echelon.model.run import RunView
from echelon.testing.runs import a_run, view_so_far

pytestmark = pytest.mark.anyio


class Library:
    """Reads as many books as there are, and says which it did not find."""

    def __init__(self, effect: Effect = "read") -> None:
        self.there = ["a"]
        self.is_closed = False
        self.asked = 0
        self.told: list[str] = []

        @agent(name="read", effect=effect)
        async def read() -> Outcome[list[str]]:
            self.asked += 1
            if self.is_closed:
                raise AgentFailed("the library is closed")
            lacks = "" if "b" in self.there else "b was not found"
            return Outcome(output=list(self.there), shortfall=lacks)

        @agent(name="count")
        async def count(books: Handoffs[list[str]]) -> int:
            self.told += [one.handoff.caveat for one in books]
            return sum(map(len, books.outputs()))

        self.job = Job("library", goal="Count the books", defaults=Resilience(attempts=1))
        self.job.phase("read", agent=read)
        self.job.phase("count", agent=count, needs="read")

    async def run(self, home: Path) -> RunView:
        async with a_run(self.job, home) as run:
            await run_phases(run)
            return view_so_far(run)


async def test_what_an_agent_says_is_missing_is_missing_and_its_output_is_there(tmp_path: Path) -> None:
    library = Library()
    view = await library.run(tmp_path)

    (missing,) = view.missing
    assert (view.output, view.launched, view.returned) == (1, 2, 1)
    assert (missing.task_id, missing.reason) == ("read/read", "b was not found")
    assert view.stand_ins == {"read/read": "a part of it: b was not found"}
    assert library.told == ["not all of the work: b was not found"]


async def test_a_resumed_run_asks_again_for_what_was_missing(tmp_path: Path) -> None:
    library = Library()
    await library.run(tmp_path)
    library.there.append("b")
    view = await library.run(tmp_path)

    assert (view.output, view.missing, library.asked) == (2, (), 2)


async def test_what_was_there_stays_where_the_rest_cannot_be_had(tmp_path: Path) -> None:
    """However often it is tried; and whoever has used it is not asked again."""
    library = Library()
    await library.run(tmp_path)
    library.is_closed = True
    await library.run(tmp_path)
    view = await library.run(tmp_path)

    assert (view.output, [one.reason for one in view.missing]) == (1, ["b was not found"])
    assert (library.asked, len(library.told)) == (3, 1)


async def test_what_changes_the_world_is_not_done_again_for_what_it_left_out(tmp_path: Path) -> None:
    library = Library(effect="write")
    await library.run(tmp_path)
    view = await library.run(tmp_path)

    assert (library.asked, view.output, len(view.missing)) == (1, 1, 1)
