"""What a flow run needs that asks people, or was cut short, by everything that is known of it."""

from datetime import timedelta

import pytest

from echelon.engine.asking.care import Care, care_for, next_to_ask, why_ended
from echelon.engine.asking.flow_runs import AskingFlowRun, response_key
from echelon.engine.asking.gate_form import FormAnswer, form_of, gate_of_key, key_of
from echelon.engine.asking.same_work import same_work, waits_for_people
from echelon.model.oversight.gate import GateRecord, Question
from echelon.model.run import RunRecord, RunStatus
from tests.unit.engine.asking.gates import FLOW_RUN, NOON, a_flow_run, a_gate, a_record, an_action, an_answer

LATER, EARLIER = NOON + timedelta(seconds=5), NOON - timedelta(seconds=5)

ASKS = a_flow_run(key=key_of("g1", 0))
LEFT_OUT = {"type": "CANCELLED", "timestamp": NOON, "message": "Deployment concurrency limit reached."}
STOPPED = {"type": "CANCELLED", "timestamp": NOON, "message": "Runner is shutting down."}
OPEN = a_gate("g1")
APPROVED = a_gate("g1", answers=(an_answer(at=LATER),))
CLOSED = a_gate("g1", closed="superseded by run two")
OTHER = a_gate("g2", answers=(an_answer(at=LATER),))
OTHER_BEFORE = a_gate("g2", answers=(an_answer(at=EARLIER),))

STAYS = None


@pytest.mark.parametrize(
    ("flow_run", "status", "gates", "care"),
    [
        # It asks, and its run waits: whatever was decided since lets it go on.
        (ASKS, RunStatus.WAITING, [OPEN], STAYS),
        (ASKS, RunStatus.WAITING, [APPROVED], Care.WAKE),
        (ASKS, RunStatus.WAITING, [CLOSED], Care.WAKE),
        (ASKS, RunStatus.WAITING, [OPEN, OTHER], Care.WAKE),
        (ASKS, RunStatus.WAITING, [OPEN, OTHER_BEFORE], STAYS),
        (ASKS, RunStatus.WAITING, [a_gate("g1", answers=(an_answer(at=LATER, refused="no"),))], STAYS),
        # Its run is at work elsewhere, or has ended there.
        (ASKS, RunStatus.RUNNING, [APPROVED], STAYS),
        (ASKS, RunStatus.COMPLETED, [APPROVED], Care.END),
        (ASKS, RunStatus.FAILED, [APPROVED], Care.END),
        (ASKS, RunStatus.INTERRUPTED, [CLOSED], Care.END),
        (ASKS, RunStatus.INTERRUPTED, [OPEN], STAYS),
        # It was cut short: before it could ask, or when it was to go on.
        (a_flow_run("CRASHED"), RunStatus.WAITING, [OPEN], Care.AGAIN),
        (a_flow_run("CRASHED"), RunStatus.WAITING, [], STAYS),
        (a_flow_run("CRASHED"), RunStatus.COMPLETED, [APPROVED], STAYS),
        (a_flow_run(key=key_of("g1", 0), state=LEFT_OUT), RunStatus.WAITING, [OPEN], Care.AGAIN),
        (a_flow_run(key=key_of("g1", 0), state=LEFT_OUT), RunStatus.COMPLETED, [APPROVED], STAYS),
        # Serving was stopped while its process was there: as it asked, or as it worked.
        (a_flow_run(key=key_of("g1", 0), state=STOPPED), RunStatus.WAITING, [OPEN], Care.AGAIN),
        (a_flow_run(state=STOPPED), RunStatus.INTERRUPTED, [], STAYS),
        # A person cancelled it, or it is at work, or it waits for something else.
        (a_flow_run("CANCELLED", key=key_of("g1", 0)), RunStatus.WAITING, [OPEN], STAYS),
        (a_flow_run("RUNNING", key=key_of("g1", 0)), RunStatus.WAITING, [APPROVED], STAYS),
        (a_flow_run(key="of-somebody-else"), RunStatus.WAITING, [APPROVED], STAYS),
        (a_flow_run(), RunStatus.COMPLETED, [], STAYS),
    ],
)
def test_a_flow_run_needs(
    flow_run: AskingFlowRun, status: RunStatus, gates: list[GateRecord], care: Care | None
) -> None:
    assert care_for(flow_run, a_record(status=status), gates) is care


@pytest.mark.parametrize(
    ("gates", "why"),
    [
        ([APPROVED], "run one went on elsewhere: interrupted"),
        ([CLOSED, OTHER], "run one went on elsewhere: interrupted (superseded by run two)"),
        ([APPROVED, a_gate("g2", closed="what would be done has changed")], "run one went on elsewhere: interrupted"),
    ],
)
def test_a_flow_run_is_told_why_it_is_ended(gates: list[GateRecord], why: str) -> None:
    assert why_ended(ASKS, a_record("one", status=RunStatus.INTERRUPTED), gates) == why


def test_a_flow_run_that_is_not_on_record_is_left_alone() -> None:
    assert care_for(ASKS, None, [APPROVED]) is None


