"""Flow runs that ask in Prefect: what is known of one, and what can be done with it, over the plain API."""

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from echelon.engine.asking.gate_form import KEY, gate_of_key
from echelon.engine.continuing import TAG, resumed_run
from echelon.engine.picture.api import Api
from echelon.engine.served_runs import LIMIT_REACHED, SERVING_STOPPED
from echelon.model.run import RunRecord, RunStatus

if TYPE_CHECKING:
    from prefect.client.orchestration import PrefectClient

#: Flow runs that are looked at, the newest first.
MAX_LOOKED_AT = 50

#: Which state a suspended flow run gets whose run has ended elsewhere, and what it is called.
_ENDS: dict[RunStatus, tuple[str, str]] = {
    RunStatus.COMPLETED: ("COMPLETED", "Completed"),
    RunStatus.PARTIAL: ("COMPLETED", "Partial"),
    RunStatus.WAITING: ("COMPLETED", "Waiting"),
    RunStatus.FAILED: ("FAILED", "Failed"),
    RunStatus.INTERRUPTED: ("CANCELLED", "Cancelled"),
}


class _Read(BaseModel):
    """What is read from the API, or from an object of Prefect's client."""

    model_config = ConfigDict(frozen=True, from_attributes=True)


class _Details(_Read):
    """What Prefect knows of a state beside its name."""

    pause_key: str | None = None


class _State(_Read):
    """A state, as the API has it."""

    type: str
    name: str = ""
    message: str | None = None
    timestamp: datetime
    state_details: _Details = _Details()


class _Policy(_Read):
    """What Prefect has counted of a flow run."""

    pause_keys: set[str] | None = None


class AskingFlowRun(_Read):
    """A flow run, as the API has it: what matters where people are asked in it."""

    id: UUID
    """Its id."""
    name: str = ""
    """What Prefect calls it."""
    deployment_id: UUID | None = None
    """The deployment that it is a run of."""
    parent_task_run_id: UUID | None = None
    """What it was begun by inside another flow run."""
    tags: tuple[str, ...] = ()
    """Its tags."""
    state: _State | None = None
    """Where it stands."""
    next_scheduled_start_time: datetime | None = None
    """When it begins, where that is to come."""
    empirical_policy: _Policy = Field(default_factory=_Policy)
    """What was counted of it."""

    @property
    def keys(self) -> tuple[str, ...]:
        """Keys by which it was suspended for gates, whether it goes on by now or not."""
        return tuple(sorted(key for key in self.empirical_policy.pause_keys or () if key.startswith(KEY)))

    @property
    def run_key(self) -> dict[str, str]:
        """How the journal knows its run."""
        return {"run_id": self.resumed} if self.resumed else {"flow_run_id": str(self.id)}

    @property
    def can_ask(self) -> bool:
        """Can Prefect suspend it? Only what a deployment began, and no flow run around it."""
        return self.deployment_id is not None and self.parent_task_run_id is None

    @property
    def asks(self) -> str | None:
        """The gate that it asks now; None while it asks nothing."""
        if self.state is None or self.state.type != "PAUSED":
            return None
        return gate_of_key(self.state.state_details.pause_key)

    @property
    def since(self) -> datetime | None:
        """When it came to where it stands."""
        return self.state and self.state.timestamp

    @property
    def was_cut_short(self) -> bool:
        """Did Prefect end it for a reason that has nothing to do with its run?

        Its process died, or had no place, or was there still when serving was stopped, also as it asked.
        """
        if self.state is None:
            return False
        said = (self.state.message or "").lower()
        by_prefect = self.state.type == "CANCELLED" and any(why in said for why in (LIMIT_REACHED, SERVING_STOPPED))
        return by_prefect or self.state.type == "CRASHED"

    @property
    def resumed(self) -> str | None:
        """The run that it goes on with, by its tags; None for one that begins a run of its own."""
        return resumed_run(self.tags)


