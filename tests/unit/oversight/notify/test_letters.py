"""What goes into the outbox, what is still to be sent, and in which messages. Tables."""

from typing import Any

import pytest

from echelon import Notify
from echelon.model.concern import Concern
from echelon.model.exception_report import Level, Trigger
from echelon.model.oversight.terms import Gate
from echelon.oversight.notify.letters import MAX_CONCERNS, letters_of, unsent
from echelon.oversight.notify.queueing import with_notices
from echelon.oversight.notify.tokens import digest_of_token, new_token, subject_of_token
from echelon.runlog.events import ConcernRaised, ExceptionPushed, GateAnswered, GateClosed, GateRaised, RunEvent
from echelon.runlog.notify_events import NotificationFailed, NotificationQueued, NotificationSent
from echelon.runlog.state import RunState, fold
from echelon.testing.run_events import (
    NOON,
    concern_disposed,
    concern_raised,
    exception_report,
    gate,
    gate_answer,
    run_started,
)

SLACK, PAGER = Notify.webhook(url_env="SLACK"), Notify.command(["page"])
MIA = Notify.command(["page", "mia"], approver="mia")


def raised(*approvers: str) -> GateRaised:
    return GateRaised(run_id="r1", at=NOON, record=gate(terms=Gate(approvers=approvers)))


def told(event: RunEvent, *channels: Any) -> list[tuple[str, str]]:
    """Return through which channel whom an event is told to."""
    behind = with_notices([event], channels)[1:]
    queued = [one.notification for one in behind if isinstance(one, NotificationQueued)]
    assert len(queued) == len(behind)
    return [(one.channel.label, one.approver) for one in queued]


@pytest.mark.parametrize(
    ("approvers", "channel", "expected"),
    [
        ((), PAGER, [("command page", "")]),
        (("mia", "tom"), PAGER, [("command page", "mia"), ("command page", "tom")]),
        ((), MIA, [("command page", "mia")]),
        (("mia", "tom"), MIA, [("command page", "mia")]),
        (("tom",), MIA, []),
    ],
)
def test_a_gate_is_told_to_everybody_who_may_answer_one_message_each(approvers, channel, expected) -> None:
    assert told(raised(*approvers), channel) == expected


@pytest.mark.parametrize(
    ("confidence", "impact", "is_told"), [(0.9, 0.9, True), (0.2, 0.9, True), (0.9, 0.2, False), (0.2, 0.2, False)]
)
def test_of_concerns_those_are_told_that_a_person_has_to_see(confidence, impact, is_told) -> None:
    concern = Concern(about="locks.py", message="odd", confidence=confidence, impact=impact)

    assert bool(told(concern_raised("c-1", concern=concern), SLACK)) is is_told


@pytest.mark.parametrize(
    ("level", "trigger", "is_told"),
    [
        (Level.CRITICAL, Trigger.INCIDENT, True),
        (Level.WARNING, Trigger.LATE, False),
        (Level.CRITICAL, Trigger.OVERRUN, False),  # a concern says so, which can be answered
    ],
)
def test_of_what_was_pushed_critical_exceptions_are_told(level, trigger, is_told) -> None:
    pushed = exception_pushed(level=level, trigger=trigger)
    state = fold(with_notices([run_started(), pushed], [SLACK]))
    left = unsent(state.notifications, state.gates, state.concerns)

    assert bool(told(pushed, SLACK)) is is_told
    assert [one.notification.subject_id for one in left] == ([pushed.report.id] if is_told else [])


def test_exceptions_and_concerns_are_told_in_messages_of_their_own() -> None:
    events = [exception_pushed(), concern_raised("c-1"), exception_pushed(message="another")]
    state = fold(with_notices([run_started(), *events], [PAGER]))

    assert [(one.topic, len(one.records)) for one in letters_of(state.notifications.values())] == [
        ("exception", 2),
        ("concern", 1),
    ]


def exception_pushed(**changes: Any) -> ExceptionPushed:
    critical = {"level": Level.CRITICAL, "trigger": Trigger.INCIDENT}
    return ExceptionPushed(run_id="r1", at=NOON, report=exception_report().model_copy(update=critical | changes))


def test_what_happened_stays_in_its_order_and_nothing_is_added_without_channels() -> None:
    events = [raised(), concern_raised("c-1"), concern_disposed("c-1")]

    kinds = [one.kind for one in with_notices(events, [PAGER])]
    assert kinds == [
        "gate_raised",
        "notification_queued",
        "concern_raised",
        "notification_queued",
        "concern_disposed",
    ]
    assert with_notices(events, []) is events


def state_of(*events: RunEvent) -> RunState:
    return fold(with_notices(events, [PAGER]))


def left(state: RunState) -> list[str]:
    return [one.notification.subject_id for one in unsent(state.notifications, state.gates, state.concerns)]


def test_what_was_delivered_or_decided_needs_no_message() -> None:
    state = state_of(raised(), concern_raised("c-1"))
    (first, second) = state.notifications
    base: dict[str, Any] = {"run_id": "r1", "at": NOON}
    sent = NotificationSent(**base, key="k", notifications=(first,))
    failed = NotificationFailed(**base, key="k", notifications=(first,), attempt=1, error="no", passing=True)

    assert left(state) == ["g-1", "c-1"]
    assert left(state.apply(failed)) == ["g-1", "c-1"]
    assert left(state.apply(failed, sent)) == ["c-1"]
    assert left(state.apply(GateAnswered(**base, gate_id="g-1", answer=gate_answer()))) == ["c-1"]
    assert left(state.apply(GateClosed(**base, gate_id="g-1", reason="changed"))) == ["c-1"]
    assert left(state.apply(concern_disposed("c-1"))) == ["g-1"]
    assert state.apply(failed).notifications[first].attempts == 1
    assert second != first


def test_put_in_twice_somebody_is_told_once() -> None:
    state = state_of(raised(), raised())

    assert len(state.notifications) == 1


def test_a_gate_has_a_message_of_its_own_and_concerns_share_them() -> None:
    concerns: list[ConcernRaised] = [concern_raised(f"c-{number}") for number in range(MAX_CONCERNS + 1)]
    letters = letters_of(state_of(raised(), *concerns).notifications.values())

    assert [(letter.is_gate, len(letter.records)) for letter in letters] == [
        (True, 1),
        (False, MAX_CONCERNS),
        (False, 1),
    ]
    assert len({letter.key for letter in letters}) == 3


def test_the_same_message_has_the_same_key_whoever_sends_it() -> None:
    one, other = (state_of(concern_raised("c-1"), concern_raised("c-2")) for _ in range(2))

    assert [letter.key for letter in letters_of(one.notifications.values())] == [
        letter.key for letter in letters_of(reversed(list(other.notifications.values())))
    ]


def test_a_token_names_what_it_is_for_and_is_random() -> None:
    one, other = new_token("g-1.a"), new_token("g-1.a")

    assert (subject_of_token(one), len(one)) == ("g-1.a", len("g-1.a.") + 32)
    assert one != other
    assert digest_of_token(one) != digest_of_token(other)
    assert one not in digest_of_token(one)


@pytest.mark.parametrize("text", ["", "g-1", "g-1.", "g-1.xyz", "g-1." + "Z" * 32, "." * 40])
def test_what_is_no_token_names_nothing(text) -> None:
    assert subject_of_token(text) == ""
