"""What the picture relies on in Prefect that is not promised to anybody; each fails when Prefect changes it."""

import asyncio
import inspect
from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest
from prefect.client.base import PrefectHttpxAsyncClient
from prefect.client.orchestration import PrefectClient
from prefect.client.orchestration.base import BaseAsyncClient
from prefect.context import TaskRunContext
from prefect.server.events.schemas.events import Event
from prefect.server.schemas import states
from prefect.server.schemas.actions import ArtifactCreate, FlowRunCreate, LogCreate, TaskRunCreate
from prefect.server.services.task_run_recorder import db_recordable_task_run_from_event
from prefect.server.utilities.messaging.memory import Topic
from prefect.settings import get_current_settings
from prefect.utilities.engine import emit_task_run_state_change_event

from echelon.engine.picture.drawing import MAX_UNRECORDED
from echelon.engine.picture.strokes import (
    DrawnState,
    DrawTaskRun,
    OpenFlowRun,
    StateKind,
    WriteLine,
    id_of,
)
from echelon.engine.picture.wire import (
    MAX_PARAMETER_BYTES,
    entered_at,
    flow_run_body,
    line_body,
    parent_task_body,
    state_body,
    task_event,
)
from echelon.engine.server.process import AT_HEADER, GivenTimes
from tests.unit.engine.synthetic import after

FLOW_RUN = str(uuid4())


def task(kind: StateKind, message: str = "well done") -> DrawTaskRun:
    return DrawTaskRun(
        id=id_of("run", "task"),
        flow_key="",
        task="agent",
        dynamic_key="greet/d0-0",
        title="greet/d0-0",
        started=after(0),
        state=DrawnState(kind=kind, at=after(2), message=message),
        attempts=3,
    )


@pytest.mark.parametrize("kind", list(StateKind))
def test_the_server_records_a_task_run_from_an_event(kind: StateKind) -> None:
    drawn = task(kind)
    event = Event.model_validate(task_event(drawn, FLOW_RUN)).receive()
    recorded, columns = db_recordable_task_run_from_event(event)

    assert (recorded.id, recorded.flow_run_id, recorded.name) == (drawn.id, UUID(FLOW_RUN), "greet/d0-0")
    assert (recorded.task_key, recorded.dynamic_key, recorded.run_count) == ("agent", "greet/d0-0", 3)
    assert recorded.state is not None
    assert (recorded.state.id, recorded.state.type.value, recorded.state.message) == (drawn.state_id, kind, "well done")
    assert (recorded.state.timestamp, recorded.start_time) == (entered_at(drawn.state), after(0))
    assert recorded.end_time == (after(2) if drawn.state.ended else None)
    assert "end_time" in columns, "a task run that is at work again has no end"


def test_all_events_are_written_in_one_statement() -> None:
    """Where the fields of two task runs differ, the server writes each with a statement of its own."""
    columns = {
        frozenset(
            db_recordable_task_run_from_event(Event.model_validate(task_event(task(kind), FLOW_RUN)).receive())[1]
        )
        for kind in StateKind
    }

    assert len(columns) == 1


def test_the_event_is_told_from_others_as_that_of_prefects_client() -> None:
    """The recorder takes what says `client`; everything else in the event is for people."""
    resource = task_event(task(StateKind.COMPLETED), FLOW_RUN)["resource"]

    assert resource["prefect.orchestration"] == "client"
    assert '"prefect.orchestration": "client"' in inspect.getsource(emit_task_run_state_change_event)


def test_the_api_takes_what_it_is_sent() -> None:
    state = DrawnState(kind=StateKind.RUNNING, at=after(0))
    spec = OpenFlowRun(
        key="part/greet/d0",
        idempotency_key="run/d0",
        title="d0 · greet",
        flow="domain",
        parameters={"domain": "d0"},
        state=state,
        parent_task=uuid4(),
    )
    line = WriteLine(flow_key="", task_id=None, source="x", level=20, message="hello", at=after(1))
    transition = uuid4()
    flow_run = FlowRunCreate.model_validate(flow_run_body(spec, str(uuid4()), transition))

    assert TaskRunCreate.model_validate(parent_task_body(spec, FLOW_RUN)).id == spec.parent_task
    assert flow_run.state is not None
    assert flow_run.state.state_details.transition_id == transition
    assert state_body(state, transition)["name"] == "Running"
    assert LogCreate.model_validate(line_body(line, FLOW_RUN)).message == "hello"
    assert ArtifactCreate.model_validate({"key": "crowd-report", "type": "markdown", "data": "# x"}).data == "# x"


def test_parameters_that_are_too_large_are_left_out() -> None:
    large = {"small": 1, "large": "x" * MAX_PARAMETER_BYTES}
    spec = OpenFlowRun(
        key="",
        idempotency_key="",
        title="",
        flow="",
        parameters=large,
        state=DrawnState(kind=StateKind.RUNNING, at=after(0)),
    )

    assert flow_run_body(spec, "", uuid4())["parameters"] == {"small": 1}
    assert get_current_settings().server.api.max_parameter_size > MAX_PARAMETER_BYTES


def test_the_server_keeps_more_events_than_are_sent_without_waiting() -> None:
    assert Topic("test").subscribe()._queue.maxsize >= 2 * MAX_UNRECORDED


def test_prefects_client_sends_a_request_as_it_is() -> None:
    assert issubclass(PrefectClient, BaseAsyncClient)
    assert list(inspect.signature(BaseAsyncClient.request).parameters)[:3] == ["self", "method", "path"]
    assert hasattr(PrefectHttpxAsyncClient, "send")


def test_the_context_of_a_task_run_has_the_fields_that_are_set() -> None:
    expected = {"task", "task_run", "parameters", "result_store", "persist_result", "log_prints", "client"}

    assert expected <= TaskRunContext.model_fields.keys()
    assert TaskRunContext.__var__.get(None) is None


def test_a_server_of_ours_takes_the_time_that_a_request_gives(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(states, "now", states.now)  # given back at the end
    entered: list[datetime] = []

    async def app(scope, receive, send) -> None:
        state = states.State(type=states.StateType.RUNNING)
        entered.extend((state.timestamp, state.fresh_copy().timestamp))

    async def ask(*headers: tuple[bytes, bytes]) -> None:
        await given({"type": "http", "headers": headers}, None, None)

    given, moment = GivenTimes(app), after(7)
    asyncio.run(ask((AT_HEADER, moment.isoformat().encode())))
    asyncio.run(ask())

    assert entered[:2] == [moment, moment]
    assert all(abs((datetime.now(UTC) - at).total_seconds()) < 60 for at in entered[2:])
