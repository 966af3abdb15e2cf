"""Whose account a step is paid from: that of its task, its domain, its phase and the whole job (F4)."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from echelon.agents.agent import Agent, CanWrapUp, PaysByPart
from echelon.model.errors import BudgetExhausted
from echelon.model.plan import Plan
from echelon.model.policy import Resilience
from echelon.model.run import StepKind, StepRecord
from echelon.model.usage import Budget, Usage
from echelon.oversight.exceptions.resources import BudgetUse
from echelon.resilience.budget import Account
from echelon.resilience.standing.keeper import StandingKeeper


def account_of_job(
    name: str,
    budget: Budget,
    earlier: Iterable[StepRecord],
    share: Account | None = None,
    standing: StandingKeeper | None = None,
) -> Account:
    """Open the account of a job; what earlier processes of the run used counts as spent.

    `share` is that of the task that it is; what the job uses is taken from both. `standing` keeps its standing budgets.
    """
    return Account(budget, f"job {name!r}", *((share,) if share else ()), spent=spent_by(earlier), standing=standing)


def spent_by(steps: Iterable[StepRecord]) -> Usage:
    """Add up what steps on record used; their seconds are those in which at least one of them was at work."""
    recorded = tuple(steps)
    used = sum((step.handoff.usage for step in recorded), Usage())
    return used.model_copy(update={"seconds": _seconds_at_work((step.started, step.finished) for step in recorded)})


def budget_told(policy: Resilience, whole: Budget) -> Budget:
    """Return the nearest budget that is stated: of the task, of its domain, or of the whole job."""
    return policy.budget or policy.domain_budget or whole


def expected_tokens(tokens: int | None, policy: Resilience) -> int | None:
    """Return what is reserved for a task that is expected to use so many tokens: no more than it may use at all.

    An estimate that is larger than the task's own budget must not keep it from being tried within that budget.
    """
    if not tokens:
        return None
    bound = policy.budget.usual.tokens if policy.budget else None
    return tokens if bound is None else min(tokens, bound)


def refusal_for_good(account: Account, *, tokens: int, calls: int, seconds: float) -> BudgetExhausted | None:
    """Return why so much is more than an account has left; None where it fits, or the rest can be waited for (F10).

    Of a budget that opens again what is left today is used.
    """
    try:
        account.reserve(tokens=tokens, calls=calls, seconds=seconds).cancel()
    except BudgetExhausted as error:
        return error if error.until is None else None
    return None


def pays_by_part(agent: Agent) -> bool:
    """Say whether an agent reserves the parts of its work itself, so that nothing is reserved for the whole."""
    return isinstance(agent, PaysByPart) and agent.pays_by_part


def may_wrap_up(kind: StepKind, agent: Agent) -> bool:
    """Say whether one more call is of use when the budget is used up; slow, so asked only where something is kept back.

    An integration puts together what is there, which is what the final call is for (F7). What cannot be undone is not
    begun once more.
    """
    if kind is StepKind.INTEGRATION:
        return True
    return can_wrap_up(agent) and agent.effect != "irreversible"


def can_wrap_up(agent: Agent) -> bool:
    """Say whether an agent writes down what it has when it is called for the last time (F4)."""
    return isinstance(agent, CanWrapUp) and agent.can_wrap_up


class Accounts:
    """The accounts of one run below that of the job."""

    def __init__(self, whole: Account, plan: Plan, earlier: Iterable[StepRecord]) -> None:
        self._whole = whole
        self._plan = plan
        self._earlier = tuple(earlier)
        self._domains: dict[tuple[str, Budget], Account] = {}
        self._tasks: list[Account] = []
        self._by_task: dict[str, Account] = {}

    def follow(self, plan: Plan) -> None:
        """Go by a plan that has grown since: it says which domain a task belongs to."""
        self._plan = plan

    def passed(self) -> list[str]:
        """Say of each budget that was passed by how much: of the job, of domains, of tasks."""
        return [line for account in (self._whole, *self._domains.values(), *self._tasks) for line in account.passed()]

    def uses(self, at_work: Iterable[str]) -> list[BudgetUse]:
        """Return how much is used of the budgets of the job, of its domains, and of tasks at work (V1)."""
        whole = [BudgetUse(*bound) for one in (self._whole, *self._domains.values()) for bound in one.bounds]
        own = [(task, self._by_task[task]) for task in at_work if task in self._by_task] if self._by_task else []
        return [*whole, *(BudgetUse(*bound, task) for task, account in own for bound in account.bounds)]

    def of(self, kind: StepKind, task_id: str, node: str, policy: Resilience, above: Account) -> Account | None:
        """Return the account of one step; None where the one `above`, that of its guard, is all there is.

        A step has an account of its own where something is kept back, since each account has one final call.
        Integrations count towards the budget of their domain, which never refuses them: what is there must be put
        together (F7). What an agent that integrates states for itself bounds each of its integrations.
        """
        if not (policy.budget or policy.domain_budget or above.keeps_back):
            return None
        domains = self._domain(task_id, node, policy.domain_budget or None)
        integrates = kind is StepKind.INTEGRATION
        parents = tuple(one.counting() for one in domains) if integrates else domains
        what = "integration" if integrates else "task"
        account = Account(policy.budget or Budget(), f"{what} {task_id!r}", *parents, above)
        if policy.budget:
            self._tasks.append(account)
            self._by_task[task_id] = account
        return account

    def _domain(self, task_id: str, node: str, budget: Budget | None) -> Sequence[Account]:
        """Return the account of a domain, if there is one; its clock starts when it is first asked for."""
        domain = self._plan.domain_of(task_id, node)
        if budget is None or not domain:
            return ()
        known = self._domains.get((domain, budget))
        if known is None:
            spent = spent_by(self._steps_of(domain))
            known = self._domains[domain, budget] = Account(budget, f"domain {domain!r}", self._whole, spent=spent)
        return (known,)

    def _steps_of(self, domain: str) -> list[StepRecord]:
        return [step for step in self._earlier if self._plan.domain_of(step.handoff.task_id, step.node) == domain]


def _seconds_at_work(spans: Iterable[tuple[datetime, datetime]]) -> float:
    """Return how long at least one of the spans lasted, in seconds."""
    seconds, until = 0.0, None
    for began, ended in sorted(spans):
        begins = began if until is None else max(began, until)
        seconds += max(0.0, (ended - begins).total_seconds())
        until = ended if until is None else max(ended, until)
    return seconds
