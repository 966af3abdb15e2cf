"""What is known about an agent before it is called: its contract, its model, and how often it is tried (C7, O3, F3)."""

from collections.abc import Iterator
from typing import Any, NamedTuple, cast

from pydantic.errors import PydanticUserError

from echelon.agents.agent import Agent, OfKind
from echelon.agents.model import ModelAgent
from echelon.contract.version import contract_name
from echelon.model.edges import is_listing
from echelon.model.errors import InvalidJob
from echelon.model.graph import WorkerKind
from echelon.model.policy import Resilience


class AgentFacts(NamedTuple):
    """What a task says about the agent that does it; named as the fields of `TaskSpec`."""

    contract: str | None
    """Name and version of its contract; None when it promises nothing (`Any`)."""
    kind: WorkerKind
    """What it is, as far as that decides how many are at work at one time (F5)."""
    provider: str | None
    """Name of what it calls; its own where only it has limits."""
    model: str | None
    """Name of its model; None for functions and commands."""
    attempts: tuple[int, ...]
    """Attempts of each layer of retries around one call, outermost first."""


def facts_of(agent: Agent, resilience: Resilience) -> AgentFacts:
    """Return what is known about an agent; `resilience` is its own over that of phase and job.

    Raises `InvalidJob` for a contract that has no schema: nothing could be validated or recorded.
    """
    contract = _contract(agent)
    model = _model_of(agent)
    return AgentFacts(
        contract=contract,
        kind=kind_of(agent),
        provider=resilience.dependency or (caller_of(agent) if resilience.bulkhead or resilience.rate_limit else None),
        model=None if model is None else _name(model),
        attempts=(resilience.attempts or 1, *_inner_attempts(model)),
    )


def kind_of(agent: Agent) -> WorkerKind:
    """Return what an agent says that it is; one that says nothing counts as a function."""
    return agent.kind if isinstance(agent, OfKind) else WorkerKind.FUNCTION


def caller_of(agent: Agent) -> str:
    """Return what stands for the dependency of an agent that names none."""
    return f"agent {agent.name!r}"


def model_name(agent: Agent) -> str | None:
    """Return the name of the model of an agent; None for functions and commands."""
    model = _model_of(agent)
    return None if model is None else _name(model)


def _model_of(agent: Agent) -> Any:
    return cast("ModelAgent[object]", agent).model.model if isinstance(agent, ModelAgent) else None


def _contract(agent: Agent) -> str | None:
    if agent.output_type is Any:
        return None
    try:
        return contract_name(agent.output_type)
    except PydanticUserError as error:
        said = str(error).partition("\n")[0]
        raise InvalidJob(
            f"agent {agent.name!r}: its output type cannot be a contract, use a pydantic model or a dataclass ({said})"
        ) from error


def _name(model: Any) -> str:
    """Return what a model is called, whichever provider it is asked at: `openai:gpt-5` and `gpt-5` are the same."""
    return model.partition(":")[2] or model if isinstance(model, str) else model.model_name


def _inner_attempts(model: object) -> tuple[int, ...]:
    """Return the attempts of the provider's own client where they cannot be switched off, as one layer (F3).

    The adapter tells each client to make no retries of its own; a few kinds of model do not pass that on. Corrections
    of an answer that misses its contract are no layer: the guard does not try again what broke a contract, so that the
    two never multiply.
    """
    most = max((_client_attempts(one) for one in _leaves(model)), default=1)
    return (most,) if most > 1 else ()


def _client_attempts(model: object) -> int:
    if "max_retries" not in getattr(model, "unsupported_settings", ()):
        return 1
    retries = getattr(getattr(model, "client", None), "max_retries", 0)
    return 1 + retries if isinstance(retries, int) else 1


def _leaves(model: object) -> Iterator[object]:
    """Yield the models that are asked in the end: those behind a fallback, and the one in a wrapper."""
    inner = getattr(model, "models", None) or getattr(model, "wrapped", None)
    if inner is None:
        yield model
        return
    for one in inner if is_listing(inner) else (inner,):
        yield from _leaves(one)
