"""Who works behind a sync point is told what has changed and what was decided, at a flat moment everything (X2, O6)."""

from pathlib import Path
from typing import Annotated

import pytest
from pydantic import BaseModel

from echelon import Brief, Concern, Conflict, Handoffs, Job, Key, Outcome, Oversight, Verdict, agent, integrator
from echelon.coordination.job_run import run_phases
from echelon.testing.runs import a_run, view_so_far

pytestmark = pytest.mark.anyio


class Finding(BaseModel):
    file: Annotated[str, Key()]
    severity: int


def stricter(conflict: Conflict) -> str:
    """The higher severity counts."""
    return max(conflict.sides, key=lambda side: side.says["severity"]).task_id


class Hearing:
    """A job of three phases over two domains, whose agents keep their briefs by task."""

    def __init__(self, *, flat: bool = False, rounds: int = 1) -> None:
        self.briefs: dict[str, Brief] = {}
        hearing = self

        @agent
        async def look(item: str, brief: Brief) -> Outcome[Finding]:
            """Say of one file how bad it is."""
            about = Concern(about="auth.py", message="it looks generated", confidence=0.9, impact=0.1)
            found = Finding(file="auth.py", severity=ord(item[-1]) + brief.round)
            return Outcome(output=found, summary=f"looked at {item}", concerns=(about,))

        @agent
        async def weigh(item: str, look: Handoffs[Finding], brief: Brief) -> str:
            """Weigh what was found."""
            hearing.briefs[brief.subject] = brief
            return item

        @integrator
        async def merge(weighed: Handoffs[str], brief: Brief) -> str:
            """Put it together."""
            hearing.briefs["merge"] = brief
            return "all"

        @agent
        async def fix(item: str, weigh: Handoffs[str], brief: Brief) -> str:
            """Fix it."""
            hearing.briefs[brief.subject] = brief
            return item

        self.job = Job("hearing", goal="Find risks", oversight=Oversight(settle=stricter))
        items, domain = ["x.a", "y.b"], lambda item: item.partition(".")[0]
        self.job.phase("look", each=look, over=lambda: items, domain=domain, flat=flat)
        self.job.phase("weigh", each=weigh, over=lambda: items, domain=domain, needs="look", integrate=merge)
        self.job.phase("fix", each=fix, over=lambda: items, domain=domain, needs="weigh")

    async def run(self, home: Path, run_id: str = "run") -> None:
        async with a_run(self.job, home, run_id=run_id) as run:
            await run_phases(run)
            self.view = view_so_far(run)


DECIDED = "look/y.b counts about Finding:auth.py, as stricter decided for primary: The higher severity counts."


async def test_decisions_are_told_with_who_decided_and_why(tmp_path: Path) -> None:
    hearing = Hearing()
    await hearing.run(tmp_path)

    assert {brief.decisions for brief in hearing.briefs.values()} == {(DECIDED,)}
    assert {brief.changed for brief in hearing.briefs.values()} == {()}


async def test_an_agent_is_told_what_its_domain_delivered_where_it_does_not_receive_it(tmp_path: Path) -> None:
    hearing = Hearing()
    await hearing.run(tmp_path)
    (told,) = hearing.briefs["fix/x.a"].domain

    assert told.startswith("look: look/x.a: looked at x.a (")
    assert hearing.briefs["weigh/x.a"].domain == ()  # it receives all of it


async def test_at_a_flat_moment_all_that_is_open_is_read_by_everybody_who_decides(tmp_path: Path) -> None:
    hearing = Hearing(flat=True)
    await hearing.run(tmp_path)
    concerns = [one.id for one in hearing.view.concerns]
    told = [line.partition(" ")[0] for line in hearing.briefs["weigh/x.a"].flat]

    assert (sorted(told), len(told)) == (sorted(concerns), 2)  # the same is said twice, and stands there twice
    assert hearing.briefs["merge"].flat == hearing.briefs["weigh/x.a"].flat
    assert hearing.briefs["fix/x.a"].flat == ()  # not behind it
    assert [phase.flat and sorted(phase.flat) for phase in hearing.view.phases] == [sorted(concerns), None, None]
    assert hearing.view.phases[0].note == "flat moment: 2 open concerns"


async def test_what_is_told_counts_as_given_by_value(tmp_path: Path) -> None:
    plain, flat = Hearing(), Hearing(flat=True)
    await plain.run(tmp_path, "one")
    await flat.run(tmp_path, "two")
    lines = sum(len(line.encode()) for brief in flat.briefs.values() for line in brief.flat)

    assert flat.view.measures.bytes_by_value - plain.view.measures.bytes_by_value == lines


async def test_a_resumed_run_recalls_everything_and_holds_no_second_flat_moment(tmp_path: Path) -> None:
    hearing = Hearing(flat=True)
    await hearing.run(tmp_path)
    before = hearing.view.record, len(hearing.view.steps)
    hearing.briefs.clear()
    await hearing.run(tmp_path)

    assert (hearing.view.record, len(hearing.view.steps), hearing.briefs) == (*before, {})


async def test_work_that_was_made_anew_is_told(tmp_path: Path) -> None:
    seen: list[tuple[str, ...]] = []

    @agent
    async def write(brief: Brief) -> str:
        """Write it."""
        return f"round {brief.round}"

    @agent
    async def read(write: Handoffs[str], brief: Brief) -> int:
        """Read it."""
        seen.append(brief.changed)
        return 1

    async def reviewed(output: str) -> Verdict:
        return Verdict.accepted() if output == "round 2" else Verdict.rejected("once more")

    job = Job("writing", goal="Write")
    job.phase("write", agent=write, verify=reviewed)
    job.phase("read", agent=read, needs="write")
    async with a_run(job, tmp_path) as run:
        await run_phases(run)

    assert seen == [("made anew, so that only the last version counts: write/write",)]
