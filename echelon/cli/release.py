"""`echelon release`: take a run from whoever holds it, when waiting for its lease to end is no answer (F8)."""

from echelon.cli.arguments.options import AsJson, RunId
from echelon.cli.reading import query
from echelon.cli.views.output import out, print_json
from echelon.journal.port import Journal

#: The lease under which the run is taken, for the moment until it is given back, in seconds.
LEASE_SECONDS = 10.0


def release(run: RunId, /, *, as_json: AsJson = False) -> int:
    """Release a run, so that it can be resumed at once; what its process still writes is refused from then on."""
    run_id, was_held = query(lambda journal: _release(journal, run))
    if as_json:
        print_json({"run_id": run_id, "was_held": was_held})
    else:
        before = "it was held; what its process still writes is refused" if was_held else "no process held it"
        out().print(f"{run_id}: released ({before}). Go on with: echelon resume {run_id}")
    return 0


async def _release(journal: Journal, run: str) -> tuple[str, bool]:
    record = await journal.run(run)
    was_held = await journal.is_held(record.run_id)
    async with journal.holding(record.run_id, LEASE_SECONDS, force=True):
        return record.run_id, was_held
