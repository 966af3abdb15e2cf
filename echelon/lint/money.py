"""Price and budget: what is not known, and what is known not to be enough (F4)."""

from collections.abc import Callable, Iterator, Mapping

from echelon.lint.context import INFO, WARNING, LintContext, Problem, named
from echelon.model.graph import TaskSpec
from echelon.model.phrasing import count
from echelon.model.plan import Plan
from echelon.model.usage import Budget

#: How much of each is written.
_WHOLE = "{:,.0f}".format
_WRITTEN: Mapping[str, Callable[[float], str]] = {"cost": "{:,.2f}".format}


def money(context: LintContext) -> Iterator[Problem]:
    """Find missing budgets and prices of work that costs tokens, and budgets that the forecast exceeds (F4).

    Work without tokens and models (functions, commands) costs nothing that has a price, and gets no finding.
    """
    yield from _without_budget(context)
    yield from _without_price(context)
    yield from _exceeded(context)


def _without_budget(context: LintContext) -> Iterator[Problem]:
    costly = sum(map(_costs_tokens, context.tasks))
    if not costly or any(map(_bounded, (context.graph.budget, *context.graph.standing))):
        return
    foreseen = context.plan.spending.tokens
    expected = f", {foreseen.low:,.0f} to {foreseen.high:,.0f} tokens are expected" if foreseen else ""
    yield Problem(
        WARNING,
        context.graph.name,
        f"{_costing(costly)} and there is no budget{expected}: nothing stops an agent that goes astray",
        "give the job a budget (tokens, calls or seconds)",
    )


def _costs_tokens(task: TaskSpec) -> bool:
    """Tell whether a task costs tokens: it states some, or has a model and does not state that it needs none."""
    return bool(task.tokens) if task.tokens is not None else task.model is not None


def _costing(tasks: int) -> str:
    return f"{count(tasks, 'task')} {'costs' if tasks == 1 else 'cost'} tokens"


def _bounded(budget: Budget | None) -> bool:
    return budget is not None and any(bound is not None for name, bound in budget if name not in ("final_call", "per"))


def _without_price(context: LintContext) -> Iterator[Problem]:
    used: dict[str, int] = {}
    for task in context.tasks:
        if task.model is not None and _costs_tokens(task) and task.model not in context.graph.prices:
            used[task.model] = used.get(task.model, 0) + 1
    bounded = _bounding_cost(context)
    if used:
        yield Problem(
            WARNING if context.graph.prices or bounded else INFO,
            min(used),
            f"no price is known for {named(sorted(used))} ({count(sum(used.values()), 'task')}): the cost of the job "
            f"cannot be foreseen{bounded}",
            "state the price of each model per million tokens",
        )
    nameless = [task.id for task in context.tasks if task.model is None and _costs_tokens(task)]
    if nameless:
        yield Problem(
            INFO,
            nameless[0],
            f"{_costing(len(nameless))} of a model that is not named ({named(nameless)}): what that costs in money "
            "cannot be foreseen",
            "name the model of each task, and its price",
        )


def _bounding_cost(context: LintContext) -> str:
    """Say that no bound on cost, of a run or of all of a day or a month, sees what has no price."""
    told = [budget for budget in (context.graph.budget, *context.graph.standing) if budget and budget.cost is not None]
    names = [f"of {one.cost:,.2f} per {one.per or 'run'}" for one in told]
    return f", and it does not count towards the budget {' and '.join(names)}" if names else ""


def _exceeded(context: LintContext) -> Iterator[Problem]:
    if context.graph.budget is not None:
        yield from _too_small(context, context.graph.budget)
    for standing in context.graph.standing:
        yield from _too_small(context, standing)


def _too_small(context: LintContext, budget: Budget) -> Iterator[Problem]:
    """Find what one run is expected to take more of than a budget has, of a run or of a whole day or month."""
    plan, spending = context.plan, context.plan.spending
    rows = (
        ("tokens", budget.tokens, spending.tokens and spending.tokens.low),
        ("calls", budget.calls, len(context.tasks) + _integrations(plan)),
        ("seconds", budget.seconds, plan.makespan.predicted),
        ("cost", budget.cost, spending.cost and spending.cost.low),
    )
    whose, then = ("", "stopped before its end")
    if budget.per:
        whose, then = f" of a whole {budget.per}", f"left to wait for the next {budget.per}"
    for what, bound, foreseen in rows:
        if bound is not None and foreseen is not None and foreseen > bound:
            written = _WRITTEN.get(what, _WHOLE)
            yield Problem(
                WARNING,
                f"budget.{what}",
                f"the budget{whose} of {written(bound)} {what} is less than the {written(foreseen)} that the plan "
                f"expects{_guessed(plan) if what == 'tokens' else ''}: the job may be {then}",
                f"give {written(foreseen)} {what} or more, or do less",
            )


def _integrations(plan: Plan) -> int:
    """Return how many integrations there are at least: each is a call too."""
    return sum(phase.integration not in (None, "none") for phase in plan.phases)


def _guessed(plan: Plan) -> str:
    """Say what of the tokens is no statement of the job."""
    assumed = f", {count(plan.spending.assumed, 'task')} assumed" if plan.spending.assumed else ""
    return f" ({plan.spending.work_tokens or 0:,} of work{assumed}, the rest for handoffs)"
