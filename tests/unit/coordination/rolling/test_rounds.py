"""X12, D11: work is done again until somebody else finds that it passes; what passed is not done again."""

import asyncio
from collections.abc import Callable
from itertools import cycle
from pathlib import Path
from typing import Any

import pytest

from echelon import AgentFailed, Budget, Concern, Handoffs, Outcome, Resilience, Rounds, Usage, Verdict, agent, command
from echelon.agents.fallback import Fallback
from echelon.coordination.context import RunContext
from echelon.coordination.job_run import run_phases
from echelon.coordination.result import status_after
from echelon.definition.need import Need
from echelon.model.graph import Coupling
from echelon.model.handoff import Handoff
from echelon.model.run import RunStatus, StepKind
from echelon.model.status import Status
from echelon.runlog.costs.measures import measure
from echelon.testing.runs import a_run, view_so_far
from tests.unit.coordination.jobs import missing_in, output_of
from tests.unit.coordination.rolling.mending import Bug, Fix, Workshop, bugs, listed

pytestmark = pytest.mark.anyio


def latest(run: RunContext, task_id: str) -> Handoff:
    """Return what is on record of a task, or of a check, last."""
    return next(step.handoff for name, step in run.log.state.latest.items() if name.task_id == task_id)


def ends(run: RunContext, kind: StepKind = StepKind.TASK) -> dict[str, tuple[str | None, int]]:
    """Return for each repeated task why no further round is made, and the rounds that were made."""
    steps = [step.handoff for name, step in run.log.state.latest.items() if name.kind is kind]
    return {handoff.task_id: (handoff.stopped_by, handoff.rounds) for handoff in steps}


async def test_only_what_did_not_pass_is_done_again(tmp_path: Path) -> None:
    shop = Workshop()
    async with a_run(shop.publishing(), tmp_path, bugs(1, 3, 2)) as run:
        delivered = await run_phases(run)

        assert output_of(run) == ["b0@1", "b1@3", "b2@2"]
        assert missing_in(run) == ()
        assert ends(run)["fix/b1"] == ("passed", 3)
    assert sorted(shop.asked) == sorted(shop.checked) == ["b0@1", "b1@1", "b1@2", "b1@3", "b2@1", "b2@2"]
    assert status_after(delivered) is RunStatus.COMPLETED


async def test_a_round_is_told_what_was_missing_and_given_what_it_delivered_before(tmp_path: Path) -> None:
    shop = Workshop()
    async with a_run(shop.job(), tmp_path, bugs(3)) as run:
        await run_phases(run)

    told = {name: (brief.round, brief.gaps) for name, brief in shop.briefs.items()}
    assert told == {
        "b0@1": (1, ()),
        "b0@2": (2, ("2 tests fail",)),
        "b0@3": (3, ("2 tests fail", "1 tests fail")),
    }
    assert [fix.round for fix in shop.rounds["b0@3"]] == [1, 2]


async def test_a_check_sees_the_rounds_so_far_with_the_one_it_judges(tmp_path: Path) -> None:
    seen: list[list[tuple[int, int, str]]] = []

    def passes(output: Fix, rounds: Rounds[Fix]) -> bool:
        seen.append([(one.number, one.load().round, one.gap) for one in rounds])
        return output.round == 2

    shop = Workshop()
    async with a_run(shop.job(passes), tmp_path, bugs(1)) as run:
        await run_phases(run)

    assert seen == [[(1, 1, "")], [(1, 1, "it does not pass"), (2, 2, "")]]


async def test_work_that_never_passes_ends_after_its_rounds_and_says_so(tmp_path: Path) -> None:
    shop = Workshop()
    async with a_run(shop.job(rounds=3), tmp_path, bugs(9, 1)) as run:
        delivered = await run_phases(run)

        assert ends(run) == {"fix/b0": ("rounds", 3), "fix/b1": ("passed", 1)}
        (lost,) = missing_in(run)
    assert (lost.task_id, lost.over_limit) == ("fix/b0", True)
    assert lost.reason == "it does not pass after 3 rounds, and that is as often as it may be done: 6 tests fail"
    assert status_after(delivered) is RunStatus.PARTIAL


