"""Foresee what a plan consumes in tokens and money; what is not known stays unknown, and is never zero (F4, P4)."""

from collections import defaultdict
from collections.abc import Mapping, Sequence

from echelon.model.graph import TaskSpec, WorkerKind
from echelon.model.plan import Range, Spending
from echelon.model.priors import DEFAULT_PRIORS, Priors
from echelon.model.usage import Price

#: Stands for the model of a task that names none.
UNKNOWN_MODEL = "unknown"

MILLION = 1_000_000  # tokens

#: Kinds of agents that use no tokens unless they say so.
WITHOUT_TOKENS = frozenset({WorkerKind.FUNCTION, WorkerKind.PROCESS})


def spending(
    tasks: Sequence[TaskSpec], changes_of_hands: int, prices: Mapping[str, Price], priors: Priors = DEFAULT_PRIORS
) -> Spending:
    """Return what `tasks` and `changes_of_hands` (handoffs and reports) consume.

    A task that states no tokens is taken for the prior, and counted in `assumed`; when none states any, nothing is
    known. The cost is a range: were all tokens read, and were all of them written. It is known only if every model has
    a price in one currency.
    """
    stated = [task for task in tasks if task.tokens is not None]
    if not stated:
        return Spending()
    by_model: dict[str, int] = defaultdict(int)
    for task in tasks:
        tokens = expected_tokens(task, priors)
        if tokens or task.tokens is not None:
            by_model[task.model or UNKNOWN_MODEL] += tokens
    work = sum(by_model.values())
    coordination = Range(
        low=changes_of_hands * priors.handoff_tokens_low, high=changes_of_hands * priors.handoff_tokens_high
    )
    unpriced = tuple(sorted(model for model in by_model if model not in prices))
    currencies = {prices[model].currency for model in by_model if model in prices}
    known = not unpriced and len(currencies) == 1
    return Spending(
        work_tokens=work,
        assumed=sum(task.tokens is None and expected_tokens(task, priors) > 0 for task in tasks),
        coordination_tokens=coordination,
        tokens=Range(low=work + coordination.low, high=work + coordination.high),
        cost=_cost(by_model, coordination, prices) if known else None,
        currency=currencies.pop() if known else None,
        unpriced=unpriced,
    )


def expected_tokens(task: TaskSpec, priors: Priors) -> int:
    """Return the tokens that a task states, or the prior; a plain function that states none needs none."""
    if task.tokens is not None:
        return task.tokens
    return 0 if task.kind in WITHOUT_TOKENS else priors.task_tokens


def _cost(by_model: Mapping[str, int], coordination: Range, prices: Mapping[str, Price]) -> Range:
    """Price the work of each model, and the coordination at the cheapest and at the dearest of them."""
    used = [prices[model] for model in by_model]
    low = sum(tokens * prices[model].input for model, tokens in by_model.items())
    high = sum(tokens * prices[model].output for model, tokens in by_model.items())
    return Range(
        low=round((low + coordination.low * min(price.input for price in used)) / MILLION, 6),
        high=round((high + coordination.high * max(price.output for price in used)) / MILLION, 6),
    )
