"""What every journal promises, as tests: subclass it, and say how yours is opened.

    class TestMine(JournalContract):
        @pytest.fixture
        async def journal(self): ...            # an empty journal

        @pytest.fixture
        async def another(self, journal): ...   # the same one, as another process has it

        @pytest.fixture
        def expire(self, journal): ...          # async (run_id): end its leases, as if their processes were silent

`pytest.register_assert_rewrite("echelon.testing.journal_contract")` in a conftest makes failures readable.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, aclosing

import pytest

from echelon.journal.digest import digest_of
from echelon.journal.lease import Lease
from echelon.journal.port import Journal
from echelon.model.errors import EchelonError, IllegalTransition, InvalidInput, JournalError, LeaseLost, RunHeld
from echelon.model.run import RunStatus
from echelon.model.status import Status
from echelon.runlog.events import EffectIntended, LoggedEvent, RunEvent, RunTaken
from echelon.runlog.state import fold
from echelon.testing.run_events import (
    NOON,
    concern_disposed,
    concern_raised,
    disposition,
    effect_intent,
    key_of,
    one_of_each,
    plan_extended,
    run_ended,
    run_record,
    run_reopened,
    run_started,
    small_plan,
    step_ended,
    step_record,
    step_started,
)

Expire = Callable[[str], Awaitable[None]]

#: Longer than any test takes, and short enough not to wait for.
LONG_SECONDS = 60.0
SHORT_SECONDS = 0.3

#: Nothing here takes longer.
_PATIENCE_SECONDS = 20.0


@pytest.mark.anyio
class JournalContract:
    """The tests; an adapter keeps all of them."""

    @pytest.fixture
    def anyio_backend(self) -> str:
        return "asyncio"

    @pytest.fixture
    async def r1(self, journal: Journal) -> Journal:
        """The journal, with one run in it."""
        await journal.append(run_started())
        return journal

    # The log -----------------------------------------------------------------------------------------------------

    async def test_events_of_every_kind_come_back_as_they_were_written(self, journal: Journal) -> None:
        for event in one_of_each():
            await journal.append(event)

        assert _events(await journal.events("r1")) == one_of_each()

    async def test_places_count_from_one_without_gaps(self, r1: Journal) -> None:
        await asyncio.gather(*[r1.append(step_started(f"n{number}")) for number in range(50)])

        assert [logged.seq for logged in await r1.events("r1")] == list(range(1, 52))

    async def test_events_are_in_the_order_they_were_appended(self, r1: Journal) -> None:
        names = [f"n{number}" for number in range(50)]
        await asyncio.gather(*[r1.append(step_started(name), step_ended(name)) for name in names])
        await r1.append(step_ended("last"))

        found = [(logged.event.kind, logged.event.subject) for logged in await r1.events("r1", after=1)]

        both = [(kind, name) for name in names for kind in ("step_started", "step_ended")]
        assert found == [*both, ("step_ended", "last")]

    async def test_every_run_has_places_of_its_own(self, r1: Journal) -> None:
        await r1.append(run_started("r2"))
        await asyncio.gather(*[r1.append(step_started(run_id=run_id)) for run_id in ("r1", "r2", "r1")])

        assert [logged.seq for logged in await r1.events("r1")] == [1, 2, 3]
        assert [logged.seq for logged in await r1.events("r2")] == [1, 2]

    async def test_two_processes_share_one_log(self, r1: Journal, another: Journal) -> None:
        await asyncio.gather(
            *[writer.append(step_started(f"{number}")) for number in range(30) for writer in (r1, another)]
        )

        found = await another.events("r1")

        assert [logged.seq for logged in found] == list(range(1, 62))
        assert found == await r1.events("r1")

    async def test_events_can_be_asked_for_by_place_kind_and_subject(self, r1: Journal) -> None:
        await r1.append(step_started("a"), step_ended("a"), step_started("b"), concern_raised("c-1"))

        async def asked(**which: object) -> list[int]:
            return [logged.seq for logged in await r1.events("r1", **which)]  # type: ignore[arg-type]

        assert await asked(after=3) == [4, 5]
        assert await asked(kinds=("step_started", "concern_raised")) == [2, 4, 5]
        assert await asked(subject="a") == [2, 3]
        assert await asked(kinds=("step_started",), subject="b", after=1) == [4]
        assert await asked(subject="nobody") == []

    async def test_an_unknown_run_has_no_events(self, journal: Journal) -> None:
        assert await journal.events("r9") == ()

    async def test_nothing_is_nothing(self, journal: Journal) -> None:
        await journal.append()
        journal.enqueue()

        assert await journal.runs() == ()

    async def test_what_is_enqueued_comes_before_what_is_appended_next(self, r1: Journal) -> None:
        for number in range(20):
            r1.enqueue(step_started(f"n{number}"))
        await r1.append(step_ended("n0"))

        found = [logged.event.subject for logged in await r1.events("r1", after=1)]

        assert found == [*(f"n{number}" for number in range(20)), "n0"]

    async def test_a_cancelled_append_is_written_all_the_same(self, r1: Journal) -> None:
        append = asyncio.ensure_future(r1.append(step_ended()))
        await asyncio.sleep(0)  # one turn of the loop, so that it is begun
        append.cancel()
        await r1.append(step_ended("behind it"))

        assert await r1.ended_nodes("r1", "inspect") == {"inspect", "behind it"}

    # All or none -------------------------------------------------------------------------------------------------

    async def test_a_unit_with_something_unlawful_is_not_written_at_all(self, r1: Journal) -> None:
        await r1.append(step_ended("done"))

        for unlawful in (step_ended("done"), concern_disposed("nope"), run_started()):
            with pytest.raises(EchelonError):
                await r1.append(step_ended("new"), concern_raised("c-1"), run_ended(), unlawful)

        assert len(await r1.events("r1")) == 2
        assert [step.node for step in await r1.steps("r1")] == ["done"]
        assert await r1.concerns() == ()
        assert (await r1.run("r1")).status is RunStatus.RUNNING

    async def test_what_was_refused_leaves_no_gap_and_touches_nobody_else(self, r1: Journal) -> None:
        outcomes = await asyncio.gather(
            *[r1.append(step_ended(name)) for name in ("a", "same", "same", "b")], return_exceptions=True
        )

        assert [type(outcome) for outcome in outcomes] == [type(None), type(None), IllegalTransition, type(None)]
        assert [logged.seq for logged in await r1.events("r1")] == [1, 2, 3, 4]
        assert [found.node for found in await r1.steps("r1")] == ["a", "same", "b"]

    async def test_within_a_unit_each_event_sees_the_ones_before_it(self, journal: Journal) -> None:
        await journal.append(run_started(), concern_raised("c-1"), concern_disposed("c-1"), step_ended())

        with pytest.raises(IllegalTransition):
            await journal.append(step_ended("twice"), step_ended("twice"))
        assert await journal.concerns(open_only=True) == ()

    async def test_what_a_refused_unit_said_is_not_known_afterwards(self, r1: Journal) -> None:
        outcomes = await asyncio.gather(
            r1.append(step_ended("a"), concern_disposed("nope")), r1.append(step_ended("a")), return_exceptions=True
        )

        assert [type(outcome) for outcome in outcomes] == [InvalidInput, type(None)]

    # Refusals ----------------------------------------------------------------------------------------------------

    async def test_an_unknown_run_is_refused(self, journal: Journal) -> None:
        for event in one_of_each("r9")[1:]:
            with pytest.raises(InvalidInput, match=r"no run 'r9'.*echelon runs"):
                await journal.append(event)

    async def test_a_run_is_not_started_twice(self, r1: Journal) -> None:
        with pytest.raises(JournalError, match="run 'r1'"):
            await r1.append(run_started())
        with pytest.raises(JournalError, match="run 'r2'"):
            await r1.append(run_started("r2"), run_started("r2"))

    async def test_of_two_processes_that_start_one_run_one_is_refused(self, journal: Journal, another: Journal) -> None:
        outcomes = await asyncio.gather(
            journal.append(run_started()), another.append(run_started()), return_exceptions=True
        )

        assert sorted(type(outcome).__name__ for outcome in outcomes) == ["JournalError", "NoneType"]

    async def test_a_unit_is_about_one_run(self, r1: Journal) -> None:
        await r1.append(run_started("r2"))

        with pytest.raises(InvalidInput, match="'r1' and 'r2'"):
            await r1.append(step_ended("a"), step_ended("b", run_id="r2"))

    async def test_a_record_stands_in_the_log_of_its_run(self, r1: Journal) -> None:
        intended = EffectIntended(run_id="r2", at=NOON, intent=effect_intent(run_id="r2"))
        for event in (step_ended(run_id="r2"), concern_raised("c-1", "r2"), intended):
            with pytest.raises(InvalidInput, match="a record of run 'r2' cannot be written in the log of run 'r1'"):
                await r1.append(event.model_copy(update={"run_id": "r1"}))
        with pytest.raises(InvalidInput, match="a record of run 'r2' cannot be written in the log of run 'r3'"):
            await r1.append(run_started("r2").model_copy(update={"run_id": "r3"}))

    @pytest.mark.parametrize("status", [Status.COMPLETED, Status.FAILED, Status.BLOCKED])
    async def test_nothing_follows_a_completed_step(self, r1: Journal, status: Status) -> None:
        await r1.append(step_ended(summary="first"))

        with pytest.raises(IllegalTransition) as refusal:
            await r1.append(step_ended(status=status, summary="second"))

        assert "node 'inspect' in run 'r1'" in refusal.value.__notes__[0]
        assert [found.handoff.summary for found in await r1.steps("r1")] == ["first"]

    async def test_two_processes_cannot_complete_the_same_step(self, r1: Journal, another: Journal) -> None:
        outcomes = await asyncio.gather(r1.append(step_ended()), another.append(step_ended()), return_exceptions=True)

        assert sorted(type(outcome).__name__ for outcome in outcomes) == ["IllegalTransition", "NoneType"]
        assert len(await r1.steps("r1")) == 1

    async def test_a_second_disposition_is_refused_and_names_the_first_author(self, r1: Journal) -> None:
        await r1.append(concern_raised("c-1"), concern_disposed("c-1"))

        with pytest.raises(
            InvalidInput, match=r"was resolved by mia on 2026-05-04 12:00 UTC \(one of them was deleted"
        ):
            await r1.append(concern_disposed("c-1", author="noa", verdict="dismissed"))

    async def test_of_two_dispositions_at_once_one_is_refused(self, r1: Journal, another: Journal) -> None:
        await r1.append(concern_raised("c-1"))

        outcomes = await asyncio.gather(
            r1.append(concern_disposed("c-1", author="mia")),
            another.append(concern_disposed("c-1", author="noa")),
            return_exceptions=True,
        )

        assert sorted(type(outcome).__name__ for outcome in outcomes) == ["InvalidInput", "NoneType"]

    async def test_an_unknown_concern_cannot_be_disposed_of(self, r1: Journal) -> None:
        await r1.append(run_started("r2"))
        await r1.append(concern_raised("c-1", "r2"))

        for unknown in ("nope", "c-1"):  # a concern of another run is none of this one
            with pytest.raises(InvalidInput, match=rf"no concern '{unknown}'.*echelon concerns list"):
                await r1.append(concern_disposed(unknown))

    async def test_the_id_of_a_concern_is_its_own(self, r1: Journal) -> None:
        await r1.append(concern_raised("c-1"))

        with pytest.raises(JournalError, match="'c-1'"):
            await r1.append(concern_raised("c-1"))

    async def test_a_concern_is_raised_without_its_end(self, r1: Journal) -> None:
        raised = concern_raised("c-1")
        ended = raised.record.model_copy(update={"disposition": disposition()})

        with pytest.raises(InvalidInput, match="raise it, then dispose of it"):
            await r1.append(raised.model_copy(update={"record": ended}))

    async def test_what_has_no_json_is_refused(self, journal: Journal) -> None:
        with pytest.raises(InvalidInput, match="JSON"):
            await journal.append(run_started(inputs={"path": object()}))

    async def test_what_was_refused_and_nobody_waited_for_is_logged(
        self, r1: Journal, caplog: pytest.LogCaptureFixture
    ) -> None:
        r1.enqueue(concern_disposed("nope"))
        r1.enqueue(run_started("r2", inputs={"path": object()}))
        await r1.append(step_ended())

        messages = [record.message for record in caplog.records if record.name == "echelon.journal"]
        assert len(messages) == 2
        assert any("concern_disposed" in text and "there is no concern 'nope'" in text for text in messages)
        assert any("run_started" in text and "JSON" in text for text in messages)

    # Runs --------------------------------------------------------------------------------------------------------

    async def test_a_run_comes_back_with_its_plan(self, journal: Journal) -> None:
        record = run_record("with-plan", plan=small_plan(), inputs={"path": "src", "deep": [1, {"a": None}]})
        await journal.append(run_started("with-plan", plan=small_plan(), inputs=record.inputs))

        assert await journal.run("with-plan") == record
        assert await journal.known_run(run_id="with-plan") == record

    async def test_a_run_has_its_newest_plan(self, r1: Journal) -> None:
        await r1.append(plan_extended(small_plan(goal="second")))
        await r1.append(step_ended(), plan_extended(small_plan(goal="third")), step_ended("other"))

        assert (await r1.run("r1")).plan == small_plan(goal="third")

    async def test_runs_are_listed_newest_first_and_without_plans(self, r1: Journal) -> None:
        await r1.append(run_started("r2", plan=small_plan()))
        await r1.append(run_started("r3", plan=small_plan()))

        assert [(found.run_id, found.plan) for found in await r1.runs(limit=2)] == [("r3", None), ("r2", None)]
        assert len(await r1.runs()) == 3

    async def test_the_end_of_a_run_is_on_record(self, r1: Journal) -> None:
        await r1.append(run_ended(status=RunStatus.PARTIAL, report="out/report"))

        found = await r1.run("r1")

        assert (found.status, found.finished, found.report) == (RunStatus.PARTIAL, NOON, "out/report")
        assert (await r1.runs())[0] == found

    @pytest.mark.parametrize("before", RunStatus)
    async def test_the_index_of_runs_and_the_fold_of_their_events_agree(self, r1: Journal, before: RunStatus) -> None:
        parts: tuple[Sequence[RunEvent], ...] = (
            (run_ended(status=before, report="out/report"),),
            (run_reopened(before=before), plan_extended(small_plan(("a",)))),
            (run_reopened(before=RunStatus.RUNNING), step_ended(), run_ended(status=before, at=None)),
            (run_reopened(before=before),),
        )
        for events in parts:
            await r1.append(*events)

            assert fold(_events(await r1.events("r1"))).record == await r1.run("r1")

    async def test_the_beginning_of_an_id_names_a_run(self, r1: Journal) -> None:
        await r1.append(run_started("abc-1"))

        assert (await r1.run("ab")).run_id == "abc-1"

    async def test_a_whole_id_wins_over_the_beginning_of_another(self, r1: Journal) -> None:
        await r1.append(run_started("r1-again"))

        assert (await r1.run("r1")).run_id == "r1"

    async def test_an_ambiguous_beginning_names_the_candidates(self, r1: Journal) -> None:
        await r1.append(run_started("r2"))

        with pytest.raises(InvalidInput, match="r1, r2"):
            await r1.run("r")

    @pytest.mark.parametrize("text", ["r9", "%", "_1", ""])
    async def test_what_names_no_run_is_refused(self, r1: Journal, text: str) -> None:
        await r1.append(run_started("r2"))

        with pytest.raises(InvalidInput):
            await r1.run(text)

    async def test_a_run_is_found_by_its_whole_id_or_by_the_flow_run_that_started_it(self, r1: Journal) -> None:
        await r1.append(run_started("r2", flow_run_id="abc"))
        await r1.append(run_started("r3", flow_run_id="abc"))

        assert getattr(await r1.known_run(flow_run_id="abc"), "run_id", None) == "r3"
        assert getattr(await r1.known_run(run_id="r2"), "flow_run_id", None) == "abc"
        assert await r1.known_run(run_id="r") is None
        assert await r1.known_run(flow_run_id="x") is None

    async def test_the_previous_run_is_the_last_completed_one_of_the_same_job_and_inputs(self, r1: Journal) -> None:
        others = {"other-job": {"job": "tidy"}, "other-inputs": {"inputs": {"path": "lib"}}}
        ends = {"failed": RunStatus.FAILED, "second": RunStatus.PARTIAL}
        for run_id in ("first", "second", "failed", *others, "now", "later"):
            status = ends.get(run_id, RunStatus.COMPLETED)
            await r1.append(run_started(run_id, **others.get(run_id, {})), run_ended(run_id, status))
        inputs = digest_of({"path": "src"})

        found = await r1.last_completed("audit", inputs, "now")

        assert found is not None
        assert found.run_id == "second"
        assert await r1.last_completed("audit", inputs, "first") is None
        assert await r1.last_completed("audit", inputs, "nobody") is None

    # Steps -------------------------------------------------------------------------------------------------------

    async def test_a_step_comes_back_as_it_was_written(self, r1: Journal) -> None:
        await r1.append(step_ended())

        assert await r1.steps("r1") == (step_record(),)
        assert await r1.completed_step(key_of("inspect")) == step_record()

    async def test_steps_can_be_asked_for_by_phase(self, r1: Journal) -> None:
        await r1.append(step_ended("a", phase="inspect"), step_ended("b", phase="report"))

        assert [found.node for found in await r1.steps("r1", "report")] == ["b"]

    async def test_a_failed_step_may_be_completed_and_all_attempts_stay(self, r1: Journal) -> None:
        statuses = [Status.FAILED, Status.BLOCKED, Status.COMPLETED]
        for status in statuses:
            await r1.append(step_ended(status=status))

        assert [found.handoff.status for found in await r1.steps("r1")] == statuses

    async def test_the_same_step_may_be_done_in_another_run(self, r1: Journal) -> None:
        """A scheduled job runs on the same inputs every day."""
        await r1.append(run_started("r2"))
        await r1.append(step_ended(run_id="r2", summary="newer"))
        await r1.append(step_ended(run_id="r1"))

        assert getattr(await r1.completed_step(key_of("inspect")), "run_id", None) == "r2"
        assert getattr(await r1.completed_step(key_of("inspect"), run_id="r1"), "run_id", None) == "r1"

    async def test_what_is_not_completed_is_no_completed_step(self, r1: Journal) -> None:
        await r1.append(step_ended(status=Status.FAILED))

        assert await r1.completed_step(key_of("inspect")) is None
        assert await r1.completed_step("nothing", run_id="r1") is None

    async def test_the_barrier_sees_every_node_that_ended_whatever_way(self, r1: Journal) -> None:
        for name, status in (("a", Status.COMPLETED), ("b", Status.FAILED), ("c", Status.BLOCKED)):
            await r1.append(step_ended(name, status))
        await r1.append(step_ended("elsewhere", phase="report"), step_started("at work"))

        assert await r1.ended_nodes("r1", "inspect") == {"a", "b", "c"}

    # Concerns ----------------------------------------------------------------------------------------------------

    async def test_a_disposed_concern_stays_on_record(self, r1: Journal) -> None:
        raised, still_open = concern_raised("c-1"), concern_raised("c-2", message="another")
        await r1.append(raised, still_open)
        await r1.append(concern_disposed("c-1"))

        assert await r1.concerns(open_only=True) == (still_open.record,)
        assert await r1.concerns("r1") == (
            raised.record.model_copy(update={"disposition": disposition()}),
            still_open.record,
        )

    async def test_concerns_of_other_runs_are_apart_and_all_are_in_the_order_they_were_raised(
        self, r1: Journal
    ) -> None:
        await r1.append(run_started("r2"))
        for identity, run_id in (("c-1", "r2"), ("c-2", "r1"), ("c-3", "r2")):
            await r1.append(concern_raised(identity, run_id))

        assert [record.id for record in await r1.concerns("r1")] == ["c-2"]
        assert [record.id for record in await r1.concerns()] == ["c-1", "c-2", "c-3"]

    # Holding a run -----------------------------------------------------------------------------------------------

    async def test_a_run_that_is_held_is_refused_with_who_has_it_and_until_when(
        self, r1: Journal, another: Journal
    ) -> None:
        async with r1.holding("r1", LONG_SECONDS) as lease:
            with pytest.raises(RunHeld) as refused:
                async with another.holding("r1", LONG_SECONDS):
                    pytest.fail("two hold one run")

        who = f"run 'r1' is held by process {lease.session.pid} on {lease.session.host} since 20"
        assert who in str(refused.value)
        assert "its lease ends in 60 s unless it is renewed. Wait for that process to end" in str(refused.value)
        assert lease.session.token == 1

    async def test_taking_a_run_is_in_its_log(self, r1: Journal, another: Journal) -> None:
        async with r1.holding("r1", LONG_SECONDS) as first:
            pass
        async with another.holding("r1", LONG_SECONDS) as second:
            found = _events(await r1.events("r1", kinds=("run_taken",)))

        assert [type(event) for event in found] == [RunTaken, RunTaken]
        assert [(event.token, event.at, event.pid, event.idle_since is None) for event in found] == [  # type: ignore[union-attr]
            (1, first.session.began, first.session.pid, True),
            (2, second.session.began, second.session.pid, False),
        ]
        assert first.session.began <= found[1].idle_since <= second.session.began  # type: ignore[union-attr, operator]

    async def test_an_unknown_run_cannot_be_held(self, journal: Journal) -> None:
        with pytest.raises(InvalidInput, match=r"no run 'r9'.*echelon runs"):
            async with journal.holding("r9"):
                pass

    async def test_of_many_who_want_a_run_at_the_same_time_one_gets_it(self, r1: Journal, another: Journal) -> None:
        done = asyncio.Event()

        async def attempt(journal: Journal) -> str:
            try:
                async with journal.holding("r1", LONG_SECONDS):
                    await asyncio.wait_for(done.wait(), _PATIENCE_SECONDS)
                    return "held"
            except RunHeld:
                return "refused"

        attempts = [asyncio.create_task(attempt(journal)) for journal in (r1, another, r1, another)]
        while sum(task.done() for task in attempts) < 3:
            await asyncio.sleep(0.01)
        done.set()

        assert sorted(await asyncio.gather(*attempts)) == ["held", *["refused"] * 3]

    async def test_a_process_that_is_not_heard_of_loses_the_run(
        self, r1: Journal, another: Journal, expire: Expire
    ) -> None:
        async with r1.holding("r1", LONG_SECONDS):
            await expire("r1")
            async with another.holding("r1", LONG_SECONDS) as lease:
                assert lease.session.token == 2

    async def test_a_lease_is_kept_for_as_long_as_its_process_works(self, r1: Journal, another: Journal) -> None:
        async with r1.holding("r1", SHORT_SECONDS):
            await asyncio.sleep(3 * SHORT_SECONDS)
            with pytest.raises(RunHeld):
                async with another.holding("r1", LONG_SECONDS):
                    pass

    async def test_nothing_is_accepted_from_a_process_that_lost_its_run(
        self, r1: Journal, another: Journal, expire: Expire
    ) -> None:
        async with r1.holding("r1", LONG_SECONDS):
            await expire("r1")
            async with another.holding("r1", LONG_SECONDS):
                before = await another.events("r1")
                for event in one_of_each()[1:]:
                    with pytest.raises(LeaseLost, match="another process took run 'r1' over"):
                        await r1.append(event)
                r1.enqueue(step_started())
        with pytest.raises(LeaseLost):  # what is late is refused behind the block too
            await r1.append(step_ended("late"))

        assert await another.events("r1") == before

    async def test_a_lost_run_takes_nothing_else_down_with_it(
        self, r1: Journal, another: Journal, expire: Expire
    ) -> None:
        """One transaction for two runs of a process, and one of them is lost."""
        await r1.append(run_started("r2"))
        async with r1.holding("r1", LONG_SECONDS):
            await expire("r1")
            async with another.holding("r1", LONG_SECONDS):
                outcomes = await asyncio.gather(
                    r1.append(step_ended("late")), r1.append(step_ended("fine", run_id="r2")), return_exceptions=True
                )

        assert [type(outcome) for outcome in outcomes] == [LeaseLost, type(None)]
        assert [found.node for found in await another.steps("r2")] == ["fine"]

    async def test_what_is_written_while_a_run_is_taken_over_is_there_before_or_not_at_all(
        self, r1: Journal, another: Journal, expire: Expire
    ) -> None:
        """The new holder reads once what is on record: nothing may turn up behind its back."""
        async with r1.holding("r1", LONG_SECONDS):
            await expire("r1")
            writing = [asyncio.create_task(r1.append(step_ended(f"n{number}"))) for number in range(50)]
            await asyncio.sleep(0)
            async with another.holding("r1", LONG_SECONDS):
                seen = await another.steps("r1")
                late = asyncio.gather(*[r1.append(step_ended(f"late{n}")) for n in range(5)], return_exceptions=True)
                outcomes = await asyncio.gather(*writing, return_exceptions=True)

                assert {type(outcome) for outcome in await late} == {LeaseLost}
                assert await another.steps("r1") == seen

        assert len(seen) == sum(outcome is None for outcome in outcomes)

    async def test_who_lost_a_run_is_stopped_and_told_why(self, r1: Journal, another: Journal, expire: Expire) -> None:
        held, stopped = asyncio.Event(), asyncio.Event()

        async def work() -> None:
            async with r1.holding("r1", SHORT_SECONDS):
                held.set()
                try:
                    await asyncio.sleep(LONG_SECONDS)
                finally:
                    stopped.set()

        task = asyncio.create_task(work())
        await held.wait()
        async with AsyncExitStack() as stack:
            assert (await _take_over(another, expire, stack)).session.token == 2
            with pytest.raises(LeaseLost):
                await task

        assert stopped.is_set()
        assert task.cancelling() == 0

    async def test_a_block_that_is_cancelled_for_another_reason_gives_the_run_back(
        self, r1: Journal, another: Journal
    ) -> None:
        held = asyncio.Event()

        async def work() -> None:
            async with r1.holding("r1", LONG_SECONDS):
                held.set()
                await asyncio.sleep(LONG_SECONDS)

        task = asyncio.create_task(work())
        await held.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        async with another.holding("r1", LONG_SECONDS) as lease:
            assert lease.session.token == 2

    async def test_a_run_that_is_taken_for_somebody_who_was_cancelled_is_given_back(
        self, r1: Journal, another: Journal
    ) -> None:
        async def work() -> None:
            async with r1.holding("r1", LONG_SECONDS):
                await asyncio.sleep(LONG_SECONDS)

        task = asyncio.create_task(work())
        await asyncio.sleep(0)  # it asks
        task.cancel()
        await asyncio.wait([task])
        await r1.append(step_ended())  # behind whatever was begun
        await r1.append(step_ended("and what followed from it"))
        async with another.holding("r1", LONG_SECONDS):
            pass

    # Holding a part ----------------------------------------------------------------------------------------------

    async def test_two_processes_hold_different_parts_of_a_run_at_once(self, r1: Journal, another: Journal) -> None:
        async with r1.holding("r1", LONG_SECONDS) as root:
            under = root.session.token
            async with (
                r1.holding("r1", LONG_SECONDS, part="north", under=under) as north,
                another.holding("r1", LONG_SECONDS, part="south", under=under) as south,
            ):
                for journal, name in ((r1, "a"), (another, "b"), (r1, "c")):
                    await journal.append(step_ended(name))
                await asyncio.gather(*[lease.beat() for lease in (root, north, south)])

            assert [(lease.session.part, lease.session.token) for lease in (north, south)] == [
                ("north", 1),
                ("south", 1),
            ]
            await r1.append(step_ended("d"))

        assert [logged.event.kind for logged in await r1.events("r1")] == [
            "run_started",
            "run_taken",
            *["step_ended"] * 4,
        ]

    async def test_a_part_that_is_held_is_refused(self, r1: Journal, another: Journal) -> None:
        async with r1.holding("r1") as root, r1.holding("r1", LONG_SECONDS, part="north", under=1) as first:
            with pytest.raises(RunHeld, match="part 'north' of run 'r1' is held by process"):
                async with another.holding("r1", part="north", under=root.session.token):
                    pytest.fail("two hold one part")

        assert first.session.under == 1

    async def test_a_part_can_be_taken_again_when_it_was_given_back(self, r1: Journal, another: Journal) -> None:
        async with r1.holding("r1"):
            async with another.holding("r1", part="north", under=1):
                pass
            async with r1.holding("r1", part="north", under=1) as second:
                assert second.session.token == 2
            await another.append(step_ended())  # it holds nothing any more, and lost nothing

    async def test_nothing_is_accepted_from_a_process_that_lost_its_part(
        self, r1: Journal, another: Journal, expire: Expire
    ) -> None:
        async with r1.holding("r1", LONG_SECONDS) as root, another.holding("r1", LONG_SECONDS, part="north", under=1):
            await expire("r1")
            async with r1.holding("r1", LONG_SECONDS, part="north", under=root.session.token) as taken:
                with pytest.raises(LeaseLost):
                    await another.append(step_ended("late"))
                await r1.append(step_ended("fine"))

                assert taken.session.token == 2
        with pytest.raises(LeaseLost):
            await another.append(step_ended("later"))

        assert [step.node for step in await r1.steps("r1")] == ["fine"]

    async def test_a_part_ends_with_the_token_of_its_run(self, r1: Journal, another: Journal, expire: Expire) -> None:
        async with r1.holding("r1", LONG_SECONDS), r1.holding("r1", LONG_SECONDS, part="north", under=1) as part:
            await expire("r1")
            async with another.holding("r1", LONG_SECONDS) as root:
                with pytest.raises(LeaseLost):
                    await part.beat()
                with pytest.raises(LeaseLost):
                    await r1.append(step_ended("late"))
                async with another.holding("r1", LONG_SECONDS, part="north", under=root.session.token) as anew:
                    assert (anew.session.token, anew.session.under) == (2, 2)

    async def test_a_part_cannot_be_held_under_an_older_token(self, r1: Journal, another: Journal) -> None:
        async with r1.holding("r1"):
            pass
        async with r1.holding("r1"):
            for under in (1, 3):
                with pytest.raises(LeaseLost):
                    async with another.holding("r1", part="north", under=under):
                        pytest.fail("the run has another token")

    async def test_parts_and_tokens_come_together(self, r1: Journal) -> None:
        for part, under in (("north", None), ("", 1)):
            with pytest.raises(InvalidInput, match="give both or neither"):
                async with r1.holding("r1", part=part, under=under):
                    pass

    # Hearing of it -----------------------------------------------------------------------------------------------

    async def test_a_watcher_is_handed_what_its_process_writes(self, r1: Journal, another: Journal) -> None:
        seen: list[LoggedEvent] = []
        await r1.append(run_started("r2"))
        with r1.watching("r1", seen.extend):
            r1.enqueue(step_started())
            await asyncio.gather(*[r1.append(step_ended(f"n{number}")) for number in range(20)])
            await r1.append(step_ended(run_id="r2"))
            async with r1.holding("r1"):
                pass
        await r1.append(step_ended("behind the block"))
        ours = list(await r1.events("r1", after=1))[:-1]
        with r1.watching("r1", seen.extend):
            await another.append(step_ended("of another"))

        assert seen == ours
        assert seen[-1].event.kind == "run_taken"

    async def test_what_is_watched_is_durable_and_was_not_refused(self, r1: Journal, another: Journal) -> None:
        async def found(seq: int) -> bool:
            return any(logged.seq == seq for logged in await another.events("r1"))

        looking: list[asyncio.Task[bool]] = []
        with r1.watching("r1", lambda events: looking.append(asyncio.create_task(found(events[-1].seq)))):
            await asyncio.gather(*[r1.append(step_ended()) for _ in range(3)], return_exceptions=True)

        assert await asyncio.gather(*looking) == [True]

    async def test_a_watcher_that_fails_harms_nobody(self, r1: Journal, caplog: pytest.LogCaptureFixture) -> None:
        seen: list[LoggedEvent] = []

        def fail(_events: Sequence[LoggedEvent]) -> None:
            raise RuntimeError("the terminal is gone")

        with r1.watching("r1", fail), r1.watching("r1", seen.extend):
            await r1.append(step_ended())

        assert [logged.event.kind for logged in seen] == ["step_ended"]
        assert "the terminal is gone" in caplog.text

    async def test_a_tail_gives_what_is_there_and_then_what_comes(self, r1: Journal, another: Journal) -> None:
        await r1.append(step_ended("a"), step_ended("b"))

        async with asyncio.timeout(_PATIENCE_SECONDS), aclosing(_one_by_one(r1, "r1", after=1)) as tail:
            before = [await anext(tail), await anext(tail)]
            await another.append(step_ended("c"))
            r1.enqueue(step_ended("d"))
            after = [await anext(tail), await anext(tail)]

        assert (*before, *after) == (await r1.events("r1"))[1:]

    async def test_a_tail_leaves_nothing_out_and_gives_nothing_twice(self, r1: Journal, another: Journal) -> None:
        async def write(journal: Journal, name: str) -> None:
            for number in range(30):
                await journal.append(step_started(f"{name}{number}"), step_ended(f"{name}{number}"))

        async def follow() -> list[int]:
            async with aclosing(_one_by_one(another, "r1")) as tail:
                return [(await anext(tail)).seq for _ in range(1 + 4 * 30)]

        async with asyncio.timeout(_PATIENCE_SECONDS):
            followers = [asyncio.create_task(follow()) for _ in range(2)]
            await asyncio.gather(write(r1, "a"), write(another, "b"))

            assert await asyncio.gather(*followers) == [list(range(1, 122))] * 2

    async def test_a_run_can_be_followed_before_it_begins(self, journal: Journal, another: Journal) -> None:
        async with asyncio.timeout(_PATIENCE_SECONDS), aclosing(_one_by_one(another, "r1")) as tail:
            first = asyncio.ensure_future(anext(tail))
            await asyncio.sleep(0.05)  # it looks, and finds nothing
            await journal.append(run_started())

            assert (await first).event == run_started()

    async def test_what_came_back_folds_alike_wherever_it_is_cut(self, journal: Journal) -> None:
        for event in one_of_each():
            await journal.append(event)
        whole = fold(one_of_each())

        for cut in range(1, len(one_of_each())):
            first = _events((await journal.events("r1"))[:cut])
            rest = _events(await journal.events("r1", after=cut))

            assert fold(rest, fold(first)) == whole


def _events(logged: Sequence[LoggedEvent]) -> tuple[RunEvent, ...]:
    return tuple(each.event for each in logged)


async def _one_by_one(journal: Journal, run_id: str, after: int = 0) -> AsyncIterator[LoggedEvent]:
    async for events in journal.tail(run_id, after):
        for event in events:
            yield event


async def _take_over(another: Journal, expire: Expire, stack: AsyncExitStack) -> Lease:
    """Take a run from a process that is at work, as if it had slept."""
    while True:
        await expire("r1")
        with contextlib.suppress(RunHeld):  # it was heard of in between
            return await stack.enter_async_context(another.holding("r1", LONG_SECONDS))
