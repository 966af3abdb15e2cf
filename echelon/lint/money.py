"""Price and budget: what is not known, and what is known not to be enough (F4)."""

from collections.abc import Iterator

from echelon.lint.context import INFO, WARNING, LintContext, Problem, named
from echelon.model.graph import TaskSpec
from echelon.model.phrasing import count
from echelon.model.plan import Plan
from echelon.model.usage import Budget


def money(context: LintContext) -> Iterator[Problem]:
    """Find missing budgets and prices of work that costs tokens, and budgets that the forecast exceeds (F4).

    Work without tokens and models (functions, commands) costs nothing that has a price, and gets no finding.
    """
    yield from _without_budget(context)
    yield from _without_price(context)
    yield from _exceeded(context)


def _without_budget(context: LintContext) -> Iterator[Problem]:
    costly = sum(map(_costs_tokens, context.tasks))
    if not costly or _bounded(context.graph.budget):
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
    return budget is not None and any(bound is not None for name, bound in budget if name != "final_call")


def _without_price(context: LintContext) -> Iterator[Problem]:
    used: dict[str, int] = {}
    for task in context.tasks:
        if task.model is not None and _costs_tokens(task) and task.model not in context.graph.prices:
            used[task.model] = used.get(task.model, 0) + 1
    if used:
        yield Problem(
            WARNING if context.graph.prices else INFO,
            min(used),
            f"no price is known for {named(sorted(used))} ({count(sum(used.values()), 'task')}): the cost of the job "
            "cannot be foreseen",
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


def _exceeded(context: LintContext) -> Iterator[Problem]:
    budget, plan = context.graph.budget, context.plan
    if budget is None:
        return
    tokens = None if plan.spending.tokens is None else plan.spending.tokens.low
    rows = (
        ("tokens", budget.tokens, tokens),
        ("calls", budget.calls, len(context.tasks) + _integrations(plan)),
        ("seconds", budget.seconds, plan.makespan.predicted),
    )
    for what, bound, foreseen in rows:
        if bound is not None and foreseen is not None and foreseen > bound:
            yield Problem(
                WARNING,
                f"budget.{what}",
                f"the budget of {bound:,.0f} {what} is less than the {foreseen:,.0f} that the plan expects"
                f"{_guessed(plan) if what == 'tokens' else ''}: the job may be stopped before its end",
                f"give {foreseen:,.0f} {what} or more, or do less",
            )


def _integrations(plan: Plan) -> int:
    """Return how many integrations there are at least: each is a call too."""
    return sum(phase.integration not in (None, "none") for phase in plan.phases)


def _guessed(plan: Plan) -> str:
    """Say what of the tokens is no statement of the job."""
    assumed = f", {count(plan.spending.assumed, 'task')} assumed" if plan.spending.assumed else ""
    return f" ({plan.spending.work_tokens or 0:,} of work{assumed}, the rest for handoffs)"