async def test_a_run_whose_last_phase_never_passes_is_partial(tmp_path: Path) -> None:
    """Bounded and named: a stated limit was kept, which is another thing than work that failed."""
    shop = Workshop()
    async with a_run(shop.job(rounds=2), tmp_path, bugs(9)) as run:
        delivered = await run_phases(run)

        assert output_of(run) is None
    assert status_after(delivered) is RunStatus.PARTIAL
    assert shop.asked == ["b0@1", "b0@2"]


async def test_work_that_goes_to_and_fro_between_two_answers_ends_before_its_rounds(tmp_path: Path) -> None:
    found = cycle(["it is too long", "it is too short"])
    shop = Workshop()
    async with a_run(shop.job(lambda output: next(found), rounds=50), tmp_path, bugs(1)) as run:
        await run_phases(run)

        assert ends(run)["fix/b0"] == ("no_progress", 4)
        assert "the check finds the same again and again: it is too short" in missing_in(run)[0].reason


async def test_a_check_that_cannot_tell_ends_it_at_once(tmp_path: Path) -> None:
    shop = Workshop()
    async with a_run(shop.job(lambda output: Verdict.unverifiable("there are no tests")), tmp_path, bugs(1)) as run:
        delivered = await run_phases(run)

        assert ends(run)["fix/b0"] == ("unverifiable", 1)
        assert missing_in(run)[0].reason == (
            "it does not pass after 1 round, and the check cannot tell: there are no tests"
        )
    assert status_after(delivered) is RunStatus.PARTIAL


async def broken(output: Fix) -> bool:
    raise ValueError("no such test")


async def slow(output: Fix) -> bool:
    await asyncio.Event().wait()
    return True


async def none(output: Fix):  # type: ignore[no-untyped-def]
    return None


@pytest.mark.parametrize(
    ("check", "limits", "said"),
    [
        (broken, {}, "its check, fix/b0/until/broken, was not made: ValueError: no such test"),
        (slow, {"timeout_seconds": 0.05}, "its check, fix/b0/until/slow, was not made"),
        (none, {}, "its check, fix/b0/until/none, was not made"),
    ],
    ids=["raises", "hangs", "says nothing"],
)
async def test_work_whose_check_is_not_made_counts_as_not_done(
    tmp_path: Path, check: Any, limits: dict[str, Any], said: str
) -> None:
    shop, policy = Workshop(), Resilience(attempts=1, **limits)
    async with a_run(shop.job(check, resilience=policy), tmp_path, bugs(1)) as run:
        delivered = await run_phases(run)

        assert ends(run)["fix/b0"] == ("failed", 1)
        reasons = {one.task_id: one.reason for one in missing_in(run)}
    assert said in reasons["fix/b0"]
    assert f"fix/b0/until/{check.__name__}" in reasons
    assert status_after(delivered) is RunStatus.FAILED


async def test_an_agent_that_fails_in_a_later_round_ends_it_with_the_rounds_that_were_made(tmp_path: Path) -> None:
    shop = Workshop()
    async with a_run(shop.job(), tmp_path, bugs(3, fails={0: (2,)})) as run:
        await run_phases(run)
        handoff = latest(run, "fix/b0")

    assert (handoff.status, handoff.stopped_by, handoff.rounds, handoff.attempts) == (Status.FAILED, "failed", 2, 2)
    assert handoff.error is not None
    assert handoff.error.message == "b0 cannot be fixed"
    assert shop.checked == ["b0@1"]


async def test_a_budget_that_is_used_up_in_a_later_round_ends_it(tmp_path: Path) -> None:
    shop = Workshop()
    job = shop.job(rounds=9)
    job.budget = Budget(calls=4)
    async with a_run(job, tmp_path, bugs(9)) as run:
        delivered = await run_phases(run)
        handoff = latest(run, "fix/b0")

    assert handoff.stopped_by == "budget"
    assert 1 < handoff.rounds < 9
    assert status_after(delivered) is RunStatus.PARTIAL  # a stated limit was kept


