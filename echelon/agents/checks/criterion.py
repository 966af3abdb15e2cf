"""What can be stated of success, wherever that is stated: on phases, domains, agents and tasks of a graph (D11)."""

from collections.abc import Callable, Iterable
from typing import Any, TypeAlias, cast

from echelon.agents.agent import Agent, AgentLike
from echelon.agents.checks.evidence import Evidence
from echelon.model.errors import InvalidJob

Check: TypeAlias = Callable[..., Any] | AgentLike
"""Says whether work does what was asked: a function, a command, or an agent that answers with a verdict."""

Criterion: TypeAlias = str | Evidence | Check
"""What must be true of a result: a text, evidence of the work, or a check."""


def criteria_stated(where: str, given: Iterable[Criterion] | None) -> tuple[Criterion, ...]:
    """Return what `where` states of success; `InvalidJob` for what is no list of criteria, and for an empty text."""
    if given is None:
        return ()
    if isinstance(given, str) or not isinstance(cast("object", given), Iterable):
        raise InvalidJob(f"{where}: success takes a list of texts, checks and Evidence(...), and got {given!r}")
    stated = tuple(given)
    if any(isinstance(one, str) and not one.strip() for one in stated):
        raise InvalidJob(f"{where}: an empty text in success= says nothing")
    return stated


def refuse_success(where: str, agent: Agent, does: str) -> None:
    """Refuse an agent that states success of its results in a place where nobody would check it; `InvalidJob`."""
    if getattr(agent, "success", ()):
        raise InvalidJob(
            f"{where}: success= of {agent.name!r} would not be checked where it {does}; take it away, or let another "
            "agent do this"
        )