class GivenAnswer(NamedTuple):
    """What was filled in, before anybody has looked whether it counts."""

    key: str
    """The suspension."""
    value: str
    """JSON, as Prefect keeps it."""
    at: datetime
    """When it was sent off, in UTC."""


def response_key(key: str) -> str:
    """Return under which name Prefect keeps what was filled in, where a flow run was suspended by a key."""
    return f"suspended-{key}-response"


class FlowRuns:
    """The flow runs of a server, as far as people are asked in them. Raises what `Api` does."""

    def __init__(self, api: Api) -> None:
        self._api = api

    @classmethod
    def through(cls, client: "PrefectClient") -> "FlowRuns":
        """Return those of the server that Prefect's own client is connected to."""
        return cls(Api.through(client))

    async def read(self, flow_run_id: str) -> AskingFlowRun:
        """Return one by its id."""
        return AskingFlowRun.model_validate((await self._api.get(f"/flow_runs/{flow_run_id}")).body)

    async def find_suspended(self, record: RunRecord) -> list[AskingFlowRun]:
        """Return those that ask about a run: the one that began it, or that went on with it."""
        by_tag = {"tags": {"all_": [f"{TAG}{record.run_id}"]}}
        by_id = [{"id": {"any_": [record.flow_run_id]}}] if record.flow_run_id else []
        found = [one for wanted in (*by_id, by_tag) for one in await self._find(wanted, ("PAUSED",))]
        return [one for one in found if one.asks is not None]

    async def find_to_come(self, run_id: str) -> list[AskingFlowRun]:
        """Return those that are scheduled to go on with a run."""
        return await self._find({"tags": {"all_": [f"{TAG}{run_id}"]}}, ("SCHEDULED",))

    async def find_unattended(self, deployment_id: UUID) -> list[AskingFlowRun]:
        """Return those of a deployment that may need somebody to look after them, the newest first."""
        of_it = {"deployments": {"id": {"any_": [str(deployment_id)]}}}
        return await self._find({}, ("PAUSED", "CANCELLED", "CRASHED"), of_it)

    async def read_answers(self, flow_run: AskingFlowRun) -> list[GivenAnswer]:
        """Return what was filled in for gates in a flow run, in the order in which it was asked."""
        found: list[GivenAnswer] = []
        for key in flow_run.keys:
            asked = {"prefix": response_key(key), "limit": 1}
            answered = (await self._api.post(f"/flow_runs/{flow_run.id}/input/filter", asked)).body
            found += [GivenAnswer(key, one["value"], datetime.fromisoformat(one["created"])) for one in answered]
        return sorted(found, key=lambda one: one.at)

    async def wake(self, flow_run: AskingFlowRun, why: str, at: datetime) -> None:
        """Let a suspended flow run go on without its form."""
        await self._set(flow_run, "SCHEDULED", "Resuming", why, at)

    async def end(self, flow_run: AskingFlowRun, status: RunStatus, why: str) -> None:
        """End a flow run as its run has ended."""
        await self._set(flow_run, *_ENDS[status], why)

    async def delete(self, flow_run: AskingFlowRun) -> None:
        """Take a flow run back that has not begun."""
        await self._api.delete(f"/flow_runs/{flow_run.id}")

    async def _set(self, flow_run: AskingFlowRun, kind: str, name: str, why: str, due: datetime | None = None) -> None:
        details = {"scheduled_time": due.isoformat()} if due else {}
        state = {"type": kind, "name": name, "message": why, "state_details": details}
        await self._api.post(f"/flow_runs/{flow_run.id}/set_state", {"state": state})

    async def _find(
        self, wanted: dict[str, Any], states: Sequence[str], more: dict[str, Any] | None = None
    ) -> list[AskingFlowRun]:
        in_states = {"state": {"type": {"any_": list(states)}}}
        body = {"flow_runs": wanted | in_states, "sort": "EXPECTED_START_TIME_DESC", "limit": MAX_LOOKED_AT}
        found = (await self._api.post("/flow_runs/filter", body | (more or {}))).body
        return [AskingFlowRun.model_validate(one) for one in found]
