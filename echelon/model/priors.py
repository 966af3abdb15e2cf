"""What is assumed until it is measured: numbers from the literature and from our own benchmarks, all overridable.

Every field names its source. A prior is a guess about a job that nobody has run yet; what a run measures replaces it.
"""

from pydantic import Field

from echelon.model.base import Value


class Priors(Value):
    """Assumptions behind plan, forecast and lint. Override any of them for a job, or on the command line."""

    context_tokens: int = Field(default=200_000, gt=0, description="source: the usual window of current models")
    """Tokens one agent can hold at once."""
    context_share: float = Field(default=0.8, gt=0, le=1, description="source: M5, 50-80 % used at completion is best")
    """The most of its context that a feature agent is filled with (D1)."""
    task_tokens: int = Field(default=50_000, gt=0, description="source: P4, what a substantial task takes at least")
    """Tokens of a task that states none."""
    over_decomposed_share: float = Field(default=0.10, ge=0, le=1, description="source: D5")
    """Share of the context below which a task is too small for an agent of its own."""
    under_decomposed_share: float = Field(default=0.90, ge=0, description="source: D5")
    """Share of the context above which a task is too large for one agent."""
    handoff_tokens_low: int = Field(default=10_000, ge=0, description="source: P4, 10-30 thousand tokens a handoff")
    """What a handoff costs at least, in tokens."""
    handoff_tokens_high: int = Field(default=30_000, ge=0, description="source: P4, 10-30 thousand tokens a handoff")
    """What a handoff costs at most, in tokens."""
    sequential_share: float = Field(
        default=0.9, gt=0, le=1, description="source: R4, even two agents cost 10-15 %; arXiv 2512.08296"
    )
    """Share of the work on the longest chain from which one agent is enough: others cost more than they could save."""
    strong_baseline: float = Field(
        default=0.45, ge=0, le=1, description="source: arXiv 2512.08296, where teams stop paying off"
    )
    """Success of a single agent from which others add little."""
    dispatch_seconds: float = Field(default=0.0015, ge=0, description="source: benchmarks/overhead.py")
    """Processor time of the engine for one agent; agents share it, one after the other."""
    sync_seconds: float = Field(default=0.03, ge=0, description="source: benchmarks/rehearsal.py")
    """Wall time of a sync point."""
    integration_seconds: float = Field(
        default=0.0, ge=0, description="source: none; state it when integrators are models"
    )
    """Wall time of one integration by a coordinator."""

    @property
    def context_budget(self) -> int:
        """Tokens that one agent may be given (D1, M5)."""
        return int(self.context_tokens * self.context_share)


#: What is assumed when nobody says otherwise.
DEFAULT_PRIORS = Priors()
