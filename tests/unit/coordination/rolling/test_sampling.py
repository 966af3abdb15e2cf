"""A sample of a run: a few tasks of each wide phase are done, the rest is done when it is set to work again (V6)."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from echelon import Handoffs, Job, Repeat, agent
from echelon.coordination.context import RunContext
from echelon.coordination.job_run import run_phases
from echelon.coordination.result import status_after
from echelon.model.exception_report import Trigger
from echelon.model.run import RunStatus, RunView
from echelon.planning.sample import held_back
from echelon.runlog.events import RunReopened, SampleAsked, StepStarted
from echelon.testing.runs import a_run, view_so_far
from tests.unit.coordination.jobs import ONCE, Item, Items, Watched, items, look, looking, of_domain, staged

pytestmark = pytest.mark.anyio


@agent
async def conclude(look: Handoffs[str]) -> list[str]:
    """Say what was seen."""
    return [*look.outputs(), *(f"without {missing.task_id}" for missing in look.missing)]


@agent(effect="irreversible")
async def send(conclude: Handoffs[list[str]]) -> int:
    """Send what was seen."""
    return len(conclude.outputs()[0])


@agent
async def thank(send: Handoffs[int]) -> str:
    """Thank for what was sent."""
    return f"thanks for {send.outputs()[0]}"


def letters() -> Job:
    """Make a job whose third phase cannot be undone."""
    job = looking()
    job.phase("conclude", agent=conclude, needs="look")
    job.phase("send", agent=send, needs="conclude")
    job.phase("thank", agent=thank, needs="send")
    return job


async def sample(run: RunContext, number: int = 2) -> RunView:
    """Ask for a sample of a run, carry it out, and return what everybody is shown of it."""
    at, run_id = run.now(), run.spec.run_id
    await run.log.append(SampleAsked(run_id=run_id, at=at, items=number, held=held_back(run.spec.plan)))
    await run_phases(run)
    return view_so_far(run)


async def all_of(run: RunContext) -> RunView:
    """Set a run to work again, carry it out as a whole, and return what everybody is shown of it."""
    await run.log.append(RunReopened(run_id=run.spec.run_id, at=run.now(), before=RunStatus.WAITING))
    await run_phases(run)
    return view_so_far(run)


def begun(seen: Watched) -> list[str]:
    return sorted(event.task_id for event in seen.events if isinstance(event, StepStarted))


async def test_a_few_tasks_of_each_domain_are_done_and_their_consumers_go_on_with_those(tmp_path: Path) -> None:
    job = looking()
    job.phase("conclude", agent=conclude, needs="look")
    async with a_run(job, tmp_path, items(5, 5)) as run:
        view = await sample(run)

    assert view.output == ["i2", "i7"]
    assert (view.launched, view.returned, view.missing) == (3, 3, ())
    assert view.rest is not None
    assert [(one.phase, one.left, one.again) for one in view.rest.phases] == [("look", 8, 0), ("conclude", 0, 1)]


async def test_what_is_left_is_done_when_the_run_is_set_to_work_again_and_nothing_twice(tmp_path: Path) -> None:
    given, seen = items(4, 4), Watched()
    async with a_run(looking(integrate=staged), tmp_path / "a", given) as run:
        await sample(run)
    async with a_run(looking(integrate=staged), tmp_path / "a", given, watch=seen) as run:
        resumed = await all_of(run)
    async with a_run(looking(integrate=staged), tmp_path / "b", given) as run:
        await run_phases(run)
        undisturbed = view_so_far(run)

    assert resumed.output == undisturbed.output
    assert resumed.rest is None
    assert [task for task in begun(seen) if "/i" in task] == [f"look/i{n}" for n in (0, 1, 3, 4, 5, 7)]


async def test_what_cannot_be_undone_is_not_begun_nor_what_needs_it(tmp_path: Path) -> None:
    seen = Watched()
    async with a_run(letters(), tmp_path, items(2), watch=seen) as run:
        view = await sample(run, 5)

    assert begun(seen) == ["conclude/conclude", "look/i0", "look/i1"]
    assert view.output == ["i0", "i1"]
    assert view.rest is not None
    assert [one.phase for one in view.rest.left_out] == ["send", "thank"]
    assert Trigger.EMPTY not in {report.trigger for report in view.exceptions}


async def test_a_run_without_a_wide_phase_is_done_as_a_whole(tmp_path: Path) -> None:
    async with a_run(looking(), tmp_path, items(2, 1)) as run:
        view = await sample(run, 3)

    assert (view.launched, view.rest, view.waiting) == (3, None, None)


def found(look: Handoffs[str]) -> list[Item]:
    """Find an item for each one that was seen."""
    return [Item(id=f"of-{name}") for name in look.outputs()]


async def test_items_found_on_the_way_are_found_in_the_sample_and_anew_in_the_whole(tmp_path: Path) -> None:
    job = looking()
    job.phase("again", each=look, over=found, key=lambda item: item.id, needs="look")
    async with a_run(job, tmp_path, items(6)) as run:
        view = await sample(run, 3)
    async with a_run(job, tmp_path, items(6)) as run:
        whole = await all_of(run)

    assert view.output == {f"again/of-i{n}": f"of-i{n}" for n in (0, 3, 4)}
    assert view.rest is not None
    assert "the items of phase 'again' were found from a part of what they are found in: there may be more" in (
        view.rest.notes
    )
    assert whole.output == {f"again/of-i{n}": f"of-i{n}" for n in range(6)}


async def test_a_phase_of_found_items_that_cannot_be_undone_is_not_asked_for_them(tmp_path: Path) -> None:
    asked: list[int] = []

    def to_send(look: Handoffs[str]) -> list[Item]:
        asked.append(len(look))
        return [Item(id=name) for name in look.outputs()]

    @agent(effect="irreversible")
    async def post(item: Item) -> str:
        return item.id

    job = looking()
    job.phase("post", each=post, over=to_send, key=lambda item: item.id, needs="look")
    async with a_run(job, tmp_path, items(4)) as run:
        view = await sample(run)

    assert asked == []
    assert view.rest is not None
    assert [(one.phase, one.tasks) for one in view.rest.left_out] == [("look", 2), ("post", 0)]
    assert Trigger.EMPTY not in {report.trigger for report in view.exceptions}
    assert view.output == {"look/i0": "i0", "look/i2": "i2"}


def long_enough(output: str) -> str:
    """Say what is missing of what was shouted."""
    return "" if output.endswith("!!") else "say it louder"


async def test_work_that_is_repeated_is_repeated_for_the_sample_only(tmp_path: Path) -> None:
    said: dict[str, int] = {}

    @agent
    async def shout(item: Item) -> str:
        said[item.id] = said.get(item.id, 0) + 1
        return item.id + "!" * said[item.id]

    job = Job("loud", goal="Shout", inputs=Items)
    job.phase(
        "shout", each=shout, over=lambda items: items, domain=of_domain, repeat=Repeat(until=long_enough, rounds=3)
    )
    async with a_run(job, tmp_path, items(3, 3)) as run:
        view = await sample(run)

    assert said == {"i1": 2, "i4": 2}
    assert view.rest is not None
    assert (view.rest.left, view.rest.phases[0].completed) == (4, 2)


async def test_a_loop_of_phases_goes_over_the_sample_only(tmp_path: Path) -> None:
    rounds: list[Sequence[str]] = []

    @agent
    async def judge(look: Handoffs[str]) -> str:
        rounds.append(sorted(look.outputs()))
        return f"round {len(rounds)}"

    def enough(judge: Handoffs[str]) -> str:
        return "" if judge.outputs() == ["round 2"] else "once more"

    job = looking()
    job.phase("judge", agent=judge, needs="look")
    job.loop(["look", "judge"], until=enough, rounds=3)
    async with a_run(job, tmp_path, items(5)) as run:
        view = await sample(run)

    assert rounds == [["i0", "i2"], ["i0", "i2"]]
    assert view.rest is not None
    assert (view.rest.left, view.rest.again) == (3, 1)


async def test_a_sample_that_delivers_nothing_has_failed_and_waits_otherwise(tmp_path: Path) -> None:
    async with a_run(looking(), tmp_path / "a", items(4, failing=frozenset({0, 2}))) as run:
        await run.log.append(SampleAsked(run_id=run.spec.run_id, at=run.now(), items=2))
        failed = await run_phases(run)
    async with a_run(looking(), tmp_path / "b", items(4, failing=frozenset({0}))) as run:
        await run.log.append(SampleAsked(run_id=run.spec.run_id, at=run.now(), items=2))
        partial = await run_phases(run)

    assert status_after(failed, is_sample=True) is RunStatus.FAILED
    assert status_after(partial, is_sample=True) is RunStatus.WAITING
    assert status_after({}, is_sample=True) is RunStatus.WAITING


async def test_agents_that_go_on_with_their_item_do_the_same_items_in_both_phases(tmp_path: Path) -> None:
    @agent
    async def judge(item: Item, look: Handoffs[str]) -> str:
        return f"{look.outputs()[0]} is fine"

    job = Job("judging", goal="Judge", inputs=Items, defaults=ONCE, merge="auto")
    job.phase("look", each=look, over=lambda items: items, domain=of_domain)
    job.phase("judge", each=judge, over=lambda items: items, domain=of_domain, needs="look")
    async with a_run(job, tmp_path, items(5, 4)) as run:
        view = await sample(run, 4)

    assert run.spec.plan.phases[1].continues == "look"
    assert view.output == {f"judge/i{n}": f"i{n} is fine" for n in (0, 2, 5, 7)}
    assert view.rest is not None
    assert [(one.phase, one.left, one.again) for one in view.rest.phases] == [("look", 5, 0), ("judge", 5, 0)]
    assert view.rest.seconds is not None
