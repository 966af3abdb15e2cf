"""Do the checks of a phase verify anything? Each is asked about an empty result once (D11).

A check of what the work left behind, or of the world, cannot be asked that: it is taken for one that tells good from
bad, as is one that rejects the empty result, raises on it, or cannot tell.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias, cast

from echelon.agents.agent import Agent
from echelon.agents.call import Call
from echelon.agents.command import CommandAgent
from echelon.agents.function import FunctionAgent
from echelon.contract.blank import NoBlank, blank
from echelon.coordination.success.judging import ask
from echelon.definition.success.criteria import Criteria
from echelon.model.phrasing import listed
from echelon.model.verification.trace import Trace
from echelon.model.verification.verification import CheckReport

#: Checks that a reason names at most.
_NAMED = 3


@dataclass(frozen=True)
class EmptyResult:
    """An empty result in the place of one that is to be checked."""

    value: object

    def load(self) -> object:
        """Return it."""
        return self.value


AskAgent: TypeAlias = Callable[[Agent, object], Awaitable[CheckReport]]
"""Asks an agent about an empty result, in a step of its own."""


async def find_vacuity(
    criteria: Criteria, contract: object, call_of_result: Callable[[], Call], ask_agent: AskAgent | None = None
) -> str:
    """Say why checks that all accept verify nothing; empty where one of them tells good from bad, or may.

    `call_of_result` makes the call in which they were asked about a result.
    """
    checks: tuple[Agent, ...] = (*criteria.functions, *criteria.verifiers)
    if criteria.evidence or criteria.commands or not all(map(_judges_output, checks)):
        return ""
    try:
        empty = blank(contract)
    except NoBlank:
        return ""
    about_nothing = replace(call_of_result(), output=EmptyResult(empty), trace=Trace(leaves_trace=False))
    for check in checks:
        if ask_agent is None or _is_function(check):
            report = await ask(check, about_nothing)
        else:
            report = await ask_agent(check, empty)
        if report.result != "accepted":
            return ""
    return _said([one.name for one in checks])


def _judges_output(check: Agent) -> bool:
    """Say whether a check judges an output, and nothing else: what a command looks at is not known."""
    if isinstance(check, FunctionAgent):
        binding = cast("FunctionAgent[..., object]", check).binding
        return binding is not None and binding.takes_output
    return not isinstance(check, CommandAgent)


def _is_function(check: Agent) -> bool:
    return isinstance(check, FunctionAgent)


def _said(names: Sequence[str]) -> str:
    what = f"check {names[0]!r} accepts" if len(names) == 1 else f"checks {listed(names, _NAMED, repr)} accept"
    verify, good = ("it verifies", "it") if len(names) == 1 else ("they verify", "them")
    return (
        f"{what} an empty output too, so {verify} nothing; state what a good output has, or move {good} to constraints="
    )
