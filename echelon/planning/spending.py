"""Foresee what a plan consumes in tokens and money; what is not known stays unknown, and is never zero (F4, P4)."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from echelon.model.graph import TaskGraph, TaskSpec, WorkerKind
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
    known. Each replica of a task consumes as much as the others (F9).
    The cost is a range: were all tokens read, and were all of them written. It is known only if every model has
    a price in one currency.
    """
    stated = [task for task in tasks if task.tokens is not None]
    if not stated:
        return Spending()
    by_model: dict[str, int] = defaultdict(int)
    for task in tasks:
        tokens = expected_tokens(task, priors)
        if tokens or task.tokens is not None:
            for model in task.models:
                by_model[model or UNKNOWN_MODEL] += tokens
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


def with_rounds(once: Spending, graph: TaskGraph, rounds: Mapping[str, int]) -> Spending:
    """Return a forecast whose upper bounds count every round of the phases that are repeated, given those of each.

    The lower bounds count one round: perhaps the first one passes (X12). A standby is in the upper bounds alone, too:
    perhaps nobody needs it (F9).
    """
    more = [one for task in graph.tasks for one in _more(task, rounds.get(task.phase or "", 1), graph.priors)]
    if not more or once.tokens is None:
        return once
    tokens = once.tokens.model_copy(update={"high": once.tokens.high + sum(tokens for _, tokens in more)})
    if once.cost is None:
        return once.model_copy(update={"tokens": tokens})
    unpriced = sorted({model for model, tokens in more if model and tokens and model not in graph.prices})
    if unpriced:
        return once.model_copy(update={"tokens": tokens, "cost": None, "currency": None, "unpriced": tuple(unpriced)})
    dearer = sum(tokens * graph.prices[model].output for model, tokens in more if model and tokens)
    cost = once.cost.model_copy(update={"high": round(once.cost.high + dearer / MILLION, 6)})
    return once.model_copy(update={"tokens": tokens, "cost": cost})


def _more(task: TaskSpec, rounds: int, priors: Priors) -> Iterator[tuple[str | None, int]]:
    """Yield what a task may consume beyond being done once, by model."""
    tokens = expected_tokens(task, priors)
    for model in task.models if rounds > 1 else ():
        yield model, (rounds - 1) * tokens
    if task.standby is not None and (task.standby_model or task.model is None):
        yield task.standby_model, rounds * tokens


class Verifications(NamedTuple):
    """Calls of a model that verifies results."""

    model: str
    """Its name."""
    least: int
    """One for each result."""
    most: int
    """One for each round of each."""


def with_verifications(
    once: Spending, asked: Sequence[Verifications], priors: Priors, prices: Mapping[str, Price]
) -> Spending:
    """Return a forecast with those who verify: each call is taken for the prior; a model without a price is named (O3).

    Nothing is added where nothing is known of the work itself.
    """
    if not asked or once.tokens is None:
        return once
    low, high = (
        sum(calls) * priors.task_tokens for calls in zip(*((one.least, one.most) for one in asked), strict=True)
    )
    tokens = Range(low=once.tokens.low + low, high=once.tokens.high + high)
    unpriced = {one.model for one in asked if one.model not in prices or prices[one.model].currency != once.currency}
    if unpriced or once.cost is None:
        named = tuple(sorted({*once.unpriced, *(one for one in unpriced if one not in prices)}))
        return once.model_copy(update={"tokens": tokens, "cost": None, "currency": None, "unpriced": named})
    least = sum(one.least * priors.task_tokens * prices[one.model].input for one in asked) / MILLION
    most = sum(one.most * priors.task_tokens * prices[one.model].output for one in asked) / MILLION
    cost = Range(low=round(once.cost.low + least, 6), high=round(once.cost.high + most, 6))
    return once.model_copy(update={"tokens": tokens, "cost": cost})


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
