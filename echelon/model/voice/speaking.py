"""How an agent at work says something: through its brief, into whatever hears it where it works (X15)."""

from collections.abc import Sequence
from contextvars import ContextVar
from pathlib import Path
from typing import NoReturn, Protocol

from pydantic import JsonValue

from echelon.model.concern import Concern
from echelon.model.errors import AgentBlocked
from echelon.model.voice.said import Proposal, Said, SaidBlocked, SaidConcern, SaidConfidence, SaidTask, blocked_on

#: What a concern weighs that its source did not weigh: a person looks at it (O1, O9).
UNWEIGHED_CONFIDENCE, UNWEIGHED_IMPACT = 0.5, "high"


class Voice(Protocol):
    """Takes what an agent says, in any thread; it survives the agent when this returns."""

    @property
    def path(self) -> Path | None:
        """The file to which other processes add lines of JSON; None where only this process is heard."""
        ...

    def say(self, said: Said) -> None:
        """Take one thing."""
        ...


VOICE: ContextVar[Voice | None] = ContextVar("echelon-voice", default=None)
"""None where no run is at work, as in a test of one agent: what is said there is heard by nobody."""


def say(said: Said) -> None:
    """Say something, as the agent that is at work here."""
    voice = VOICE.get()
    if voice is not None:
        voice.say(said)


class Speaks:
    """What an agent can say through its brief. All of it is kept at once: an agent that is killed has said it."""

    @property
    def subject(self) -> str:
        """What a concern is about that does not say it."""
        raise NotImplementedError

    def raise_concern(
        self,
        message: str,
        *,
        about: str = "",
        confidence: float | str = UNWEIGHED_CONFIDENCE,
        impact: float | str = UNWEIGHED_IMPACT,
        evidence: Sequence[str] = (),
    ) -> None:
        """Say what somebody should know; only a person, with a reason, ends it (O1).

        `about` is a file, a task, a decision; empty: the task. `confidence` is how sure you are, `impact` how bad it is
        if true, each 0 to 1, or `low`, `medium` or `high`. Raises `ValidationError` for what is none of these.
        """
        values = {"about": about or self.subject, "message": message, "confidence": confidence, "impact": impact}
        say(SaidConcern(concern=Concern.model_validate({**values, "evidence": tuple(evidence)})))

    def state_confidence(self, confidence: float) -> None:
        """Say how sure you are of what you will deliver, 0 to 1; the last word counts, unless the output has one."""
        say(SaidConfidence(confidence=confidence))

    def propose_task(self, goal: str, *, reason: str = "", item: JsonValue = None) -> None:
        """Say that a task should be done; its owner takes or declines it at the sync point (D10).

        `item` is what it is to be done on, as JSON, for a phase that takes proposals of such items.
        """
        say(SaidTask(proposal=Proposal(goal=goal, reason=reason, item=item)))

    def report_blocked(self, on: str, reason: str = "") -> NoReturn:
        """Say what you wait for, and end the task as blocked: raises `AgentBlocked`."""
        say(SaidBlocked(on=on, reason=reason))
        raise AgentBlocked(blocked_on(on, reason))