async def test_a_fallback_stands_in_for_what_does_not_pass(tmp_path: Path) -> None:
    @agent
    async def by_hand(bug: Bug) -> Fix:
        return Fix(id=bug.id, round=99)

    shop = Workshop()
    async with a_run(shop.publishing(rounds=2, fallback=by_hand), tmp_path, bugs(1, 9)) as run:
        delivered = await run_phases(run)

        assert output_of(run) == ["b0@1", "b1@99"]
        assert missing_in(run) == ()
    assert status_after(delivered) is RunStatus.COMPLETED


async def test_usage_concerns_and_attempts_of_all_rounds_count_once(tmp_path: Path) -> None:
    concern = Concern(about="b0", message="it is ugly", confidence=0.9, impact=0.1)

    @agent
    async def fix(bug: Bug, rounds: Rounds[Fix]) -> Outcome[Fix]:
        fixed = Fix(id=bug.id, round=len(rounds) + 1, needs=bug.rounds)
        return Outcome(output=fixed, usage=Usage(tokens_in=10), concerns=() if rounds else (concern,))

    shop = Workshop()
    async with a_run(shop.job(each=fix), tmp_path, bugs(1, 3)) as run:
        await run_phases(run)
        measures = measure(run.log.state.steps, 1.0)
        raised = [record.source for record in run.log.state.concerns.values()]
        handoffs = [latest(run, f"fix/b{n}") for n in range(2)]

    assert measures.tokens == 10 + 3 * 10
    assert (measures.completed, measures.failed, measures.first_try_rate) == (2, 0, 0.5)
    assert raised == ["fix/b0", "fix/b1"]
    assert [(handoff.attempts, handoff.rounds) for handoff in handoffs] == [(1, 1), (3, 3)]


async def test_everything_that_is_launched_returns_or_is_missing(tmp_path: Path) -> None:
    shop = Workshop()
    async with a_run(shop.publishing(rounds=2), tmp_path, bugs(1, 2, 9)) as run:
        await run_phases(run)
        view = view_so_far(run)

    assert view.launched == view.returned + len(view.missing)
    assert [one.task_id for one in view.missing] == ["fix/b2"]


async def test_a_command_checks_single_work_and_what_it_writes_is_told(tmp_path: Path) -> None:
    check = command(["sh", "-c", 'echo "{id} is broken" >&2; exit 1'], name="pytest")
    shop = Workshop()
    async with a_run(shop.job(check, rounds=9), tmp_path, bugs(1)) as run:
        await run_phases(run)

        assert ends(run)["fix/b0"] == ("no_progress", 3)
    assert shop.briefs["b0@2"].gaps == ("b0 is broken",)


async def test_a_command_that_is_not_there_is_a_check_that_is_not_made(tmp_path: Path) -> None:
    shop = Workshop()
    async with a_run(shop.job(command(["no-such-program", "{id}"])), tmp_path, bugs(1)) as run:
        await run_phases(run)

        assert ends(run)["fix/b0"] == ("failed", 1)
    assert shop.asked == ["b0@1"]


def nothing_passes(fix: Handoffs[Fix]) -> bool:
    return False


