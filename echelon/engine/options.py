"""What a caller may decide about a run."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from echelon.coordination.context import AskPerson
from echelon.coordination.step.intents import OperatorDecision
from echelon.coordination.step.retries import RetryRequest
from echelon.engine.nesting import (
    JobChain,
    NestedShare,
)
from echelon.engine.picture.request import Granularity
from echelon.runlog.events import LoggedEvent

Watch = Callable[[Sequence[LoggedEvent]], None]
"""Gets the events of a run as they become durable, those of earlier processes first; returns at once."""


@dataclass(frozen=True, kw_only=True)
class RunOptions:
    """What a caller may decide about a run."""

    run_id: str | None = None
    """The run: one that is on record is resumed, any other is started; None starts one with an id of its own."""
    flow_run_id: str | None = None
    """The flow run of Prefect that this is; when it was tried before, its run is resumed (F8)."""
    decision: OperatorDecision = OperatorDecision()
    """What a person says about irreversible work that may have happened."""
    ask: AskPerson | None = None
    """Asks a person who is there, at each gate that is raised; None: answers come from elsewhere (O8)."""
    retry: RetryRequest | None = None
    """What of a run that is on record is done again, whatever came of it (F8)."""
    sample: int | None = None
    """How many tasks of each wide phase are done, where the rest is to be foreseen from them first; None: all (V6)."""
    fresh: bool = False
    """Is everything to be done, whatever earlier runs have done of it? A run that is resumed stays as it was begun."""
    out: Path | None = None
    """Folder for the report, on record from then on; None: the one that is on record, else it is kept with the run."""
    api_url: str = ""
    """The Prefect API that started it; empty: the one that is configured, kept, or started for its picture."""
    granularity: Granularity | None = None
    """How finely Prefect shows the run; None decides by size."""
    max_concurrency: int | None = None
    """Agents at work at one time, whatever they are; None: what the settings say, the job, or else by kind (F5)."""
    single: bool = False
    """Is one agent at a time at work, so that other runs of the job can be compared with it (M10)?"""
    source: str = ""
    """Where the job is defined, so that the run can be resumed."""
    watch: Watch | None = None
    """Gets every event."""
    show_prints: bool = True
    """Does what agents print appear on the standard output too, and not in their logs only?"""
    share: NestedShare | None = None
    """What it takes from the run that it is a task of; None for one that pays for itself."""
    chain: JobChain = field(default_factory=JobChain)
    """Its job, and those that it is at work in; made by `run_job`."""


DEFAULT_OPTIONS = RunOptions()
