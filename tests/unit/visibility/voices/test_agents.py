"""X15: what an agent said is shown with it, while it works and after it has ended."""

from collections.abc import Sequence

from echelon.runlog.events import BlockedReported, ConfidenceStated, RunEvent
from echelon.runlog.state import RunState, fold
from echelon.runlog.view import view_of
from echelon.testing.run_events import (
    NOON,
    concern_disposed,
    concern_raised,
    key_of,
    run_started,
    small_plan,
    step_ended,
    step_started,
    task_proposed,
)
from echelon.visibility.voices.agents import AgentVoice, voice_of, voices_line

TASK = "inspect"


def confidence_stated(confidence: float) -> ConfidenceStated:
    return ConfidenceStated(run_id="r1", at=NOON, key=key_of(TASK), task_id=TASK, confidence=confidence)


def blocked_reported(task: str = TASK) -> BlockedReported:
    return BlockedReported(run_id="r1", at=NOON, key=key_of(task), task_id=task, on="mia", reason="she knows")


SAID: Sequence[RunEvent] = (
    concern_raised("c1"),
    confidence_stated(0.4),
    confidence_stated(0.7),
    blocked_reported(),
    task_proposed("p1"),
)


def state_of(*events: RunEvent) -> RunState:
    return fold([run_started(plan=small_plan([TASK, "report"])), *events])


def heard(*events: RunEvent, task: str = TASK) -> AgentVoice:
    return voice_of(view_of(state_of(*events), lambda _: None), task)


def test_what_an_agent_at_work_said_is_there_before_it_has_ended_anything() -> None:
    voice = heard(step_started(TASK), *SAID)

    assert [one.id for one in voice.concerns] == ["c1"]
    assert (voice.stated_confidence, voice.blocked) == (0.7, "blocked on mia: she knows")
    assert [one.id for one in voice.proposals] == ["p1"]


def test_and_it_stays_when_it_has_ended() -> None:
    assert heard(step_started(TASK), *SAID, step_ended(TASK)) == heard(step_started(TASK), *SAID)


def test_nobody_else_said_it() -> None:
    others = heard(step_started(TASK), *SAID, step_ended(TASK), task="report")

    assert others == AgentVoice(concerns=(), stated_confidence=None, blocked="", proposals=())


def test_who_begins_anew_has_neither_said_how_sure_it_is_nor_what_it_waits_for() -> None:
    voice = heard(step_started(TASK), *SAID, step_started(TASK))

    assert (voice.stated_confidence, voice.blocked) == (None, "")
    assert len(voice.concerns) == len(voice.proposals) == 1


def test_all_that_waits_for_somebody_is_one_line() -> None:
    state = state_of(*SAID, concern_raised("c2"), concern_disposed("c2"), blocked_reported("report"))

    assert voices_line(state) == (
        "1 open concern (1 human review)  1 proposed task not decided  "
        "2 blocked, the first: inspect is blocked on mia: she knows"
    )
    assert voices_line(state_of()) == ""
