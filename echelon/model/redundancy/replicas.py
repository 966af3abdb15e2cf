"""How often a task is done at the same time, and whose output counted (F9). Values only."""

from pydantic import Field

from echelon.model.base import Value
from echelon.model.phrasing import count, listed


class UsedReplicas(Value):
    """What a handoff says of a task that several did at the same time, or that has a standby."""

    replicas: int = Field(ge=1)
    """Those who were to do it at the same time; a standby is one more, and not counted."""
    agree: int = Field(ge=1)
    """How many had to deliver the same."""
    counted: tuple[int, ...] = ()
    """Whose outputs count, from 1: they agree, and the output is that of the first. None: it was not delivered."""
    agent: str = ""
    """The agent that made the output; empty where it was not delivered."""
    standby: bool = False
    """Was it made by the standby?"""

    @property
    def said(self) -> str:
        """Say whose output it is, in a few words; empty where there is none."""
        if not self.counted:
            return ""
        if self.standby:
            return f"standby {self.agent} delivered"
        if self.replicas == 1:
            return f"{self.agent} delivered, its standby was not needed"
        if self.agree == 1:
            return f"replica {self.counted[0]} of {self.replicas} ({self.agent}) delivered first"
        numbers = listed(self.counted, len(self.counted), str)
        return f"replicas {numbers} of {self.replicas} agree; it is the output of the first of them ({self.agent})"


def said_of_redundancy(replicas: int, agree: int, standby: str) -> str:
    """Say in one line how often work is done at the same time; empty for work that is done once."""
    if standby:
        return f"{standby} stands by"
    if replicas == 1:
        return ""
    wanted = "the first handoff wins" if agree == 1 else f"{agree} must agree"
    return f"each task is done by {count(replicas, 'replica')} at the same time, {wanted}"


def why_not_agreed(replicas: int, agree: int) -> str:
    """Say why so many of so many can never settle what holds; empty when they can.

    Two groups that both agree would leave it open which of them is right, and none is picked silently.
    """
    if not 1 <= agree <= replicas:
        return f"agree={agree} cannot be reached by {count(replicas, 'replica')}; let 1 to {replicas} agree"
    if agree > 1 and 2 * agree <= replicas:
        return (
            f"with agree={agree} of {replicas} replicas, two groups could agree on different outputs; "
            f"let {replicas // 2 + 1} or more agree"
        )
    return ""
