"""What is found in a log without reading all of it: runs, steps, concerns."""

from collections.abc import Sequence

import pytest

from echelon.journal.digest import digest_of
from echelon.journal.port import Journal
from echelon.model.errors import InvalidInput
from echelon.model.run import RunStatus
from echelon.model.status import Status
from echelon.runlog.events import RunEvent
from echelon.runlog.state import fold
from echelon.testing.journal_contract.base import Base, unwrap
from echelon.testing.judging_events import autonomy_decided
from echelon.testing.learning_events import adjustments_applied, adjustments_reverted, run_reviewed
from echelon.testing.run_events import (
    NOON,
    concern_disposed,
    concern_raised,
    disposition,
    key_of,
    plan_extended,
    run_ended,
    run_record,
    run_reopened,
    run_started,
    small_plan,
    step_ended,
    step_record,
)


class IndexContract(Base):
    """What is found in a log without reading all of it: runs, steps, concerns."""

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

    async def test_runs_begun_inside_another_one_are_found_by_it(self, r1: Journal) -> None:
        for number in (2, 3):
            await r1.append(run_started(f"r{number}", parent_run_id="r1", parent_task=f"ask/{number}"))
        await r1.append(run_started("r4"))

        inside = await r1.runs(inside="r1")

        assert [(found.run_id, found.parent_task) for found in inside] == [("r3", "ask/3"), ("r2", "ask/2")]
        assert [found.run_id for found in await r1.runs(limit=1, inside="r1")] == ["r3"]
        assert await r1.runs(inside="r4") == ()

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

            assert fold(unwrap(await r1.events("r1"))).record == await r1.run("r1")

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
        assert getattr(await r1.last_completed("audit", None, "now"), "run_id", None) == "other-inputs"
        assert await r1.last_completed("audit", inputs, "first") is None
        assert await r1.last_completed("audit", inputs, "nobody") is None

    async def test_the_previous_run_on_whatever_inputs_is_found_too(self, r1: Journal) -> None:
        for run_id, inputs in (("first", {"path": "src"}), ("second", {"path": "lib"}), ("now", {"path": "src"})):
            await r1.append(run_started(run_id, inputs=inputs), run_ended(run_id, RunStatus.COMPLETED))

        assert getattr(await r1.last_completed("audit", None, "now"), "run_id", None) == "second"
        assert getattr(await r1.last_completed("audit", None, None), "run_id", None) == "now"
        assert await r1.last_completed("audit", None, "nobody") is None
        assert await r1.last_completed("another job", None, None) is None

    async def test_a_step_comes_back_as_it_was_written(self, r1: Journal) -> None:
        await r1.append(step_ended())

        assert await r1.steps("r1") == (step_record(),)
        assert await r1.find_completed_step(key_of("inspect")) == step_record()

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

        assert getattr(await r1.find_completed_step(key_of("inspect")), "run_id", None) == "r2"
        assert getattr(await r1.find_completed_step(key_of("inspect"), run_id="r1"), "run_id", None) == "r1"

    async def test_what_is_not_completed_is_no_completed_step(self, r1: Journal) -> None:
        await r1.append(step_ended(status=Status.FAILED))

        assert await r1.find_completed_step(key_of("inspect")) is None
        assert await r1.find_completed_step("nothing", run_id="r1") is None

    async def test_steps_of_earlier_runs_are_found_by_what_they_were_made_from(self, r1: Journal) -> None:
        """Of the same job, and newest first: of one whose output is lost, an older record may have it still."""
        for number in range(2, 9):
            await r1.append(
                run_started(f"r{number}"), *[step_ended(one, run_id=f"r{number}", basis=one) for one in "ab"]
            )
        await r1.append(run_started("other", job="tidy"), step_ended("c", run_id="other", basis="c"))
        await r1.append(run_started("now"), step_ended("d", run_id="now", basis="d"))
        await r1.append(run_started("later"), step_ended("a", run_id="later", basis="a"))

        found = await r1.steps_made_from(["a", "c", "d", "e"], job="audit", before_run_id="now")

        assert [(step.basis, step.run_id) for step in found] == [("a", f"r{number}") for number in (8, 7, 6, 5, 4)]
        assert await r1.steps_made_from(["a"], job="audit", before_run_id="r2") == ()
        assert await r1.steps_made_from([], job="audit", before_run_id="now") == ()

    async def test_a_step_is_not_found_again_that_is_uncertain_or_was_kept_itself(self, r1: Journal) -> None:
        """Where it was really done is found in one step, however many runs have kept it since."""
        plain = step_ended("a", basis="a")
        uncertain = [{"wrapped_up": True}, {"shortfall": "half"}, {"repairs": ("mended",)}, {"kept_from": "r0"}]
        await r1.append(step_ended("failed", status=Status.FAILED, basis="a"), step_ended("no-basis"))
        for number, said in enumerate(uncertain):
            handoff = plain.record.handoff.model_copy(update=said)
            record = plain.record.model_copy(update={"key": key_of(str(number)), "handoff": handoff})
            await r1.append(plain.model_copy(update={"record": record}))
        await r1.append(run_started("now"))

        assert await r1.steps_made_from(["a", ""], job="audit", before_run_id="now") == ()

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

    async def test_concerns_of_one_job_are_found_the_newest_of_many(self, r1: Journal) -> None:
        await r1.append(run_started("r2"))
        await r1.append(run_started("other", job="tidy"))
        for identity, run_id in (("c-1", "r1"), ("c-2", "other"), ("c-3", "r2"), ("c-4", "r1")):
            await r1.append(concern_raised(identity, run_id))
        await r1.append(concern_disposed("c-4"))

        assert [record.id for record in await r1.concerns(job="audit")] == ["c-1", "c-3", "c-4"]
        assert [record.id for record in await r1.concerns(job="audit", limit=2)] == ["c-3", "c-4"]
        assert [record.id for record in await r1.concerns(job="audit", open_only=True)] == ["c-1", "c-3"]
        assert await r1.concerns(job="nothing") == ()

    async def test_what_was_decided_about_results_is_found_by_job(self, r1: Journal) -> None:
        await r1.append(autonomy_decided("r1"), autonomy_decided("r1", "report"))
        for run_id, job in (("r2", "audit"), ("r3", "other"), ("r4", "audit")):
            await r1.append(run_started(run_id, job=job))
            await r1.append(step_ended(run_id=run_id))
        for run_id in ("r3", "r4"):
            await r1.append(autonomy_decided(run_id))

        everything = await r1.autonomy_decided("audit")

        assert [(one.run_id, one.phase) for one in everything] == [
            ("r1", "inspect"),
            ("r1", "report"),
            ("r4", "inspect"),
        ]
        assert everything[0] == autonomy_decided("r1")
        assert [one.run_id for one in await r1.autonomy_decided("audit", "r4")] == ["r1", "r1"]
        assert [one.run_id for one in await r1.autonomy_decided("audit", limit=1)] == ["r4"]
        assert await r1.autonomy_decided("audit", "r1") == ()

    async def test_what_runs_of_a_job_taught_is_found_the_last_word_of_those_with_an_output(self, r1: Journal) -> None:
        await r1.append(run_reviewed("r1", 1.0), run_ended(status=RunStatus.COMPLETED))
        others = {"r2": RunStatus.PARTIAL, "failed": RunStatus.FAILED, "r3": RunStatus.COMPLETED, "now": None}
        for run_id, status in others.items():
            await r1.append(run_started(run_id, job="audit"), run_reviewed(run_id, 2.0))
            if status is not None:
                await r1.append(run_ended(run_id, status))
        await r1.append(run_started("other", job="tidy"), run_reviewed("other"), run_ended("other"))
        await r1.append(run_reviewed("r1", 3.0))

        found = await r1.reviews("audit")

        assert [(one.run_id, one.lesson.makespan_seconds) for one in found] == [("r1", 3.0), ("r2", 2.0), ("r3", 2.0)]
        assert [one.run_id for one in await r1.reviews("audit", "r3")] == ["r1", "r2"]
        assert [one.run_id for one in await r1.reviews("audit", limit=1)] == ["r3"]
        assert await r1.reviews("audit", "nobody") == ()

    async def test_what_was_changed_of_a_job_is_found_until_it_is_taken_back(self, r1: Journal) -> None:
        await r1.append(run_started("r2", job="audit"), adjustments_applied("r2", after=6))
        await r1.append(run_started("other", job="tidy"), adjustments_applied("other"))
        await r1.append(adjustments_applied("r1"), run_ended(status=RunStatus.COMPLETED))

        assert {one.run_id for one in await r1.adjustments("audit")} == {"r1", "r2"}

        await r1.append(adjustments_reverted("r1"))

        assert await r1.adjustments("audit") == (adjustments_applied("r2", after=6),)
        assert await r1.adjustments("nothing") == ()
