"""What a run measured (M). Values only; None means that it cannot be known, which is never zero."""

from typing import Literal

from pydantic import Field

from echelon.model.base import Value
from echelon.model.costs.baseline import BaselineComparison
from echelon.model.usage import Usage


class Spent(Value):
    """What one model, or everything without one, used in one phase."""

    phase: str
    """The phase, its integrations included."""
    model: str | None
    """Name of the model; None for functions and commands."""
    usage: Usage
    """What was used, failed attempts included; `cost` has only what a price is known for."""


class QueueDepth(Value):
    """What waited before a coordinator or a limit, over the time of the run (M9)."""

    name: str
    """The coordinator's node, or the limit."""
    before: Literal["coordinator", "limit"]
    """Which of the two it is."""
    most: int
    """The most steps that waited at one time."""
    mean: float
    """Steps that waited, on average over the time of the run."""
    growth: float
    """By how many steps the queue grew from the beginning of the run to its end: the slope of a straight line through
    its depth, times the length of the run; negative where it shrank."""


class SuccessShares(Value):
    """Share of tasks that succeeded; a success on top of a failure is counted by the first of the three only."""

    tasks: int
    """All of them, those that were not begun included."""
    alone: float
    """Those that succeeded, whatever they use."""
    direct: float
    """Those of them of which every task that they use succeeded, too."""
    transitive: float
    """Those of them of which everything that they rest on succeeded, too."""


class Measures(Value):
    """What a run measured (M). None means that it cannot be known from this run."""

    seconds: float = Field(ge=0)
    """Wall time of the run."""
    makespan_seconds: float | None = None
    """From the first step that began to the last that ended; None before anything was done."""
    agents: int
    """Agents that were given a task."""
    completed: int
    """Tasks completed."""
    failed: int
    """Tasks that ended without output, for good."""
    waiting: int = 0
    """Tasks that wait for a person, for a quota, or for a budget of a day or a month (O5, F10)."""
    waiting_for_person: int = 0
    """Those of them that a person must do something for (O5)."""
    task_seconds: float
    """Sum of the time agents worked."""
    integration_seconds: float
    """Sum of the time coordinators integrated."""
    coordination_ratio: float | None
    """Coordination cost as a share of the total, in tokens when known, else in seconds (M1)."""
    first_try_rate: float | None
    """Share of tasks that needed one attempt only (M2)."""
    escalation_rate: float | None
    """Share of tasks that raised a concern routed to immediate action or to a person (M4)."""
    integration_share: float | None
    """Integration time as a share of all working time (M6)."""
    speedup: float | None
    """Working time divided by the makespan (M7)."""
    tokens: int | None
    """Tokens in both directions; None when no agent reported any."""
    cost: float | None = None
    """Money, as far as prices are known; None when no price is (F4)."""
    spent: tuple[Spent, ...] = ()
    """What was used by phase and model; what reported neither tokens nor money is not in it (F4)."""
    bytes_by_reference: int
    """Bytes of outputs that were handed on by reference, each output counted once (C6)."""
    tokens_by_reference: int = 0
    """The same in tokens, estimated from the bytes (C6)."""
    bytes_by_value: int = 0
    """Bytes that were told to steps without being asked for, counted for every step that was told (C6)."""
    tokens_by_value: int = 0
    """The same in tokens, estimated from the bytes (C6)."""
    repaired: int = 0
    """Outputs that were repaired so that they fit a flexible contract (C5)."""
    fallbacks: int = 0
    """Tasks that were not delivered and that a fallback stands in for, a note that skips them included (F2)."""
    replaced: int = 0
    """Those of the completed tasks whose output is not the work itself: a fallback made it (F2)."""
    kept: int = 0
    """Those of the completed tasks that an earlier run did, and that were kept: their usage counts there."""
    unverified: int = 0
    """Those of the others that nobody knows to be what was asked for, although success was stated (D11)."""
    sound_integrations: float | None = None
    """Share of the integrations that were right the first time: done once, and not rejected by an audit (M3)."""
    throughput_per_hour: float | None = None
    """Tasks completed in an hour, over the makespan (M7)."""
    context_use: float | None = None
    """How full the context of models was with their last answer, the median over tasks, as a share of what one agent
    can hold; None where no provider says it (M5)."""
    coordinator_wait: float | None = None
    """How long work waited for coordinators on its way up, as a share of the time of the tasks, as R6 has it (M8)."""
    queues: tuple[QueueDepth, ...] = ()
    """What waited before each coordinator and each limit (M9)."""
    coordinator_load: float | None = None
    """The largest share of coordination in what a coordinator and those below it used in a phase, where that is above
    70 %; None where nobody's is (M9, R6)."""
    against_single: BaselineComparison | None = None
    """The run beside one agent that does it all alone; None where nobody knows what that takes (M10)."""
    success: SuccessShares | None = None
    """Share of the tasks that succeeded: alone, with what each uses, with all that it rests on; None without tasks."""
