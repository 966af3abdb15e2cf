"""Jobs for the tests of coordination: items that belong to domains, and agents that do as the item says."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict

from echelon import AgentFailed, Handoffs, Job, Resilience, agent, integrator
from echelon.coordination.context import RunContext
from echelon.model.handoff import Missing
from echelon.runlog.events import Event, LoggedEvent, RunEvent
from echelon.runlog.state import RunState, fold
from echelon.testing.runs import view_so_far

ONCE = Resilience(attempts=1)

E = TypeVar("E", bound=Event)


class Item(BaseModel):
    """Something to look at."""

    model_config = ConfigDict(frozen=True)

    id: str
    domain: str = "core"
    fails: bool = False


class Items(BaseModel):
    """What the jobs are given."""

    items: tuple[Item, ...] = ()


class Total(BaseModel):
    """What was integrated: the items seen, and what was missing."""

    items: tuple[str, ...]
    missing: tuple[str, ...]


def items(*counts: int, failing: frozenset[int] = frozenset()) -> Items:
    """Make so many items in each domain; `failing` numbers those whose agent fails."""
    domains = [f"d{n}" for n, count in enumerate(counts) for _ in range(count)]
    return Items(items=tuple(Item(id=f"i{n}", domain=d, fails=n in failing) for n, d in enumerate(domains)))


@agent
async def look(item: Item) -> str:
    """Look at an item."""
    if item.fails:
        raise AgentFailed(f"{item.id} cannot be read")
    return item.id


@integrator
async def total(seen: Handoffs[str]) -> Total:
    """Put together what was seen."""
    return Total(items=tuple(seen.outputs()), missing=tuple(missing.task_id for missing in seen.missing))


@total.combine
async def staged(totals: Handoffs[Total]) -> Total:
    """Put together what was put together."""
    below = totals.outputs()
    return Total(
        items=tuple(item for one in below for item in one.items),
        missing=tuple(missing.task_id for missing in totals.missing),
    )


def looking(*, integrate: Any = None, name: str = "looking", defaults: Resilience = ONCE, **phase: Any) -> Job:
    """Make a job of one phase, with a look at each item."""
    job = Job(name, goal="See everything", inputs=Items, defaults=defaults)
    job.phase("look", **({"each": look} | phase), over=lambda items: items, domain=of_domain, integrate=integrate)
    return job


def of_domain(item: Item) -> str:
    """Say where an item belongs."""
    return item.domain


def output_of(run: RunContext) -> Any:
    """Return the output of a run as everybody is shown it."""
    return view_so_far(run).output


def missing_in(run: RunContext) -> tuple[Missing, ...]:
    """Return what a run lacks, as everybody is shown it."""
    return view_so_far(run).missing


async def on_record(run: RunContext) -> RunState:
    """Return what the journal knows of a run, whatever this process believes."""
    return fold(entry.event for entry in await run.log.journal.events(run.spec.run_id))


class Watched:
    """Watches a run: `earlier` is what was on record before, `events` what happened since."""

    def __init__(self) -> None:
        self.earlier: list[RunEvent] | None = None
        self.events: list[RunEvent] = []

    def __call__(self, entries: Sequence[LoggedEvent]) -> None:
        """Take what is on record, then what happens."""
        if self.earlier is None:
            self.earlier = [entry.event for entry in entries]
        else:
            self.events += [entry.event for entry in entries]

    def of(self, kind: type[E]) -> list[E]:
        """Return what happened of one kind."""
        return [event for event in self.events if isinstance(event, kind)]

    @property
    def state(self) -> RunState:
        """Where all of it leaves the run."""
        return fold([*(self.earlier or ()), *self.events])


@contextmanager
def taken_by_another(run: RunContext) -> Iterator[None]:
    """Let the journal find that another process has taken the run, during the block."""
    fence = run.log.journal._fences._fences[run.spec.run_id]
    fence.token -= 1
    yield
    fence.token += 1
