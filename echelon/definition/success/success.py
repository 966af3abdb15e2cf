"""What a phase takes for success: of every result, of those of a domain, of an agent, and of single tasks (D11)."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeAlias, cast

from echelon.agents.agent import Agent
from echelon.agents.checks.criterion import Criterion, criteria_stated
from echelon.definition.success.criteria import NOTHING_STATED, CheckBinder, Criteria, Verifiers
from echelon.model.errors import InvalidJob
from echelon.model.graph import TaskSpec

#: The key of what holds for every domain.
EVERYWHERE = "*"

StatedSuccess: TypeAlias = Sequence[Criterion] | Mapping[str, Sequence[Criterion]]
"""Criteria for all results, or by domain: `{"*": [...], "payments": [...]}`."""


@dataclass(frozen=True, kw_only=True)
class Success:
    """What must be true of the results of a phase; all that fits a task holds for it together."""

    everywhere: Criteria = NOTHING_STATED
    """For all of them."""
    domains: Mapping[str, Criteria] = field(default_factory=dict[str, Criteria])
    """For tasks of a domain, or of a part of it."""
    agents: Mapping[str, Criteria] = field(default_factory=dict[str, Criteria])
    """For what an agent makes, by its name: what it states itself, wherever it works."""
    tasks: Mapping[str, Criteria] = field(default_factory=dict[str, Criteria])
    """For single tasks, by id."""

    def of(self, task: TaskSpec, agent: str, instead_of: str = "") -> Criteria:
        """Return what holds for the result of a task that an agent does.

        Where it does that `instead_of` another one, its result must pass what that one's must, too. Evidence is of how
        that one works, and holds for nobody else.
        """
        own = self.agents.get(agent, NOTHING_STATED)
        replaced = self.agents.get(instead_of, NOTHING_STATED).of_result if instead_of != agent else NOTHING_STATED
        by_domain = (one for name, one in self.domains.items() if is_part_of(task.domain, name))
        of_task = self.tasks.get(task.id, NOTHING_STATED)
        return sum((self.everywhere, *by_domain, of_task, replaced, own), NOTHING_STATED)

    def only(self, tasks: Collection[str]) -> "Success":
        """Return it without what holds for other tasks."""
        return replace(self, tasks={task: one for task, one in self.tasks.items() if task in tasks})

    @property
    def parts(self) -> tuple[Criteria, ...]:
        """Each of what is stated, whatever it holds for."""
        return (self.everywhere, *self.domains.values(), *self.agents.values(), *self.tasks.values())

    @property
    def verifiers(self) -> tuple[Agent, ...]:
        """Everybody who verifies some of the results."""
        return sum(self.parts, NOTHING_STATED).verifiers

    @property
    def said(self) -> tuple[str, ...]:
        """What is stated, as plans say it: what does not hold for all results with what it holds for."""
        some = [(f"domain {name}", one) for name, one in self.domains.items()]
        some += [(f"agent {name}", one) for name, one in self.agents.items()]
        some += [(name, one) for name, one in self.tasks.items()]
        return (*self.everywhere.said, *(f"{said} ({name})" for name, one in some for said in one.said))

    def in_words_only(self) -> Iterator[str]:
        """Yield whose success is stated in words only: that of a domain, an agent or a task; empty for that of all."""
        some = (*self.domains.items(), *self.agents.items(), *self.tasks.items())
        for name, own in (("", self.everywhere), *some):
            if own.are_words_only and (self.everywhere + own).are_words_only:
                yield name


NO_SUCCESS = Success()


def is_part_of(domain: str | None, of: str) -> bool:
    """Say whether a domain is another one, or a part of it.

    >>> is_part_of("payments.refunds", "payments"), is_part_of("payments", "pay")
    (True, False)
    """
    return domain is not None and (domain == of or domain.startswith(f"{of}."))


def success_of(
    binder: CheckBinder, stated: StatedSuccess, verify: Verifiers | None, who: Sequence[Agent], *, has_domains: bool
) -> Success:
    """Return what a phase takes for success, with its checks bound; `InvalidJob` says what is wrong.

    `who` are the agents of its tasks, `has_domains` whether these belong to domains.
    """
    where = binder.place
    everywhere, domains = _by_domain(where, stated, has_domains=has_domains)
    contract = who[0].output_type if len(who) == 1 else object
    found = Success(
        everywhere=binder.criteria(everywhere, contract, verify),
        domains={name: binder.criteria(own, contract) for name, own in domains.items()},
        agents=criteria_of_agents(binder),
    )
    _check_together(where, found)
    return found


def criteria_of_agents(binder: CheckBinder) -> dict[str, Criteria]:
    """Return what those state themselves who may work, by their names."""
    stated: dict[str, tuple[Criterion, ...]] = {}
    for agent in binder.who:
        own = cast("tuple[Criterion, ...]", getattr(agent, "success", ()))
        if stated.setdefault(agent.name, own) != own:
            raise InvalidJob(
                f"{binder.place}: two agents are called {agent.name!r}, and state different success=; give one "
                "of them a name of its own"
            )
    agents = {agent.name: agent for agent in binder.who}
    return {name: binder.criteria(own, agents[name].output_type) for name, own in stated.items() if own}


def _by_domain(
    where: str, stated: StatedSuccess, *, has_domains: bool
) -> tuple[tuple[Criterion, ...], dict[str, tuple[Criterion, ...]]]:
    """Return what is stated for all results, and by domain."""
    if not isinstance(stated, Mapping):
        return criteria_stated(where, stated), {}
    given = {name: criteria_stated(f"{where}, success of {name!r}", own) for name, own in stated.items()}
    everywhere = given.pop(EVERYWHERE, ())
    if given and not has_domains:
        raise InvalidJob(
            f"{where}: success is stated for the domain {next(iter(given))!r}, and its tasks belong to no domains; "
            "say with domain= where an item belongs, or state a list"
        )
    return everywhere, given


def _check_together(where: str, success: Success) -> None:
    """Refuse two different checks of one name that hold for one result."""
    for domain in ("", *success.domains):
        chain = [one for name, one in success.domains.items() if is_part_of(domain, name)]
        for own in (NOTHING_STATED, *success.agents.values()):
            sum((success.everywhere, *chain, own), NOTHING_STATED).check_names(where)
