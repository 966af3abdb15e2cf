import asyncio
from datetime import timedelta

import pytest

from echelon.journal.digest import digest_of
from echelon.journal.journal import Journal
from echelon.model.errors import IllegalTransition, InvalidInput, JournalError
from echelon.model.exception_report import ExceptionReport, Level, Trigger
from echelon.model.run import RunStatus
from echelon.model.status import Status
from tests.unit.journal.records import NOON, PLAN, concern, disposition, key_of, run, step

pytestmark = pytest.mark.anyio


@pytest.fixture
def settings(on_both):
    return on_both


# Runs


async def test_a_run_comes_back_with_its_plan(journal):
    record = run("with-plan", plan=PLAN, inputs={"path": "src", "deep": [1, {"a": None}]})
    await journal.start_run(record)

    found = await journal.run("with-plan")

    assert found == record
    assert found.plan.digest == PLAN.digest


async def test_runs_are_listed_newest_first_and_without_plans(journal):
    await journal.start_run(run("r2", plan=PLAN))
    await journal.start_run(run("r3", plan=PLAN))

    assert [(found.run_id, found.plan) for found in await journal.runs(limit=2)] == [("r3", None), ("r2", None)]


async def test_the_end_of_a_run_is_recorded(journal):
    await journal.finish_run("r1", RunStatus.PARTIAL, NOON, "out/report")

    found = await journal.run("r1")

    assert (found.status, found.finished, found.report) == (RunStatus.PARTIAL, NOON, "out/report")


async def test_a_resumed_run_is_at_work_again(journal):
    await journal.finish_run("r1", RunStatus.INTERRUPTED, NOON)

    await journal.reopen_run("r1")

    assert await journal.run("r1") == run("r1")


@pytest.mark.parametrize("status", [RunStatus.COMPLETED, RunStatus.RUNNING])
async def test_an_unknown_run_cannot_end(journal, status):
    with pytest.raises(InvalidInput, match=r"no run 'r9'.*echelon runs"):
        await journal.finish_run("r9", status, NOON)


async def test_a_run_is_not_started_twice(journal):
    with pytest.raises(JournalError, match="run 'r1'"):
        await journal.start_run(run("r1"))


async def test_the_beginning_of_an_id_names_a_run(journal):
    await journal.start_run(run("abc-1"))

    assert (await journal.run("ab")).run_id == "abc-1"


async def test_a_whole_id_wins_over_the_beginning_of_another(journal):
    await journal.start_run(run("r1-again"))

    assert (await journal.run("r1")).run_id == "r1"


async def test_an_ambiguous_beginning_names_the_candidates(journal):
    await journal.start_run(run("r2"))

    with pytest.raises(InvalidInput, match="r1, r2"):
        await journal.run("r")


@pytest.mark.parametrize("text", ["r9", "%", "_1", ""])
async def test_what_names_no_run_is_refused(journal, text):
    await journal.start_run(run("r2"))

    with pytest.raises(InvalidInput):
        await journal.run(text)


async def test_the_previous_run_is_the_last_completed_one_of_the_same_job_and_inputs(journal):
    others = {"failed": {}, "other-job": {"job": "tidy"}, "other-inputs": {"inputs": {"path": "lib"}}}
    for run_id in ("first", "second", *others, "now", "later"):
        await journal.start_run(run(run_id, **others.get(run_id, {})))
        status = RunStatus.FAILED if run_id == "failed" else RunStatus.COMPLETED
        await journal.finish_run(run_id, status, NOON)

    found = await journal.last_completed("audit", digest_of({"path": "src"}), "now")

    assert found.run_id == "second"
    assert await journal.last_completed("audit", digest_of({"path": "src"}), "first") is None


# Steps


async def test_a_step_comes_back_as_it_was_written(journal):
    await journal.append(step())

    assert await journal.steps("r1") == (step(),)
    assert await journal.completed_step(step().key) == step()


async def test_steps_are_in_the_order_of_their_commits(journal):
    names = [f"n{number}" for number in range(50)]
    await asyncio.gather(*[journal.append(step(name)) for name in names])
    await journal.append(step("last"))

    assert [found.node for found in await journal.steps("r1")] == [*names, "last"]


