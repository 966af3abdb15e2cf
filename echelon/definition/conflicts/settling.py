"""Who settles conflicts: a rule, or an agent that did none of the work (X9)."""

from collections.abc import Callable, Sequence
from typing import Any, cast

from pydantic import BaseModel

from echelon.agents.agent import Agent
from echelon.agents.binding import hints_of
from echelon.agents.call import CallShape
from echelon.agents.checks.criterion import refuse_success
from echelon.agents.function import FunctionAgent, first_line
from echelon.contract.fit import arms_of
from echelon.definition.conflicts.settle import Settle
from echelon.definition.fitting import as_agent
from echelon.definition.rolling.repeat import works_alike
from echelon.model.conflicts.conflict import Conflict, Settlement
from echelon.model.errors import InvalidJob


def settler_of(where: str, given: Settle, who: Sequence[Agent], inputs_type: type[BaseModel]) -> Agent:
    """Return what settles conflicts, bound; `InvalidJob` for what cannot say it, or did some of the work of `who`."""
    plain = callable(given) and not isinstance(given, Agent) and hasattr(given, "__code__")
    made = _function(given) if plain else as_agent(where, given)
    if not all(one in (str, Settlement) for one in arms_of(made.output_type)):
        raise InvalidJob(f"{where}: {made.name!r} settles conflicts, so it returns a task as a text, or a Settlement")
    if made.effect != "read":
        raise InvalidJob(f"{where}: {made.name!r} only decides, so its effect must be read, not {made.effect}")
    refuse_success(where, made, "settles conflicts of others")
    check_settles_for_others(where, made, who)
    return made.bind(CallShape(inputs_type=inputs_type, takes_item=True, item_type=Conflict))


def check_settles_for_others(where: str, settler: Agent | None, who: Sequence[Agent]) -> None:
    """Refuse whoever would decide about work of their own; `InvalidJob`."""
    if settler is not None and any(works_alike(settler, one) for one in who):
        raise InvalidJob(
            f"{where}: {settler.name!r} would settle conflicts about its own work; let somebody else do it, or a rule"
        )


def settlement_of(said: object, conflict: Conflict, by: Agent) -> Settlement:
    """Return what was meant by what was said: who names no side of the conflict has not decided."""
    found = said if isinstance(said, Settlement) else Settlement(chosen=str(said).strip())
    side = conflict.side(found.chosen)
    if side is not None:
        return Settlement(chosen=side.name, reason=found.reason or by.goal)
    named = (
        f"{by.name} names {found.chosen!r}, which is none of its sides" if found.chosen else f"{by.name} cannot tell"
    )
    return Settlement.undecided(found.reason or named)


def _function(given: Any) -> FunctionAgent[..., object]:
    name = getattr(given, "__name__", "settle")
    return FunctionAgent(
        function=cast("Callable[..., object]", given),
        name=name,
        goal=first_line(given) or name.replace("_", " "),
        output_type=hints_of(given, name).get("return", str | Settlement),
    )
