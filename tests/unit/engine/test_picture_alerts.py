"""What is pushed in a run is an event of Prefect that automations can act on, and a line of its log (V1, V7)."""

import logging
from typing import Any

import pytest

from echelon.engine.picture.mapping import Picture
from echelon.engine.picture.strokes import JOB, Strokes
from echelon.engine.picture.wire import event_body
from echelon.model.exception_report import ExceptionReport, Level, Trigger
from echelon.model.plan import ALERTS_AN_HOUR
from echelon.runlog.events import ExceptionPushed, PlanExtended, RunEvent
from tests.unit.engine.synthetic import PHASE, RUN_ID, Writer, after, logged, plan_of

WRITER = Writer(plan_of(2, 3))
TASK = f"{PHASE}/d0-0"


def pushed(seconds: float = 1.0, **changes: Any) -> RunEvent:
    values: dict[str, Any] = {"level": Level.WARNING, "path": ("primary",), "message": "it is late"}
    report = ExceptionReport(trigger=Trigger.LATE, at=WRITER.at(seconds), **(values | changes))
    return ExceptionPushed(run_id=RUN_ID, at=report.at, report=report)


def drawn(*events: RunEvent) -> Strokes:
    return Picture(RUN_ID).draw(logged([*WRITER.start(), *events]), after(99))


@pytest.mark.parametrize(
    ("changes", "resource", "title"),
    [
        ({"tasks": (TASK,)}, f"echelon.task.{RUN_ID}.{TASK}", TASK),
        ({"path": WRITER.plan.path(WRITER.plan.agent_of[TASK])}, f"echelon.task.{RUN_ID}.{TASK}", TASK),
        ({"about": f"phase {PHASE}"}, f"echelon.phase.{RUN_ID}.{PHASE}", PHASE),
        ({"tasks": ("a", "b")}, f"echelon.run.{RUN_ID}", RUN_ID),
        ({}, f"echelon.run.{RUN_ID}", RUN_ID),
    ],
)
def test_an_event_is_about_a_task_a_phase_or_the_run(changes: dict[str, Any], resource: str, title: str) -> None:
    (event,) = drawn(pushed(**changes)).events
    body = event_body(event, "f-1")

    assert body["event"] == "echelon.exception.late"
    assert body["resource"] == {
        "prefect.resource.id": resource,
        "prefect.resource.name": title,
        "echelon.level": "warning",
        "echelon.trigger": "late",
    }
    assert [(one["prefect.resource.role"], one["prefect.resource.id"]) for one in body["related"]] == [
        ("flow-run", "prefect.flow-run.f-1"),
        ("run", f"echelon.run.{RUN_ID}"),
        ("job", "echelon.job.crowd"),
    ]
    assert (body["payload"]["message"], body["payload"]["command"]) == ("it is late", f"echelon exceptions {RUN_ID}")


def test_what_is_no_alert_is_no_event() -> None:
    strokes = drawn(pushed(level=Level.INFO))

    assert (strokes.events, strokes.lines) == ([], [])


def test_drawn_again_an_event_has_the_same_id_and_no_two_have_one() -> None:
    events = [pushed(), pushed(), pushed(2.0)]
    first, again = drawn(*events).events, drawn(*events).events

    assert first == again
    assert len({event.id for event in first}) == 3


def test_texts_of_anybody_are_bounded_and_only_shown() -> None:
    (event,) = drawn(pushed(message="\x1b[2J" + "x" * 5_000, tasks=tuple(f"t{n}" for n in range(90)))).events

    assert str(event.payload["message"]).startswith("\\x1b[2Jxxx")
    assert len(event.payload["message"]) <= 1_000
    assert (len(event.payload["tasks"]), event.payload["tasks_in_all"]) == (50, 90)


def test_the_log_of_the_run_has_alerts_within_the_attention_of_people() -> None:
    many = [pushed(float(second), message=f"late {'abcdefghijk'[second]}") for second in range(ALERTS_AN_HOUR + 3)]
    lines = drawn(*many, pushed(99.0, level=Level.CRITICAL)).lines

    assert {line.flow_key for line in lines} == {JOB}
    assert [(line.level, line.message) for line in lines] == [
        *[(logging.WARNING, f"late: late {'abcdefghijk'[number]}") for number in range(ALERTS_AN_HOUR)],
        (logging.WARNING, f"more alerts of level job are counted: echelon exceptions {RUN_ID}"),
        (logging.CRITICAL, "late: primary: it is late"),
    ]


def test_the_levels_of_a_plan_that_has_grown_count() -> None:
    grown = PlanExtended(run_id=RUN_ID, at=WRITER.at(0.5), plan=plan_of(9, 9), reason="more")
    (event,) = drawn(grown, pushed(path=("primary", "domain:d8"))).events

    assert event.payload["path"] == ["primary", "domain:d8"]