class TestWholePhase:
    """A check of all that a phase hands on."""

    async def test_only_the_items_that_it_names_are_done_again(self, tmp_path: Path) -> None:
        shop = Workshop()
        async with a_run(shop.publishing(shop.all_pass), tmp_path, bugs(1, 3, 2)) as run:
            delivered = await run_phases(run)

            assert output_of(run) == ["b0@1", "b1@3", "b2@2"]
            assert ends(run, StepKind.CHECK) == {"fix/until/all_pass": ("passed", 3)}
        assert shop.asked == ["b0@1", "b1@1", "b2@1", "b1@2", "b2@2", "b1@3"]
        assert {one.task_id: one.stopped_by for one in delivered["fix"].handoffs} == dict.fromkeys(
            ["fix/b0", "fix/b1", "fix/b2"], "passed"
        )

    async def test_each_is_told_what_is_missing_of_it(self, tmp_path: Path) -> None:
        shop = Workshop()
        async with a_run(shop.job(shop.all_pass), tmp_path, bugs(1, 3)) as run:
            await run_phases(run)

        assert shop.briefs["b1@3"].gaps == ("2 tests fail", "1 tests fail")
        assert [fix.round for fix in shop.rounds["b1@3"]] == [1, 2]

    async def test_what_is_put_together_is_put_together_anew_in_each_round(self, tmp_path: Path) -> None:
        judged: list[list[str]] = []

        def good(fix: Handoffs[list[str]]) -> Verdict:
            (one,) = fix.outputs()
            judged.append(one)
            return Verdict.accepted() if "b1@2" in one else Verdict.rejected("b1 is old", {"b1": "it is old"})

        shop = Workshop()
        async with a_run(shop.publishing(good, integrate=listed), tmp_path, bugs(1, 1)) as run:
            await run_phases(run)

            assert output_of(run) == ["b0@1", "b1@2"]
        assert judged == [["b0@1", "b1@1"], ["b0@1", "b1@2"]]
        assert shop.asked == ["b0@1", "b1@1", "b1@2"]

    @pytest.mark.parametrize("said", ["all is bad", Verdict.rejected("all is bad", {"stranger": "bad"})])
    async def test_all_of_it_is_done_again_where_it_names_none(self, tmp_path: Path, said: str | Verdict) -> None:
        def good(fix: Handoffs[Fix]) -> str | Verdict:
            return "" if all(one.round == 2 for one in fix.outputs()) else said

        shop = Workshop()
        async with a_run(shop.job(good), tmp_path, bugs(1, 1)) as run:
            await run_phases(run)

        assert shop.asked == ["b0@1", "b1@1", "b0@2", "b1@2"]
        assert shop.briefs["b0@2"].gaps == ("all is bad",)

    async def test_an_item_may_be_named_as_it_is_on_record(self, tmp_path: Path) -> None:
        def good(fix: Handoffs[Fix]) -> Verdict:
            old = {f"fix/{one.id}": "it is old" for one in fix.outputs() if one.round < one.needs}
            return Verdict.rejected("", old) if old else Verdict.accepted()

        shop = Workshop()
        async with a_run(shop.job(good), tmp_path, bugs(1, 2)) as run:
            await run_phases(run)

        assert shop.asked == ["b0@1", "b1@1", "b1@2"]

    async def test_nothing_is_handed_on_where_nobody_knows_what_a_check_means(self, tmp_path: Path) -> None:
        """A name with a mistake in it must not let through what was meant."""

        def bad(fix: Handoffs[Fix]) -> Verdict:
            return Verdict.rejected("", {"b0": "it is old", "b7": "it is wrong"})

        shop = Workshop()
        async with a_run(shop.job(bad, rounds=2), tmp_path, bugs(1, 1)) as run:
            delivered = await run_phases(run)

            assert [one.task_id for one in missing_in(run)] == ["fix/until/bad"]
        assert shop.asked == ["b0@1", "b1@1", "b0@2", "b1@2"]
        assert delivered["fix"].handoffs == ()

    async def test_what_failed_is_tried_again_with_what_did_not_pass(self, tmp_path: Path) -> None:
        shop = Workshop()
        async with a_run(shop.job(shop.all_pass), tmp_path, bugs(1, 2, 1, fails={2: (1,)})) as run:
            await run_phases(run)

        assert sorted(shop.asked) == ["b0@1", "b1@1", "b1@2", "b2@1", "b2@2"]

    async def test_what_nothing_is_said_against_is_handed_on_and_the_rest_stays_at_hand(self, tmp_path: Path) -> None:
        shop = Workshop()
        async with a_run(shop.publishing(shop.all_pass, rounds=2), tmp_path, bugs(1, 9)) as run:
            delivered = await run_phases(run)

            assert [one.task_id for one in missing_in(run)] == ["fix/b1", "fix/until/all_pass"]
            assert output_of(run) == ["b0@1", "without fix/b1", "without fix/until/all_pass"]
        assert [one.task_id for one in delivered["fix"].unmerged] == ["fix/b1"]
        assert status_after(delivered) is RunStatus.PARTIAL

    async def test_a_last_phase_that_does_not_pass_as_a_whole_is_partial(self, tmp_path: Path) -> None:
        shop = Workshop()
        async with a_run(shop.job(nothing_passes, rounds=2), tmp_path, bugs(1)) as run:
            delivered = await run_phases(run)

            assert [one.task_id for one in missing_in(run)] == ["fix/until/nothing_passes"]
        assert status_after(delivered) is RunStatus.PARTIAL

    async def test_a_check_that_is_not_made_is_named_and_nothing_is_handed_on(self, tmp_path: Path) -> None:
        async def tests(fix: Handoffs[Fix]) -> bool:
            raise AgentFailed("no such test")

        shop = Workshop()
        async with a_run(shop.publishing(tests), tmp_path, bugs(1)) as run:
            delivered = await run_phases(run)

            reasons = {one.task_id: one.reason for one in missing_in(run)}
        assert reasons == {
            "fix/until/tests": "no such test",
            "publish/publish": "phase 'fix' delivered nothing",
        }
        assert status_after(delivered) is RunStatus.FAILED

    @pytest.mark.parametrize("coupling", [Coupling.TIGHT, Coupling.MEDIUM, None])
    async def test_a_fallback_of_a_consumer_stands_in_for_what_does_not_pass(
        self, tmp_path: Path, coupling: Coupling | None
    ) -> None:
        need = Need("fix", coupling, fallback=Fallback.default(Fix(id="none", round=0)))
        shop = Workshop()
        async with a_run(shop.publishing(nothing_passes, rounds=1, needs=need), tmp_path, bugs(1, 1)) as run:
            delivered = await run_phases(run)

            assert output_of(run) == ["none@0", "none@0"]
        assert status_after(delivered) is RunStatus.PARTIAL

    async def test_everything_that_is_launched_returns_or_is_missing(self, tmp_path: Path) -> None:
        shop = Workshop()
        async with a_run(shop.publishing(shop.all_pass, rounds=2), tmp_path, bugs(1, 2, 9)) as run:
            await run_phases(run)
            view = view_so_far(run)

        assert view.launched == view.returned + len(view.missing)


