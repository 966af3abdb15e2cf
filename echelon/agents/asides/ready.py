"""Whoever did work before is asked whether it is ready for what cannot be undone (O5).

A function says so with `ready=`, a model in one short call; who has no way to say it is not asked.
"""

from dataclasses import dataclass, replace
from typing import Any, Self, cast

from pydantic import Field

from echelon.agents.agent import Agent, Effect
from echelon.agents.asides.asides import NOTHING_ASKED, Aside, asides_of_agent
from echelon.agents.call import Call, CallShape
from echelon.agents.model import ModelAgent
from echelon.agents.outcome import Outcome
from echelon.agents.prompt import prompt_of
from echelon.model.base import Value
from echelon.model.concern import Concern
from echelon.model.errors import AgentFailed
from echelon.model.policy import Resilience


class ReadyAnswer(Value):
    """Whether somebody is ready for what is about to be done."""

    ready: bool
    """May it be done, as far as this one knows?"""
    reason: str = ""
    """Why not; empty when it may."""
    concern: Concern | None = Field(default=None)
    """Something that a person should look at before."""


@dataclass(frozen=True, kw_only=True)
class ReadyAgent:
    """Asks the function that an agent has for this."""

    name: str
    goal: str
    aside: Aside
    resilience: Resilience = Resilience()
    effect: Effect = "read"
    output_type: object = ReadyAnswer
    fingerprint: str = ""

    def bind(self, shape: CallShape) -> Self:  # noqa: ARG002 - it was bound with its agent
        """Return itself."""
        return self

    async def perform(self, call: Call) -> Outcome[object]:
        """Ask it."""
        return Outcome(output=answer_of(self.name, await self.aside.ask(call)))


def asked_whether_ready(agent: Agent, what: str) -> Agent | None:
    """Return who says whether an agent is ready for `what`; None where it has no way to say so."""
    asides = asides_of_agent(agent)
    name, goal = f"{agent.name}-ready", f"you say whether you are ready for what cannot be undone: {what}"
    if asides.ready is not None:
        return ReadyAgent(name=name, goal=goal, aside=asides.ready)
    if isinstance(agent, ModelAgent):
        model = cast("ModelAgent[Any]", agent)
        return replace(
            model,
            name=name,
            goal=goal,
            output_type=ReadyAnswer,
            answers_as=ReadyAnswer,
            prompt=_prompt,
            effect="read",
            fallback=(),
            success=(),
            asides=NOTHING_ASKED,
            voice=False,  # it has no tools in this call, and is not told of any
        )
    return None


def answer_of(name: str, said: object) -> ReadyAnswer:
    """Return what a function said: True or nothing, False, a text with the reason why not, or a concern."""
    if isinstance(said, ReadyAnswer):
        return said
    if isinstance(said, Concern):
        return ReadyAnswer(ready=False, reason=said.message, concern=said)
    if said is None or isinstance(said, bool | str):
        return ReadyAnswer(ready=said in (True, None, ""), reason=said if isinstance(said, str) else "")
    raise AgentFailed(f"{name} returned a {type(said).__name__}; return True, False, a reason why not, or a Concern")


def _prompt(call: Call) -> str:
    return (
        f"{prompt_of(call)}\n\nWork that you were a part of is about to be used for something that cannot be undone. "
        "Say whether it may begin as far as you know. If you know of a reason against it, however unsure you are, say "
        "that you are not ready, and why: a person looks at it then."
    )
