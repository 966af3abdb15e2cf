"""Flows and tasks in which the bodies of a run are executed, so that Prefect schedules and shows them (X1).

Prefect's record mirrors the run; the journal decides what is done. So a body runs exactly once, also when Prefect
cannot start or record the flow or task that it belongs to: a server that is down costs the picture, not the work.
"""

import logging
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from prefect import flow, task
from prefect.cache_policies import NO_CACHE
from prefect.states import Completed, Failed, State

from echelon.coordination.delivery import Delivery
from echelon.model.handoff import Handoff

T = TypeVar("T")
log = logging.getLogger("echelon.engine")


@dataclass
class Once(Generic[T]):
    """A body that runs at most once, and what came of it."""

    body: Callable[[], Awaitable[T]]
    started: bool = False
    results: list[T] = field(default_factory=list[T])

    async def run(self) -> T:
        """Run the body."""
        self.started = True
        result = await self.body()
        self.results.append(result)
        return result


#: The body of the flow or task that is being entered. Each is entered in an asyncio task of its own.
_BODY: ContextVar[Once[Any]] = ContextVar("body")


@flow(name="domain", flow_run_name="{domain} · {phase}", persist_result=False, validate_parameters=False)
async def domain_flow(domain: str, phase: str, agents: int) -> State[Any]:
    """Run the part of a phase that belongs to one domain."""
    return _state_of_delivery(await _BODY.get().run(), agents)


@task(name="team", task_run_name="{team} · {phase}", persist_result=False, cache_policy=NO_CACHE)
async def team_task(team: str, phase: str, agents: int) -> State[Any]:
    """Run a team: its agents and their integration."""
    return _state_of_delivery(await _BODY.get().run(), agents)


@task(name="agent", task_run_name="{task_id}", persist_result=False, cache_policy=NO_CACHE)
async def agent_task(task_id: str) -> State[Any]:
    """Run one agent's task."""
    return _state_of_handoff(await _BODY.get().run())


@task(name="integrate", task_run_name="integrate {node} · {phase}", persist_result=False, cache_policy=NO_CACHE)
async def integrate_task(node: str, phase: str) -> State[Any]:
    """Run the integration that a coordinator owns."""
    return _state_of_handoff(await _BODY.get().run())


async def mirrored(enter: Callable[..., Any], body: Callable[[], Awaitable[T]], **parameters: Any) -> T:
    """Run `body` inside the flow or task `enter`, and return what the body returns."""
    once = Once(body)
    token = _BODY.set(once)
    try:
        await enter(**parameters, return_state=True)
    except Exception as error:
        if once.started and not once.results:
            raise
        log.warning("Prefect could not record %s %s: %s", enter, parameters, error)
    finally:
        _BODY.reset(token)
    return once.results[0] if once.results else await once.run()


def _state_of_handoff(handoff: Handoff) -> State[Any]:
    if handoff.done:
        return Completed(message=handoff.summary)
    return Failed(message=handoff.error.message if handoff.error else handoff.summary)


def _state_of_delivery(delivery: Delivery, agents: int) -> State[Any]:
    if not delivery.missing:
        return Completed(message=f"{agents} agents delivered")
    if not delivery.handoffs:
        return Failed(message=f"nothing was delivered, {len(delivery.missing)} missing")
    return Completed(
        name="Partial", message=f"{len(delivery.missing)} missing, the first: {delivery.missing[0].reason}"
    )
