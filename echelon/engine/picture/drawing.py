"""Drawing a run into Prefect: strokes become requests. Drawing the same again, or a part of it, changes nothing."""

import asyncio
import itertools
import logging
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from echelon.engine.picture.api import Api, ApiAnswer, Refused
from echelon.engine.picture.reports import artifacts_of
from echelon.engine.picture.strokes import (
    JOB,
    DrawTaskRun,
    EmitEvent,
    EnterState,
    OpenFlowRun,
    ShowReport,
    Strokes,
    WriteLine,
    id_of,
    transition_of,
)
from echelon.engine.picture.wire import (
    entered_at,
    event_body,
    flow_run_body,
    line_body,
    parent_task_body,
    pending_at,
    state_body,
    task_event,
)
from echelon.model.adapter import JsonObject

log = logging.getLogger("echelon.engine.picture")

#: Events and lines in one request: the fewer requests the less they cost, and no request may take long.
EVENTS_A_REQUEST = 200
LINES_A_REQUEST = 200

#: The server keeps 10,000 events that it has not recorded yet, and drops what comes then.
MAX_UNRECORDED = 2_000

#: How long the server may take to record what it was sent, and how often it is asked, in seconds.
SETTLE_SECONDS = 20.0
SETTLE_PAUSE_SECONDS = 0.25

#: Ids in one question.
IDS_A_REQUEST = 200


class PictureGone(Exception):
    """The server knows nothing of what was drawn before: it has another database now."""


