"""A contradiction ends a wave, is settled between waves, and found and decided once (X3, X9)."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from echelon import Brief, Conflict, Handoffs, Job, Key, Sync, agent, integrator
from echelon.contract.claims import FieldClaim
from echelon.coordination.job_run import run_phases
from echelon.coordination.result import status_after
from echelon.model.run import RunStatus, RunView
from echelon.oversight.conflicts.claimed import Claimed
from echelon.oversight.conflicts.finding import Statement, find_conflicts
from echelon.runlog.events import ConcernRaised, StepEnded
from echelon.runlog.judging.conflict_events import ConflictFound, ConflictSettled
from echelon.testing.runs import a_run, view_so_far
from tests.unit.coordination.jobs import ONCE, Item, Items, Watched, items, of_domain

pytestmark = pytest.mark.anyio


class Format(BaseModel):
    """What somebody says of a file."""

    file: Annotated[str, Key()]
    encoding: str


#: What is said of the file, by item; everybody else says `utf-8`.
SAID: dict[str, str] = {}

#: The brief of each item.
TOLD: dict[str, Brief] = {}


@agent
async def look(item: Item, brief: Brief) -> Format:
    """Say what the encoding is."""
    TOLD[item.id] = brief
    return Format(file="data.csv", encoding=SAID.get(item.id, "utf-8"))


async def first(conflict: Conflict) -> str:
    """The first one counts."""
    return conflict.sides[0].task_id


async def nobody_knows(conflict: Conflict) -> str:
    """Nobody can tell."""
    return ""


@integrator
async def listed(seen: Handoffs[Format]) -> list[str]:
    """List who says what, with what does not count."""
    return sorted(f"{one.task_id} {one.load().encoding} {one.caveat}".strip() for one in seen)


CONFLICTS = Sync.on("conflict")


def in_waves(sync: Any = CONFLICTS, **phase: Any) -> Job:
    job = Job("contradicting", goal="See everything", inputs=Items, defaults=ONCE)
    job.phase("look", each=look, over=lambda items: items, domain=of_domain, sync=sync, integrate=listed, **phase)
    return job


async def carried_out(job: Job, home: Path, given: Items, said: dict[str, str]) -> tuple[RunView, Watched, RunStatus]:
    SAID.clear()
    SAID.update(said)
    TOLD.clear()
    seen = Watched()
    async with a_run(job, home, given, watch=seen, max_concurrency=1) as run:
        outputs = await run_phases(run)
        return view_so_far(run), seen, status_after(outputs)


async def test_a_contradiction_ends_a_wave_and_who_comes_behind_is_told_what_was_decided(tmp_path: Path) -> None:
    view, seen, status = await carried_out(in_waves(settle=first), tmp_path, items(6), {"i1": "latin-1"})

    assert [(len(one.tasks), one.ended_by, one.revealed) for one in view.sync.waves] == [
        (2, "event", 2),
        (4, "last", 0),
    ]
    assert len(seen.of(ConflictFound)) == len(seen.of(ConflictSettled)) == 1
    assert TOLD["i1"].decisions == ()
    assert "look/i0 counts about Format:data.csv, as first decided" in TOLD["i2"].decisions[0]
    assert "look/i0 and look/i1 contradict each other about Format:data.csv" in TOLD["i2"].summary
    assert view.output[0] == "look/i0 utf-8"
    assert "look/i0 counts, as first decided" in view.output[1]
    assert status is RunStatus.COMPLETED


async def test_what_says_the_same_as_what_was_decided_is_no_event_and_what_says_else_is_one(tmp_path: Path) -> None:
    said = {"i1": "latin-1", "i4": "utf-16"}

    view, seen, _ = await carried_out(in_waves(settle=first), tmp_path, items(8), said)

    assert [len(one.tasks) for one in view.sync.waves] == [2, 3, 3]
    assert [[side.task_id for side in one.record.conflict.sides] for one in seen.of(ConflictFound)] == [
        ["look/i0", "look/i1"],
        ["look/i0", "look/i4"],
    ]


@pytest.mark.parametrize("settle", [None, nobody_knows])
async def test_what_nobody_decides_is_raised_once_though_others_join_it(tmp_path: Path, settle: Any) -> None:
    """Those behind it say the same again: it is the contradiction that is on record, at the end, too."""
    said = {"i1": "latin-1", "i3": "latin-1", "i5": "latin-1"}
    job = in_waves(**({"settle": settle} if settle else {}))

    view, seen, status = await carried_out(job, tmp_path, items(8), said)

    assert [len(one.tasks) for one in view.sync.waves] == [2, 6]
    assert len(seen.of(ConflictFound)) == len(seen.of(ConcernRaised)) == 1
    assert status is RunStatus.PARTIAL


async def test_a_wave_without_a_contradiction_is_done_whole(tmp_path: Path) -> None:
    view, seen, _ = await carried_out(in_waves(settle=first), tmp_path, items(5), {})

    assert [(len(one.tasks), one.ended_by) for one in view.sync.waves] == [(5, "last")]
    assert seen.of(ConflictFound) == []


async def test_no_other_policy_settles_before_the_end(tmp_path: Path) -> None:
    view, seen, _ = await carried_out(in_waves(Sync.every(2), settle=first), tmp_path, items(4), {"i1": "latin-1"})

    assert [len(one.tasks) for one in view.sync.waves] == [2, 2]
    assert len(seen.of(ConflictFound)) == 1
    assert TOLD["i3"].decisions == ()


async def test_a_domain_is_compared_in_its_own_rhythm(tmp_path: Path) -> None:
    job = in_waves({"d0": Sync.on("conflict"), "*": "phase"}, settle=first)

    view, seen, _ = await carried_out(job, tmp_path, items(5, 5), {"i1": "latin-1", "i6": "utf-16"})

    waves = {name: [len(one.tasks) for one in view.sync.waves if one.domain == name] for name in ("d0", "d1")}
    assert waves == {"d0": [2, 3], "d1": [5]}
    assert len(seen.of(ConflictFound)) >= 2


@pytest.mark.parametrize("settle", [first, nobody_knows])
async def test_a_run_that_is_resumed_finds_and_decides_nothing_again(
    tmp_path: Path, settle: Callable[..., Any]
) -> None:
    said = {"i1": "latin-1", "i4": "utf-16", "i6": "latin-1"}
    job = in_waves(settle=settle)
    before, _, was = await carried_out(job, tmp_path, items(8), said)

    view, again, status = await carried_out(job, tmp_path, items(8), said)

    assert (view.output, view.sync, view.conflicts, status) == (before.output, before.sync, before.conflicts, was)
    assert [*again.of(ConflictFound), *again.of(ConflictSettled), *again.of(StepEnded), *again.of(ConcernRaised)] == []


def _statement(number: int, said: str) -> Statement:
    claim = FieldClaim(subject="Format:a", field="encoding", digest=said, said=said)
    return Statement(task_id=f"t{number}", producer="a", version=str(number), confidence=1, claims=[claim])


@given(st.lists(st.sampled_from("abc"), max_size=8))
def test_it_is_an_event_as_soon_as_there_is_a_conflict_and_once_for_each_thing_said(said: list[str]) -> None:
    claimed, statements, events = Claimed(), list[Statement](), 0
    for number, one in enumerate(said):
        statements.append(_statement(number, one))
        is_event = claimed.add(statements[-1:])
        events += is_event
        assert not is_event or find_conflicts("look", statements)

    assert events == max(0, len(set(said)) - 1)
    assert bool(events) == bool(find_conflicts("look", statements))