class TestResumed:
    """A run that is gone on with."""

    @pytest.mark.parametrize("whole", [False, True], ids=["by task", "as a whole"])
    @pytest.mark.parametrize("integrate", [None, listed], ids=["apart", "together"])
    async def test_no_round_and_no_check_that_is_on_record_is_made_again(
        self, tmp_path: Path, whole: bool, integrate: Any
    ) -> None:
        shop, shown = Workshop(), list[Any]()
        until = None if not whole else shop.all_of_list if integrate else shop.all_pass
        job = shop.publishing(until, integrate=integrate)
        for _ in range(3):
            async with a_run(job, tmp_path, bugs(1, 3, 2)) as run:
                await run_phases(run)
                shown.append((output_of(run), ends(run), ends(run, StepKind.CHECK), len(run.log.state.steps)))

        assert shop.asked == list(dict.fromkeys(shop.asked))
        assert len(shop.asked) == 6
        assert shown[1:] == shown[:1] * 2

    async def test_what_does_not_pass_is_judged_again_by_a_check_that_has_changed(self, tmp_path: Path) -> None:
        shop = Workshop()
        for gap in ("never", ""):
            async with a_run(shop.job(_saying(gap), rounds=2), tmp_path, bugs(1)) as run:
                delivered = await run_phases(run)
                stopped = ends(run)["fix/b0"]

        assert (stopped, status_after(delivered)) == (("passed", 1), RunStatus.COMPLETED)
        assert shop.asked == ["b0@1", "b0@2"]

    async def test_more_rounds_go_on_behind_those_that_were_made(self, tmp_path: Path) -> None:
        shop = Workshop()
        for rounds in (2, 4):
            async with a_run(shop.job(rounds=rounds), tmp_path, bugs(4)) as run:
                await run_phases(run)
                stopped = ends(run)["fix/b0"]

        assert stopped == ("passed", 4)
        assert shop.asked == shop.checked == ["b0@1", "b0@2", "b0@3", "b0@4"]


def _saying(gap: str) -> Callable[[Fix], str]:
    def passes(output: Fix) -> str:
        return gap

    return passes