class Canvas:
    """The picture of one run in one server."""

    def __init__(self, api: Api, run_id: str, flow_run_id: str | None = None, parent: str | None = None) -> None:
        """Draw into `flow_run_id`, or a new flow run, which lies in the flow run `parent` if there is one."""
        self._api = api
        self._run_id = run_id
        self._parent = parent
        self._specs: dict[str, OpenFlowRun] = {}
        self._recalled: set[str] = set()
        """Flow runs that the server must know."""
        self._ids: dict[str, str] = {JOB: flow_run_id} if flow_run_id else {}
        self._transitions: dict[str, str | None] = {}
        """By key of a flow run, the change by which it came to the state it is in."""
        self._flows: dict[str, str] = {}
        self._ended: dict[UUID, DrawTaskRun] = {}
        """Task runs that were drawn as ended."""
        self._last_state: UUID | None = None
        self._unrecorded = 0
        self._is_first = True
        """May what is drawn next be there already?"""

    def recall(self, strokes: Strokes) -> None:
        """Take note of what was drawn before."""
        self._specs |= {spec.key: spec for spec in strokes.opened}
        self._recalled |= {spec.key for spec in strokes.opened}

    async def draw(self, strokes: Strokes) -> None:
        """Draw; raises `Unreachable` when the server is away, then all of it may be drawn again."""
        entered: dict[str, list[EnterState]] = {}
        for each in strokes.entered:
            entered.setdefault(each.key, []).append(each)
        for spec in strokes.opened:
            self._specs[spec.key] = spec
            await self._open(spec, entered.get(spec.key, []))
        await self._draw_tasks(strokes.tasks)
        await self._write(strokes.lines)
        await self._emit(strokes.events)
        for key, states in entered.items():
            await self._enter(key, states)
        for report in strokes.reports:
            await self._show(report)
        self._is_first = self._is_first and not strokes

    async def settle(self) -> None:
        """Wait until the server has recorded every task run; what it lost is sent once more."""
        if await self._is_recorded(time.monotonic() + SETTLE_SECONDS):
            return
        await self._send_events(list(self._ended.values()))
        if not await self._is_recorded(time.monotonic() + SETTLE_SECONDS):
            log.warning("Prefect has not recorded all task runs of run %s", self._run_id)

    # Flow runs ---------------------------------------------------------------------------------------------------

    async def _open(self, spec: OpenFlowRun, behind: Sequence[EnterState] = ()) -> str:
        """Return the id of a flow run, made where it is not there; in another state than its last it is set back."""
        if spec.key in self._ids:
            return self._ids[spec.key]
        answer = await self._find_or_make(spec)
        self._ids[spec.key] = answer.body["id"]
        self._transitions[spec.key] = _transition(answer.body)
        known = {self._transition(EnterState(key=spec.key, state=spec.state)), *map(self._transition, behind)}
        if not answer.is_new and spec.key not in self._recalled and self._transitions[spec.key] not in known:
            await self._enter(spec.key, [EnterState(key=spec.key, state=spec.state)])
        return self._ids[spec.key]

    async def _find_or_make(self, spec: OpenFlowRun) -> ApiAnswer:
        if spec.adopt:
            answer = await self._api.get(f"/flow_runs/{spec.adopt}")
            if answer.body is not None and "id" in answer.body:
                return answer
        if spec.key == JOB and self._parent is not None:
            spec = replace(spec, parent_task=id_of(self._run_id, "parent"))
        if spec.parent_task is not None:
            parent = self._parent if spec.key == JOB else await self._flow_run(JOB)
            parent_task = parent_task_body(spec, str(parent))
            await self._api.post("/task_runs/", parent_task, pending_at(spec.state))
        body = flow_run_body(spec, await self._flow(spec.flow), transition_of(self._run_id, spec.key, spec.state))
        answer = await self._api.post("/flow_runs/", body, entered_at(spec.state))
        if answer.is_new and spec.key in self._recalled:
            raise PictureGone(f"flow run {spec.title!r} of run {self._run_id} is not there any more")
        return answer

    async def _flow(self, name: str) -> str:
        if name not in self._flows:
            self._flows[name] = (await self._api.post("/flows/", {"name": name})).body["id"]
        return self._flows[name]

    async def _flow_run(self, key: str) -> str:
        return self._ids[key] if key in self._ids else await self._open(self._specs[key])

    async def _enter(self, key: str, states: Sequence[EnterState]) -> None:
        """Enter states one behind the other; those up to the one the flow run is in were entered before."""
        flow_run_id = await self._flow_run(key)
        transitions = [self._transition(each) for each in states]
        if self._transitions.get(key) in transitions:
            states = states[transitions.index(self._transitions[key] or "") + 1 :]
        for each in states:
            transition = transition_of(self._run_id, key, each.state)
            body = {"state": state_body(each.state, transition), "force": True}
            await self._api.post(f"/flow_runs/{flow_run_id}/set_state", body, entered_at(each.state))
            self._transitions[key] = str(transition)

    def _transition(self, entered: EnterState) -> str:
        return str(transition_of(self._run_id, entered.key, entered.state))

    # Task runs ---------------------------------------------------------------------------------------------------

    async def _draw_tasks(self, tasks: Sequence[DrawTaskRun]) -> None:
        for task in tasks:
            if task.state.ended:
                self._ended[task.id] = task
            else:
                self._ended.pop(task.id, None)
        await self._send_events(tasks)

    async def _send_events(self, tasks: Sequence[DrawTaskRun]) -> None:
        for first in range(0, len(tasks), EVENTS_A_REQUEST):
            some = tasks[first : first + EVENTS_A_REQUEST]
            events = [task_event(task, await self._flow_run(task.flow_key)) for task in some]
            await self._api.post("/events", events)
            self._last_state = some[-1].state_id
            self._unrecorded += len(some)
            if self._unrecorded >= MAX_UNRECORDED:
                await self._is_recorded(time.monotonic() + SETTLE_SECONDS, wholly=False)

    async def _is_recorded(self, deadline: float, *, wholly: bool = True) -> bool:
        """Wait until the last state is recorded, and `wholly` that as many task runs have ended as were drawn so."""
        while not (await self._has_last_state() and (not wholly or await self._count_ended() >= len(self._ended))):
            if time.monotonic() > deadline:
                return False
            await asyncio.sleep(SETTLE_PAUSE_SECONDS)
        self._unrecorded = 0
        return True

    async def _has_last_state(self) -> bool:
        if self._last_state is None:
            return True
        return (await self._api.get(f"/task_run_states/{self._last_state}")).status < 400

    async def _count_ended(self) -> int:
        ids, total = [str(task) for task in self._ended], 0
        for first in range(0, len(ids), IDS_A_REQUEST):
            some: JsonObject = {"id": {"any_": ids[first : first + IDS_A_REQUEST]}, "state": _ENDED}
            total += (await self._api.post("/task_runs/count", {"task_runs": some})).body
        return total

    # Lines and reports -------------------------------------------------------------------------------------------

    async def _write(self, lines: Sequence[WriteLine]) -> None:
        bodies = [line_body(line, await self._flow_run(line.flow_key)) for line in lines]
        if bodies and self._is_first:
            bodies = await self._unwritten(bodies)
        for first in range(0, len(bodies), LINES_A_REQUEST):
            await self._api.post("/logs/", bodies[first : first + LINES_A_REQUEST])

    async def _unwritten(self, bodies: list[JsonObject]) -> list[JsonObject]:
        """Return the lines that are not there: nothing tells two equal lines apart, so none is sent twice blindly."""
        asked = {
            "flow_run_id": {"any_": sorted({body["flow_run_id"] for body in bodies})},
            "timestamp": {"after_": min(body["timestamp"] for body in bodies)},
        }
        known: set[tuple[object, ...]] = set()
        for page in itertools.count():
            query = {"logs": asked, "limit": IDS_A_REQUEST, "offset": page * IDS_A_REQUEST, "sort": "TIMESTAMP_ASC"}
            found = (await self._api.post("/logs/filter", query)).body
            known |= {_line(body) for body in found}
            if len(found) < IDS_A_REQUEST:
                break
        return [body for body in bodies if _line(body) not in known]

    async def _emit(self, events: Sequence[EmitEvent]) -> None:
        """Send events for automations; those that the server has already, it knows again by their ids."""
        bodies = [event_body(event, await self._flow_run(JOB)) for event in events]
        for first in range(0, len(bodies), EVENTS_A_REQUEST):
            await self._api.post("/events", bodies[first : first + EVENTS_A_REQUEST])

    async def _show(self, report: ShowReport) -> None:
        """Show a report; that it cannot be shown costs its copy only, for it is in its folder."""
        try:
            artifacts = await asyncio.to_thread(artifacts_of, report)
        except OSError as error:
            log.warning("the report in %s cannot be read: %s", report.folder, error)
            return
        flow_run_id = await self._flow_run(JOB)
        query = {"artifacts": {"flow_run_id": {"any_": [flow_run_id]}}, "sort": "CREATED_DESC"}
        found: list[JsonObject] = (await self._api.post("/artifacts/filter", query)).body if artifacts else []
        known = {each["key"] for each in found if datetime.fromisoformat(each["created"]) >= report.ended}
        for artifact in artifacts:
            if artifact["key"] in known:
                continue
            try:
                await self._api.post("/artifacts/", artifact | {"flow_run_id": flow_run_id})
            except Refused as error:
                log.warning("Prefect did not take %s as an artifact: %s", artifact["key"], error)


_ENDED = {"type": {"any_": ["COMPLETED", "FAILED", "CRASHED"]}}


def _line(body: JsonObject) -> tuple[object, ...]:
    return body["task_run_id"], body["message"], datetime.fromisoformat(body["timestamp"])


def _transition(flow_run: JsonObject) -> str | None:
    state: JsonObject = flow_run.get("state") or {}
    details: JsonObject = state.get("state_details") or {}
    return details.get("transition_id")