async def test_steps_can_be_asked_for_by_phase(journal):
    await journal.append(step("a", phase="inspect"))
    await journal.append(step("b", phase="report"))

    assert [found.node for found in await journal.steps("r1", "report")] == ["b"]


async def test_a_failed_step_may_be_completed_and_both_attempts_stay(journal):
    await journal.append(step(status=Status.FAILED))
    await journal.append(step(status=Status.BLOCKED))
    await journal.append(step(status=Status.COMPLETED))

    statuses = [found.handoff.status for found in await journal.steps("r1")]

    assert statuses == [Status.FAILED, Status.BLOCKED, Status.COMPLETED]


@pytest.mark.parametrize("status", [Status.COMPLETED, Status.FAILED, Status.BLOCKED])
async def test_nothing_follows_a_completed_step(journal, status):
    await journal.append(step(summary="first"))

    with pytest.raises(IllegalTransition) as refusal:
        await journal.append(step(status=status, summary="second"))

    assert "node 'inspect' in run 'r1'" in refusal.value.__notes__[0]
    assert [found.handoff.summary for found in await journal.steps("r1")] == ["first"]


async def test_of_two_completions_at_once_one_is_refused_and_the_others_are_written(journal):
    outcomes = await asyncio.gather(
        *[journal.append(step(name)) for name in ("a", "same", "same", "b")], return_exceptions=True
    )

    assert [type(outcome) for outcome in outcomes] == [type(None), type(None), IllegalTransition, type(None)]
    assert [found.node for found in await journal.steps("r1")] == ["a", "same", "b"]


async def test_the_same_step_may_be_done_in_another_run(journal):
    """A scheduled job runs on the same inputs every day."""
    await journal.start_run(run("r2"))
    await journal.append(step(run_id="r1"))
    await journal.append(step(run_id="r2", summary="newer"))

    assert (await journal.completed_step(key_of("inspect"))).run_id == "r2"
    assert (await journal.completed_step(key_of("inspect"), run_id="r1")).run_id == "r1"


async def test_what_is_not_completed_is_no_completed_step(journal):
    await journal.append(step(status=Status.FAILED))

    assert await journal.completed_step(key_of("inspect")) is None


async def test_the_barrier_sees_every_node_that_ended_whatever_way(journal):
    for name, status in (("a", Status.COMPLETED), ("b", Status.FAILED), ("c", Status.BLOCKED)):
        await journal.append(step(name, status))
    await journal.append(step("elsewhere", phase="report"))

    assert await journal.ended("r1", "inspect") == {"a", "b", "c"}


async def test_a_step_of_an_unknown_run_is_refused(journal):
    with pytest.raises(JournalError, match=r"'inspect'.*run is not in the journal"):
        await journal.append(step(run_id="r9"))


# Concerns, exceptions, events


async def test_a_concern_is_kept_with_its_source(journal):
    raised = await journal.raise_concern("r1", "inspect", concern())

    assert (raised.run_id, raised.source, raised.concern, raised.disposition) == ("r1", "inspect", concern(), None)
    assert await journal.concerns("r1") == (raised,)


async def test_concerns_have_ids_of_their_own(journal):
    raised = await asyncio.gather(*[journal.raise_concern("r1", "inspect", concern()) for _ in range(200)])

    assert len({record.id for record in raised}) == 200


async def test_a_disposed_concern_stays_on_record(journal):
    raised = await journal.raise_concern("r1", "inspect", concern())
    still_open = await journal.raise_concern("r1", "inspect", concern("another"))

    await journal.dispose(raised.id, disposition())

    assert await journal.concerns(open_only=True) == (still_open,)
    assert [record.disposition for record in await journal.concerns("r1")] == [disposition(), None]


async def test_a_second_disposition_is_refused_and_names_the_first_author(journal):
    raised = await journal.raise_concern("r1", "inspect", concern())
    await journal.dispose(raised.id, disposition("mia"))

    with pytest.raises(InvalidInput, match=r"was resolved by mia on 2026-05-04 12:00 UTC \(one of them was deleted\)"):
        await journal.dispose(raised.id, disposition("noa", "dismissed"))


