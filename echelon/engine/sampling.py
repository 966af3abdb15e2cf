"""A sample of a run is put on record, or refused where it makes no sense (V6)."""

from typing import NamedTuple

from echelon.coordination.spec import utc_now
from echelon.coordination.step.retries import RetryRequest
from echelon.journal.port import Journal
from echelon.model.errors import InvalidInput
from echelon.model.plan import Plan
from echelon.model.run import RunRecord
from echelon.planning.sample import held_back
from echelon.runlog.events import SampleAsked
from echelon.runlog.sampling import left_out
from echelon.runlog.state import RunState, fold


class SampleRequest(NamedTuple):
    """What is wanted of a run."""

    items: int | None
    """How many tasks of each wide phase; None: nobody said."""
    keeps: bool
    """Does a run on record stay the sample that it is where nobody says anything?"""
    retry: RetryRequest | None = None
    """What of it is done again."""

    async def about(self, journal: Journal, found: RunRecord | None, run_id: str, plan: Plan) -> SampleAsked | None:
        """Return what is put on record; None where all of the run is to be done.

        `found` is the run as it is on record, before it is taken: a refusal leaves no trace. Raises `InvalidInput`.
        """
        items = self.items
        if items is not None and items < 1:
            raise InvalidInput(f"a sample of {items} does nothing; ask for 1 or more tasks of each phase")
        if found is not None and (items is not None or self.keeps):
            state = fold(entry.event for entry in await journal.events(run_id))
            items = self._of_run(run_id, state)
        return None if items is None else SampleAsked(run_id=run_id, at=utc_now(), items=items, held=held_back(plan))

    def _of_run(self, run_id: str, state: RunState) -> int | None:
        if self.items is not None:
            _check(run_id, state, self.items)
        out = left_out(state)
        refused = [task for task in (self.retry.tasks if self.retry else ()) if task in out]
        if refused:
            raise InvalidInput(f"{refused[0]!r} was left out of the sample; `echelon resume {run_id}` does it")
        return state.sample.items if self.items is None and state.sample else self.items


def _check(run_id: str, state: RunState, items: int) -> None:
    """Refuse a sample of a run that has done other work, and one that is smaller than what is done already."""
    if state.sample is None and state.steps:
        raise InvalidInput(
            f"run {run_id!r} is no sample, and has done work already; resume it without a sample, or start another run"
        )
    if state.sample is not None and items < state.sample.items:
        raise InvalidInput(
            f"run {run_id!r} is a sample of {state.sample.items} already; ask for as many, for more, or for no sample, "
            "which does the rest"
        )