def ending(gate_id: str, seconds: float) -> GateRecord:
    return a_gate(gate_id, expires=NOON + timedelta(seconds=seconds))


@pytest.mark.parametrize(
    ("gates", "asked"),
    [
        ([], None),
        ([APPROVED], None),
        ([a_gate("g1"), a_gate("g2")], "g1"),
        ([APPROVED, a_gate("g2")], "g2"),
        ([a_gate("g1"), ending("g2", 60)], "g2"),
        ([ending("g1", 60), ending("g2", 30)], "g2"),
    ],
)
def test_the_gate_is_asked_first_that_ends_first(gates: list[GateRecord], asked: str | None) -> None:
    found = next_to_ask(gates)

    assert (found.id if found else None) == asked


@pytest.mark.parametrize("gate_id", ["g0c4f7d21aa", "g-1", "7"])
def test_a_key_names_its_gate_and_is_never_used_twice(gate_id: str) -> None:
    keys = [key_of(gate_id, number) for number in range(3)]

    assert len(set(keys)) == 3
    assert [gate_of_key(key) for key in keys] == [gate_id] * 3


NEW = a_record("new", RunStatus.RUNNING, started=LATER)


@pytest.mark.parametrize(
    ("earlier", "series", "counts"),
    [
        (a_record(), None, True),
        (a_record(inputs={"to": "zeta", "dry": False}), None, False),
        (a_record(inputs={"to": "acme", "dry": True}), ("to",), True),
        (a_record(inputs={"to": "zeta", "dry": False}), ("to",), False),
        (a_record(inputs={"to": "zeta"}), (), True),
        (a_record(job="other"), None, False),
        (a_record(status=RunStatus.COMPLETED), None, False),
        (a_record(status=RunStatus.RUNNING), None, False),
        (a_record(parent_run_id="outer"), None, False),
        (a_record(damage="cannot be read"), None, False),
        (a_record("new"), None, False),
        (a_record(started=LATER + timedelta(seconds=1)), None, False),
    ],
)
def test_a_run_does_the_same_work(earlier: RunRecord, series: tuple[str, ...] | None, *, counts: bool) -> None:
    assert (same_work([earlier], NEW, series) == [earlier]) is counts


@pytest.mark.parametrize(
    ("gates", "waits"),
    [
        ([], False),  # it waits for a quota
        ([OPEN], True),
        ([APPROVED], False),  # a person has answered, and it is to go on
        ([CLOSED], True),  # who closed it was killed before the end of the run was on record
        ([CLOSED, APPROVED], False),  # it was resumed since, asked anew and was answered
        ([CLOSED, OPEN], True),
        ([a_gate("g1", closed="what would be done is not what was approved")], False),
    ],
)
def test_a_run_waits_for_people(gates: list[GateRecord], *, waits: bool) -> None:
    assert waits_for_people(gates) is waits


@pytest.mark.parametrize(
    ("gate", "fields", "verdicts"),
    [
        (a_gate(), ["verdict", "author", "reason"], ["approve", "deny"]),
        (
            a_gate(action=an_action(missing=("rates: timed out",))),
            ["verdict", "author", "reason", "partial"],
            ["approve", "deny"],
        ),
        (
            a_gate(question=Question.CUT_OFF),
            ["verdict", "author", "reason", "output"],
            ["done", "approve", "deny"],
        ),
    ],
)
def test_a_form_has_just_the_fields_that_its_gate_needs(
    gate: GateRecord, fields: list[str], verdicts: list[str]
) -> None:
    schema = form_of(gate, "the page").model_json_schema()

    assert list(schema["properties"]) == fields
    assert schema["properties"]["verdict"]["enum"] == verdicts
    assert schema["required"] == ["verdict", "author"]
    assert schema["additionalProperties"] is False


@pytest.mark.parametrize(
    ("typed", "output"),
    [("", None), ("[1]", [1]), ("sent to Ada", "sent to Ada"), ('"sent"', "sent")],
)
def test_what_came_of_what_was_done_already_is_json_or_a_text(typed: str, output: object) -> None:
    answer = FormAnswer(verdict="done", author=" ada ", reason=" saw it ", output=typed)

    wish = answer.wish

    assert (wish.output, wish.author, wish.reason, wish.channel) == (output, "ada", "saw it", "prefect")


def test_prefect_keeps_what_was_filled_in_where_it_is_looked_for() -> None:
    from prefect.input import keyset_from_paused_state
    from prefect.states import Suspended

    keys = keyset_from_paused_state(Suspended(pause_key=key_of("g1", 0)))

    assert keys["response"] == response_key(key_of("g1", 0))


def test_a_flow_run_is_read_from_the_api_as_from_an_object_of_the_client() -> None:
    read = AskingFlowRun.model_validate(a_flow_run(key="gate-g1-0", tags=["x", "echelon-run:run-7"]).model_dump())

    assert read.asks == "g1"
    assert read.keys == ("gate-g1-0",)
    assert read.run_key == {"run_id": "run-7"}
    assert a_flow_run().run_key == {"flow_run_id": str(FLOW_RUN)}
    assert not a_flow_run(parent_task_run_id=FLOW_RUN).can_ask
    assert not a_flow_run(deployment_id=None).can_ask
