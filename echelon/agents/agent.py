"""The port that every kind of agent fulfils."""

from typing import TYPE_CHECKING, Any, Literal, Protocol, Self, TypeAlias, Union, runtime_checkable

from echelon.agents.call import Call, CallShape
from echelon.agents.outcome import Outcome
from echelon.model.graph import WorkerKind
from echelon.model.policy import Resilience

if TYPE_CHECKING:
    from pydantic_ai.agent import AbstractAgent

Effect = Literal["read", "write", "irreversible"]


@runtime_checkable
class Agent(Protocol):
    """Something that can do a task."""

    @property
    def name(self) -> str:
        """What it is called in plans and reports."""
        ...

    @property
    def goal(self) -> str:
        """What it achieves, in one sentence (D7)."""
        ...

    @property
    def effect(self) -> Effect:
        """What it does to the world outside."""
        ...

    @property
    def resilience(self) -> Resilience:
        """How its calls are guarded; unset parts are inherited."""
        ...

    @property
    def output_type(self) -> object:
        """The contract of its output: a type that pydantic can validate."""
        ...

    def bind(self, shape: CallShape) -> Self:
        """Check that calls of this shape give it what it needs; `InvalidJob` when not."""
        ...

    async def perform(self, call: Call) -> Outcome[object]:
        """Do the task once; raises when it cannot."""
        ...


@runtime_checkable
class OfKind(Protocol):
    """An agent that says what it is; one that does not counts as a function."""

    @property
    def kind(self) -> WorkerKind:
        """Decides how many are at work at one time, where nobody states that (F5)."""
        ...


@runtime_checkable
class PaysByPart(Protocol):
    """An agent that reserves and pays each part of its work itself, such as each request of a model (F4)."""

    @property
    def pays_by_part(self) -> bool:
        """Does it?"""
        ...


@runtime_checkable
class CanWrapUp(Protocol):
    """An agent that can write down what it has when its budget is used up (F4).

    It is called once more then, within what was kept back for this; `is_final_call()` of `echelon.resilience.budget`
    tells it so.
    """

    @property
    def can_wrap_up(self) -> bool:
        """Is it of use to call it once more?"""
        ...


@runtime_checkable
class AsksAgain(Protocol):
    """An agent that can be told what was wrong with its answer, and answers again (C5)."""

    async def perform_again(self, call: Call, complaint: str) -> Outcome[object]:
        """Do the task once more; `complaint` says what did not fit the contract."""
        ...


@runtime_checkable
class HasVoice(Protocol):
    """An agent that says whether it is given the means to speak up while it works; one that does not has them (X15)."""

    @property
    def voice(self) -> bool:
        """Is it?"""
        ...


@runtime_checkable
class BecomesAgent(Protocol):
    """What is no agent and makes one of itself where one is asked for: a job."""

    def as_agent(self) -> Agent:
        """Return the agent that it is."""
        ...


@runtime_checkable
class KnowsFingerprint(Protocol):
    """An agent that says itself which version of the code it is (F8)."""

    @property
    def fingerprint(self) -> str:
        """What changes with its code; empty when that is not known."""
        ...


@runtime_checkable
class HoldsAgents(Protocol):
    """An agent in which others are at work, such as a job: what it does itself says nothing of what they do."""

    @property
    def holds_irreversible(self) -> bool:
        """Is something done in it that cannot be undone?"""
        ...


def cannot_be_undone(agent: Agent) -> bool:
    """Say whether what an agent does, or somebody in it, cannot be undone."""
    return agent.effect == "irreversible" or (isinstance(agent, HoldsAgents) and agent.holds_irreversible)


#: What may be given where an agent is asked for; a plain model takes whatever dependencies its library gave it.
AgentLike: TypeAlias = Union[Agent, BecomesAgent, "AbstractAgent[Any, object]"]
