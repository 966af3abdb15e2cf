"""X12: phases that are not wanted, and what becomes of those that need them (D3)."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from echelon import AgentFailed, Handoffs, Job, agent, integrator
from echelon.agents.fallback import Fallback
from echelon.coordination.context import RunContext
from echelon.coordination.job_run import run_phases
from echelon.coordination.result import status_after
from echelon.definition.need import Need
from echelon.model.exception_report import Trigger
from echelon.model.run import RunStatus
from echelon.runlog.events import PhaseSkipped, PhaseStarted, RunEnded, StepStarted
from echelon.testing.runs import a_run, view_so_far
from tests.unit.coordination.jobs import ONCE, Watched, missing_in, on_record, output_of

pytestmark = pytest.mark.anyio


class Inputs(BaseModel):
    found: tuple[str, ...] = ()
    deep: bool = True


@agent
async def search(found: tuple[str, ...]) -> list[str]:
    """Search"""
    return list(found)


@agent
async def fix(search: Handoffs[list[str]]) -> str:
    """Fix what was found"""
    return ",".join(search.outputs()[0])


@agent
async def tell(fix: Handoffs[str]) -> str:
    """Tell what was fixed"""
    return f"fixed {fix.outputs()} without {[one.task_id for one in fix.missing]}"


def anything(search: Handoffs[list[str]]) -> str:
    return "" if any(search.outputs()) else "nothing was found"


def fixing(when: Any = anything, need: Any = "fix", **phase: Any) -> Job:
    """Make a job that searches, fixes when that is wanted, and tells."""
    job = Job("fixing", goal="Fix what is found", inputs=Inputs, defaults=ONCE)
    job.phase("search", agent=search)
    job.phase("fix", **{"agent": fix, "needs": "search", "when": when, **phase})
    if need is not None:
        job.phase("tell", agent=tell, needs=need)
    return job


def skipped(run: RunContext) -> dict[str, str]:
    """Return the phases that are shown as skipped, with the reason."""
    return {phase.name: phase.skipped for phase in view_so_far(run).phases if phase.skipped}


async def test_a_phase_that_is_wanted_runs_like_any_other(tmp_path: Path) -> None:
    async with a_run(fixing(), tmp_path, Inputs(found=("a", "b"))) as run:
        await run_phases(run)

        assert (output_of(run), skipped(run)) == ("fixed ['a,b'] without []", {})


async def test_a_phase_that_is_not_wanted_is_skipped_with_its_reason_on_record(tmp_path: Path) -> None:
    seen = Watched()
    async with a_run(fixing(), tmp_path, Inputs(), watch=seen) as run:
        delivered = await run_phases(run)
        exceptions = (await on_record(run)).exceptions

        assert output_of(run) == "fixed [] without []"
        assert skipped(run) == {"fix": "nothing was found"}
        assert missing_in(run) == ()
    assert [(event.phase, event.reason) for event in seen.of(PhaseSkipped)] == [("fix", "nothing was found")]
    assert [event.phase for event in seen.of(PhaseStarted)] == ["search", "tell"]
    assert exceptions == ()
    assert status_after(delivered) is RunStatus.COMPLETED


async def test_a_condition_of_the_inputs_alone_is_asked_too(tmp_path: Path) -> None:
    def deeply(deep: bool) -> bool:
        return deep

    async with a_run(fixing(deeply), tmp_path, Inputs(deep=False)) as run:
        await run_phases(run)

        assert skipped(run) == {"fix": "deeply says that it is not wanted"}


async def test_nobody_is_asked_about_a_phase_that_has_no_items(tmp_path: Path) -> None:
    """It is left out of the plan, so that there is nothing to be wanted or not."""

    def nothing(inputs: Inputs) -> tuple[str, ...]:
        return ()

    @agent
    async def mend(item: str) -> str:
        """Mend one thing"""
        return item

    seen = Watched()
    job = fixing(need=None, agent=None, each=mend, over=nothing, items=(0, 1))
    async with a_run(job, tmp_path, Inputs(), watch=seen) as run:
        delivered = await run_phases(run)

        assert skipped(run) == {}
    assert [event.phase for event in seen.of(StepStarted)] == ["search"]
    assert status_after(delivered) is RunStatus.COMPLETED


async def test_what_cannot_do_without_it_is_skipped_with_it_and_so_on(tmp_path: Path) -> None:
    job = fixing(need=Need("fix", "tight", reason="it tells of nothing else"))
    job.phase("archive", agent=tell, needs=Need("tell", "tight", reason="there is nothing else"))
    async with a_run(job, tmp_path, Inputs()) as run:
        delivered = await run_phases(run)

        assert skipped(run) == {
            "fix": "nothing was found",
            "tell": "it cannot do without phase 'fix', which is skipped: nothing was found",
            "archive": (
                "it cannot do without phase 'tell', which is skipped: it cannot do without phase 'fix', which is "
                "skipped: nothing was found"
            ),
        }
        assert output_of(run) == []
        assert missing_in(run) == ()
    assert status_after(delivered) is RunStatus.COMPLETED


@pytest.mark.parametrize(
    ("need", "output"),
    [
        ("fix", "fixed [] without []"),
        (Need("fix", "loose"), "fixed [] without []"),
        (Need("fix", "none"), "fixed [] without []"),
        (Need("fix", "medium", fallback=Fallback.default("by hand")), "fixed ['by hand'] without []"),
        (Need("fix", "medium", fallback=Fallback.last_good()), "fixed [] without []"),
        (Need("fix", "medium", fallback=Fallback.skip("it is optional")), "fixed [] without []"),
    ],
    ids=["unstated", "loose", "none", "default", "never good", "skip"],
)
async def test_what_can_do_without_it_goes_on_with_nothing_or_with_what_stands_in(
    tmp_path: Path, need: Any, output: str
) -> None:
    async with a_run(fixing(need=need), tmp_path, Inputs()) as run:
        delivered = await run_phases(run)

        assert output_of(run) == output
    assert status_after(delivered) is RunStatus.COMPLETED


async def test_a_phase_of_items_that_is_skipped_is_replaced_item_by_item_or_as_it_is_put_together(
    tmp_path: Path,
) -> None:
    @agent
    async def mend(item: str) -> str:
        """Mend"""
        return item

    @integrator
    def join(mended: Handoffs[str]) -> str:
        return "+".join(mended.outputs())

    given, need = Inputs(found=("a", "b")), Need("fix", fallback=Fallback.default("?"))
    outputs: list[object] = []
    for more in ({}, {"integrate": join}):
        job = fixing(lambda deep: not deep, need, agent=None, each=mend, over=lambda found: found, **more)
        async with a_run(job, tmp_path / str(bool(more)), given) as run:
            await run_phases(run)
            outputs.append(output_of(run))

    assert outputs == ["fixed ['?', '?'] without []", "fixed ['?'] without []"]


async def test_the_last_good_output_stands_in_for_a_phase_that_is_skipped_today(tmp_path: Path) -> None:
    days = iter([True, False])
    job = fixing(lambda deep: next(days), Need("fix", fallback=Fallback.last_good()))
    given = Inputs(found=("a",))
    for run_id in ("yesterday", "today"):
        async with a_run(job, tmp_path, given, run_id=run_id) as run:
            delivered = await run_phases(run)
            output = output_of(run)
            await run.log.append(RunEnded(run_id=run_id, at=run.now(), status=RunStatus.COMPLETED))

    assert output == "fixed ['a'] without []"
    assert status_after(delivered) is RunStatus.COMPLETED


async def test_a_run_whose_last_phase_is_skipped_is_completed_with_the_output_before_it(tmp_path: Path) -> None:
    async with a_run(fixing(need=None), tmp_path, Inputs()) as run:
        delivered = await run_phases(run)
        view = view_so_far(run)

    assert status_after(delivered) is RunStatus.COMPLETED
    assert view.output == []
    assert (view.launched, view.returned, view.missing) == (2, 2, ())  # the search, and the question


async def test_a_phase_of_which_nobody_can_tell_whether_it_is_wanted_is_missing_and_named(tmp_path: Path) -> None:
    def broken(search: Handoffs[list[str]]) -> bool:
        raise AgentFailed("no such rule")

    async with a_run(fixing(broken), tmp_path, Inputs()) as run:
        delivered = await run_phases(run)
        reasons = {one.task_id: one.reason for one in missing_in(run)}
        triggers = [report.trigger for report in (await on_record(run)).exceptions]
        view = view_so_far(run)

    assert reasons == {
        "fix/when/broken": "no such rule",
        "fix/fix": "broken does not say whether it is wanted: no such rule",
        "tell/tell": "phase 'fix' delivered nothing",
    }
    assert Trigger.EMPTY not in triggers
    assert view.launched == view.returned + len(view.missing)
    assert status_after(delivered) is RunStatus.FAILED


async def test_a_fallback_stands_in_for_a_phase_of_which_nobody_can_tell(tmp_path: Path) -> None:
    def broken(search: Handoffs[list[str]]) -> bool:
        raise AgentFailed("no such rule")

    need = Need("fix", fallback=Fallback.default("by hand"))
    async with a_run(fixing(broken, need), tmp_path, Inputs()) as run:
        delivered = await run_phases(run)

        assert output_of(run) == "fixed ['by hand'] without []"
    assert status_after(delivered) is RunStatus.PARTIAL


async def test_a_phase_that_finds_its_items_is_asked_for_them_only_when_it_is_wanted(tmp_path: Path) -> None:
    asked: list[str] = []

    def bugs(search: Handoffs[list[str]]) -> list[str]:
        asked.append("over")
        return search.outputs()[0]

    @agent
    async def mend(bug: str) -> str:
        """Mend"""
        return bug

    outputs: list[object] = []
    for found in ((), ("a", "b")):
        job = fixing(agent=None, each=mend, over=bugs)
        async with a_run(job, tmp_path / str(len(found)), Inputs(found=found)) as run:
            delivered = await run_phases(run)
            outputs.append((output_of(run), asked.copy(), status_after(delivered)))
            triggers = [report.trigger for report in (await on_record(run)).exceptions]

        assert Trigger.EMPTY not in triggers
    assert outputs == [
        ("fixed [] without []", [], RunStatus.COMPLETED),
        ("fixed ['a', 'b'] without []", ["over"], RunStatus.COMPLETED),
    ]


async def test_a_phase_that_cannot_start_is_not_asked_about(tmp_path: Path) -> None:
    asked: list[str] = []

    @agent(name="search")
    async def lost(found: tuple[str, ...]) -> list[str]:
        raise AgentFailed("nobody is there")

    def wanted(search: Handoffs[list[str]]) -> bool:
        asked.append("when")
        return True

    job = Job("fixing", goal="Fix", inputs=Inputs, defaults=ONCE)
    job.phase("search", agent=lost)
    job.phase("fix", agent=fix, needs="search", when=wanted)
    async with a_run(job, tmp_path, Inputs()) as run:
        await run_phases(run)

        assert [one.task_id for one in missing_in(run)] == ["search/search", "fix/fix"]
    assert asked == []


NOTHING = "fixed [] without []"


class TestResumed:
    """A run that is gone on with."""

    async def test_a_question_that_has_an_answer_is_not_asked_again(self, tmp_path: Path) -> None:
        asked: list[str] = []

        def wanted(search: Handoffs[list[str]]) -> bool:
            asked.append("when")
            return False

        for seen in (Watched(), again := Watched()):
            async with a_run(fixing(wanted), tmp_path, Inputs(), watch=seen) as run:
                await run_phases(run)

                assert skipped(run) == {"fix": "wanted says that it is not wanted"}
        assert asked == ["when"]
        assert (again.of(PhaseSkipped), again.of(StepStarted)) == ([], [])

    @pytest.mark.parametrize(
        ("finds", "shown"),
        [
            ([(), ("b",)], [(NOTHING, {"fix": "nothing was found"}), ("fixed ['b'] without []", {})]),
            ([("a",), ()], [("fixed ['a'] without []", {}), (NOTHING, {"fix": "nothing was found"})]),
        ],
        ids=["skipped first", "wanted first"],
    )
    async def test_it_is_asked_again_when_what_it_was_told_has_changed(
        self, tmp_path: Path, finds: list[tuple[str, ...]], shown: list[object]
    ) -> None:
        seen: list[object] = []
        for version, found in enumerate(finds):
            async with a_run(_searching(version, found), tmp_path, Inputs()) as run:
                delivered = await run_phases(run)
                seen.append((output_of(run), skipped(run)))

            assert status_after(delivered) is RunStatus.COMPLETED
        assert seen == shown


def _searching(version: int, found: tuple[str, ...]) -> Job:
    """Make a job whose search is of another version each time: what is done counts until its code changes (F8)."""

    def search(offset: int = version) -> list[str]:
        """Search"""
        return list(found)

    job = Job("fixing", goal="Fix what is found", inputs=Inputs, defaults=ONCE)
    job.phase("search", agent=agent(search))
    job.phase("fix", agent=fix, needs="search", when=anything)
    job.phase("tell", agent=tell, needs="fix")
    return job
