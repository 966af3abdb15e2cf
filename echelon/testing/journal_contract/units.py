"""Units: written as a whole, or refused as a whole, with the reason."""

import asyncio

import pytest

from echelon.journal.port import Journal
from echelon.model.errors import EchelonError, IllegalTransition, InvalidInput, JournalError
from echelon.model.run import RunStatus
from echelon.model.status import Status
from echelon.runlog.events import EffectIntended
from echelon.runlog.state import fold
from echelon.testing.journal_contract.base import Base, unwrap
from echelon.testing.run_events import (
    NOON,
    concern_disposed,
    concern_raised,
    concern_reopened,
    disposition,
    effect_intent,
    one_of_each,
    run_ended,
    run_started,
    step_ended,
)


class UnitContract(Base):
    """Units: written as a whole, or refused as a whole, with the reason."""

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

    async def test_a_dismissal_that_says_nothing_of_what_was_looked_at_is_refused(self, r1: Journal) -> None:
        await r1.append(concern_raised("c-1"))

        for nothing in ((), ("",), (" ", "\t")):
            with pytest.raises(InvalidInput, match=r"'c-1' cannot be dismissed.*--looked-at"):
                await r1.append(concern_disposed("c-1", verdict="dismissed", looked_at=nothing))

        assert len(await r1.concerns(open_only=True)) == 1
        await r1.append(concern_disposed("c-1", looked_at=()))  # that the cause is gone, or true, needs none

    @pytest.mark.parametrize("verdict", ["resolved", "accepted", "dismissed"])
    async def test_whoever_a_concern_is_about_cannot_end_it(self, r1: Journal, verdict: str) -> None:
        await r1.append(concern_raised("c-1", about_nodes=("lead-1",)))

        for author in ("lead-1", " Lead-1 ", "locks.py"):  # a lead that it names, and what it is about
            with pytest.raises(InvalidInput, match=r"is about .*, who cannot end it"):
                await r1.append(concern_disposed("c-1", author=author, verdict=verdict))

        await r1.append(concern_disposed("c-1", author="mia", verdict=verdict))

    async def test_a_disposition_is_taken_back_and_may_be_followed_by_another(self, r1: Journal) -> None:
        """All of it in one unit, too: each event sees the ones before it."""
        dismissed = concern_disposed("c-1", verdict="dismissed")
        await r1.append(concern_raised("c-1"), dismissed, concern_reopened("c-1"), concern_disposed("c-1"))
        await r1.append(concern_reopened("c-1"))

        (found,) = await r1.concerns(open_only=True)

        assert [one.disposition.verdict for one in found.reopened] == ["dismissed", "resolved"]
        assert found.reopened[0].disposition == dismissed.disposition
        assert (found.reopened[0].by, found.reopened[0].evidence) == ("noa", ("locks.py:12",))
        assert found == fold(unwrap(await r1.events("r1"))).concerns["c-1"]

    async def test_only_what_was_ended_is_reopened_and_with_what_shows_it(self, r1: Journal) -> None:
        await r1.append(concern_raised("c-1"))
        with pytest.raises(InvalidInput, match="'c-1' is open"):
            await r1.append(concern_reopened("c-1"))
        await r1.append(concern_disposed("c-1"))
        with pytest.raises(InvalidInput, match=r"'c-1' cannot be reopened.*--looked-at"):
            await r1.append(concern_reopened("c-1", evidence=(" ",)))
        with pytest.raises(InvalidInput, match="there is no concern 'nope'"):
            await r1.append(concern_reopened("nope"))

        assert await r1.concerns(open_only=True) == ()

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
