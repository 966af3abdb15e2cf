"""The budgets that a job is told: one for each run, and those for all runs of a day or a month (F4, F10). Pure."""

from collections.abc import Sequence

from echelon.model.errors import InvalidJob
from echelon.model.usage import Budget


def told_budgets(job: str, budget: Budget | Sequence[Budget] | None) -> tuple[Budget, tuple[Budget, ...]]:
    """Return what one run of a job may use, and what all of them may use in a day and in a month, each stated once."""
    told = (budget,) if isinstance(budget, Budget) else tuple(budget or ())
    by_length: dict[str | None, Budget] = {}
    for one in told:
        if one.per in by_length:
            whose = f"two budgets per {one.per}" if one.per else "two budgets for a run"
            raise InvalidJob(f"job {job!r} has {whose}; put their bounds together into one")
        by_length[one.per] = one
    whole = by_length.pop(None, Budget())
    return whole, tuple(by_length.values())