async def test_of_two_dispositions_at_once_one_is_refused(journal):
    raised = await journal.raise_concern("r1", "inspect", concern())

    outcomes = await asyncio.gather(
        *[journal.dispose(raised.id, disposition(author)) for author in ("mia", "noa")], return_exceptions=True
    )

    assert outcomes[0] is None
    assert isinstance(outcomes[1], InvalidInput)


async def test_an_unknown_concern_cannot_be_disposed_of(journal):
    with pytest.raises(InvalidInput, match=r"no concern 'nope'.*echelon concerns list"):
        await journal.dispose("nope", disposition())


async def test_concerns_of_other_runs_are_apart(journal):
    await journal.start_run(run("r2"))
    await journal.raise_concern("r2", "inspect", concern())

    assert await journal.concerns("r1") == ()
    assert len(await journal.concerns()) == 1


async def test_exceptions_are_kept_in_the_order_they_came(journal):
    reports = [
        ExceptionReport(trigger=Trigger.LATE, level=level, path=("primary", "inspect"), message=level, at=NOON)
        for level in Level
    ]

    await journal.record_exceptions("r1", reports)
    await journal.record_exceptions("r1", [])

    assert await journal.exceptions("r1") == tuple(reports)


async def test_events_are_numbered_upwards(journal):
    for number, kind in enumerate(("sync", "drift", "sync")):
        await journal.append_event("r1", kind, "primary", {"n": number}, NOON + timedelta(seconds=number))

    events = await journal.events("r1")

    assert [(event.kind, event.payload) for event in events] == [
        ("sync", {"n": 0}),
        ("drift", {"n": 1}),
        ("sync", {"n": 2}),
    ]
    assert [event.number for event in events] == sorted({event.number for event in events})
    assert [event.payload["n"] for event in await journal.events("r1", "sync")] == [0, 2]


async def test_an_event_that_is_no_json_is_refused(journal):
    with pytest.raises(InvalidInput, match="JSON"):
        await journal.append_event("r1", "sync", "primary", {"n": object()}, NOON)


# Opening and closing


async def test_leaving_the_block_writes_what_is_queued(settings):
    async with Journal.open(settings) as journal:
        await journal.start_run(run())
        waiting = [asyncio.ensure_future(journal.append(step(f"n{number}"))) for number in range(2500)]
        await asyncio.sleep(0)  # one turn of the loop, so that all of them are queued
    await asyncio.gather(*waiting)

    async with Journal.open(settings) as journal:
        assert len(await journal.steps("r1")) == 2500


async def test_leaving_the_block_with_an_error_keeps_what_was_queued(settings):
    async def work():
        async with Journal.open(settings) as journal:
            await journal.start_run(run())
            journal.append(step()).send(None)  # queued, and nobody waits for it any more
            raise RuntimeError("the job fails")

    with pytest.raises(RuntimeError):
        await work()

    async with Journal.open(settings) as journal:
        assert await journal.ended("r1", "inspect") == {"inspect"}


async def test_a_cancelled_append_is_written_all_the_same(journal):
    append = asyncio.ensure_future(journal.append(step()))
    await asyncio.sleep(0)  # one turn of the loop, so that it is queued
    append.cancel()
    await journal.append(step("behind it"))

    assert await journal.ended("r1", "inspect") == {"inspect", "behind it"}


async def test_a_closed_journal_says_so(settings):
    async with Journal.open(settings) as journal:
        await journal.start_run(run())

    with pytest.raises(JournalError, match="the journal is closed"):
        await journal.append(step())


async def test_two_journals_of_one_home_see_the_same(settings):
    async with Journal.open(settings) as one, Journal.open(settings) as other:
        await one.start_run(run())
        await other.append(step())

        assert await one.steps("r1") == (step(),)


async def test_two_journals_cannot_complete_the_same_step(settings):
    async with Journal.open(settings) as one, Journal.open(settings) as other:
        await one.start_run(run())
        outcomes = await asyncio.gather(one.append(step()), other.append(step()), return_exceptions=True)

        assert sorted(type(outcome).__name__ for outcome in outcomes) == ["IllegalTransition", "NoneType"]
        assert len(await one.steps("r1")) == 1
