"""What is nearly used up: budgets, and the contexts of models (V1). Pure."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import NamedTuple

from echelon.model.exception_report import ExceptionReport, Trigger
from echelon.model.phrasing import count, duration, one_line, percent
from echelon.model.plan import Plan
from echelon.model.views.conversation import Conversation
from echelon.oversight.exceptions.saying import named, warning

#: Whoever has used more of something is told of, before it is used up.
NEARLY = 0.8


class BudgetUse(NamedTuple):
    """How much of one bound of a budget is used."""

    name: str
    """Whose budget it is, in words."""
    what: str
    """What is bounded: seconds, tokens, calls or cost."""
    bound: float
    """All of it."""
    used: float
    """What is used of it."""
    task: str = ""
    """The task at work that it is for; empty for a budget of the run or of a domain."""

    @property
    def share(self) -> float:
        """How much of it is used, 1 for all of it."""
        return self.used / self.bound


def nearly_used(
    plan: Plan, uses: Iterable[BudgetUse], reported: set[tuple[Trigger, str]], now: datetime
) -> Iterator[ExceptionReport]:
    """Yield what is to be said of budgets, once, and take note of it in `reported`; those of tasks together."""
    new = [one for one in uses if one.share > NEARLY and (Trigger.RESOURCE, _about(one)) not in reported]
    reported.update((Trigger.RESOURCE, _about(one)) for one in new)
    for one in new:
        if not one.task:
            yield warning(plan, Trigger.RESOURCE, _said(one), now, about=_about(one))
    for what in dict.fromkeys(one.what for one in new if one.task):
        own = [one for one in new if one.task and one.what == what]
        tasks = [one.task for one in own]
        many = f"{count(len(own), 'task')} have used more than {percent(NEARLY)} of their {what}: {named(tasks)}"
        said = _said(own[0]) if len(own) == 1 else many
        yield warning(plan, Trigger.RESOURCE, said, now, about=_of_tasks(what), tasks=tasks)


def on_record(report: ExceptionReport) -> set[tuple[Trigger, str]]:
    """Return what is known to be said by what is on record."""
    if report.trigger is not Trigger.RESOURCE or not report.about:
        return set()
    names = [f"{report.about} {task}" for task in report.tasks] or [report.about]
    return {(Trigger.RESOURCE, name) for name in names}


def context_nearly_full(
    plan: Plan, asked: Conversation, reported: set[tuple[Trigger, str]], now: datetime
) -> Sequence[ExceptionReport]:
    """Return what is to be said of a model whose context was nearly full, once a task."""
    tokens, window = asked.context_tokens, plan.priors.context_tokens
    known = (Trigger.RESOURCE, f"{CONTEXT} {asked.task_id}")
    if tokens is None or tokens <= NEARLY * window or known in reported:
        return ()
    reported.add(known)
    said = (
        f"the context of {named([asked.task_id])} was {percent(tokens / window)} full: {tokens:,} of {window:,} tokens"
    )
    return (warning(plan, Trigger.RESOURCE, said, now, about=CONTEXT, tasks=[asked.task_id]),)


#: What is said of the context of a task is about this.
CONTEXT = "context of"


def _of_tasks(what: str) -> str:
    return f"{what} of"


def _about(use: BudgetUse) -> str:
    return f"{_of_tasks(use.what)} {use.task}" if use.task else f"{use.what} of {use.name}"


def _said(use: BudgetUse) -> str:
    used, bound = (_AMOUNTS.get(use.what, _plain)(number) for number in (use.used, use.bound))
    return f"{one_line(use.name)} has used {percent(use.share)} of its {use.what}: {used} of {bound}"


def _plain(number: float) -> str:
    return f"{number:,.0f}"


def _money(number: float) -> str:
    return f"{number:,.2f}"


_AMOUNTS = {"seconds": duration, "cost": _money}
