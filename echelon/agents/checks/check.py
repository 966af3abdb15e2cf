"""Who can check work: a function, a command, or any agent whose output is a verdict (X12, D11)."""

import inspect
from collections.abc import Callable
from dataclasses import replace
from typing import Any, cast, get_origin

from echelon.agents.agent import Agent
from echelon.agents.binding import OF_ONE_TASK, hints_of
from echelon.agents.call import CallShape
from echelon.agents.checks.criterion import Check, refuse_success
from echelon.agents.checks.rounds import Rounds
from echelon.agents.checks.verdict import Verdict
from echelon.agents.command import CommandAgent
from echelon.agents.function import FunctionAgent, first_line
from echelon.agents.handoffs import Handoffs
from echelon.agents.model import is_model, model_agent
from echelon.contract.fit import arms_of
from echelon.model.errors import InvalidJob

#: The contract of a function that says nothing about what it returns.
_SAYS = bool | str | Verdict


def check_of(where: str, given: Check) -> Agent:
    """Return a check as an agent whose output says what it found; `InvalidJob` for what cannot say it."""
    made = _as_agent(given)
    if not isinstance(made, Agent):
        raise InvalidJob(f"{where}: {given!r} cannot check anything: give a function, a command or an agent")
    if not _is_verdict(made.output_type):
        raise InvalidJob(
            f"{where}: what {made.name!r} returns is no verdict; a check returns bool, a text that says what "
            "is missing, or a Verdict"
        )
    if made.effect != "read":
        raise InvalidJob(f"{where}: {made.name!r} only checks, so its effect must be read, not {made.effect}")
    refuse_success(where, made, "checks the work of others")
    return made


def _as_agent(given: Any) -> object:
    if is_model(given):
        return model_agent(given)
    if isinstance(given, CommandAgent):
        command = cast("CommandAgent[object]", given)
        # What a command writes says what is missing, unless it was stated what it means.
        return command if _is_verdict(command.output_type) and command.output_type is not str else command.as_check()
    return _function(given) if inspect.isroutine(given) else given


def checks_whole_phase(check: Agent, shape: CallShape, *, integrates: bool) -> bool:
    """Say whether a check judges a phase as a whole, and not each task by itself.

    A function judges single tasks when it asks for the item, the output or the rounds, a command when it names fields
    of the item; any other agent where nothing puts the outputs together.
    """
    if isinstance(check, FunctionAgent):
        function = cast("FunctionAgent[..., object]", check)
        hints = hints_of(function.function, function.name)
        whole = any((get_origin(hint) or hint) is Handoffs for name, hint in hints.items() if name != "return")
        binding = None if whole else function.bind(shape).binding
        return binding is None or not any(source in OF_ONE_TASK for source in binding.sources.values())
    if isinstance(check, CommandAgent):
        return not cast("CommandAgent[object]", check).asked_of_item(shape)
    return integrates


def check_whole(what: str, check: Agent) -> None:
    """Raise `InvalidJob` where a check that judges more than a single task asks for rounds: those are of one task."""
    if isinstance(check, FunctionAgent):
        function = cast("FunctionAgent[..., object]", check)
        hints = hints_of(function.function, function.name)
        rounds = [name for name, hint in hints.items() if (get_origin(hint) or hint) is Rounds]
        if rounds:
            raise InvalidJob(
                f"{what}: {check.name!r} judges more than a single task, and its parameter {rounds[0]!r} asks for the "
                "rounds of one; leave it out, or let a phase be repeated whose check asks for no Handoffs[...]"
            )


def shape_of_check(shape: CallShape, phase: str, output_type: object) -> CallShape:
    """Return what calls of a check carry: what the work was done on, and what came of it."""
    return replace(shape, upstream=(phase,), checks=output_type)


def _function(given: Any) -> FunctionAgent[..., object]:
    name = getattr(given, "__name__", "check")
    stated = hints_of(given, name).get("return", _SAYS)
    return FunctionAgent(
        function=cast("Callable[..., object]", given),
        name=name,
        goal=first_line(given) or name.replace("_", " "),
        output_type=stated,
    )


def _is_verdict(contract: object) -> bool:
    return all(member in (bool, str, Verdict) for member in arms_of(contract))
