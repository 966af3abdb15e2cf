"""`@agent` and `@integrator`, with and without options."""

import functools
from typing import Any

import pytest

from echelon import Handoffs, agent, integrator
from echelon.agents.call import CallShape
from echelon.agents.decorators import Integrator
from echelon.agents.function import FunctionAgent
from echelon.definition.definition import NoInputs
from echelon.model.errors import InvalidJob
from echelon.model.policy import Resilience
from echelon.model.usage import Budget


def test_an_agent_is_still_the_function_to_whoever_calls_it() -> None:
    @agent
    def double(item: int) -> int:
        return 2 * item

    assert isinstance(double, FunctionAgent)
    assert double(21) == 42


def test_options_of_an_agent_are_its_policy_and_unset_ones_are_inherited() -> None:
    @agent(name="spy", goal="Look", effect="irreversible", timeout=60, attempts=2, breaker="provider")
    async def look() -> int:
        return 1

    assert (look.name, look.goal, look.effect) == ("spy", "Look", "irreversible")
    assert look.resilience == Resilience(timeout_seconds=60, attempts=2, breaker="provider")
    assert agent(look.function).resilience == Resilience()


def test_a_budget_of_a_task_and_whether_it_can_wrap_up_are_options_too() -> None:
    @agent(budget=Budget(tokens=100, final_call=0.2), can_wrap_up=True, resilience=Resilience(budget=Budget(calls=1)))
    async def look() -> int:
        return 1

    assert look.resilience.budget == Budget(tokens=100, final_call=0.2)
    assert (look.can_wrap_up, agent(look.function).can_wrap_up) == (True, False)
    assert agent(look.function, budget=False).resilience.over(look.resilience).budget is False


def test_what_works_in_a_process_of_its_own_cannot_wrap_up() -> None:
    with pytest.raises(InvalidJob, match="cannot wrap up"):
        agent(cpu_bound=True, can_wrap_up=True)


def test_an_unknown_option_is_an_error() -> None:
    with pytest.raises(TypeError, match="retries"):
        agent(retries=3)  # pyright: ignore[reportCallIssue]


def test_an_integrator_merges_and_with_combine_does_so_in_stages() -> None:
    @integrator(timeout=5, attempts=2)
    def merge(seen: Handoffs[int]) -> list[int]:
        return seen.outputs()

    @merge.combine
    def staged(merged: Handoffs[list[int]]) -> list[int]:
        return [one for each in merged.outputs() for one in each]

    assert isinstance(merge, Integrator)
    assert merge.combiner is None
    assert staged.merger is merge.merger
    assert staged.combiner.resilience == merge.merger.resilience == Resilience(timeout_seconds=5, attempts=2)
    assert merge(Handoffs()) == staged(Handoffs()) == []


def test_an_integrator_that_asks_for_what_it_cannot_get_is_refused() -> None:
    @integrator
    def merge(seen: Handoffs[int], colour: str) -> int:
        return 1

    with pytest.raises(InvalidJob, match="'colour'"):
        merge.bind(CallShape(inputs_type=NoInputs, upstream=("look",)))


class Counter:
    def __call__(self) -> int:
        """Count."""
        return 1


def count_from(start: int) -> int:
    """Count."""
    return start


@pytest.mark.parametrize(
    ("given", "kind"),
    [(functools.partial(count_from, 1), "partial"), (Counter(), "Counter")],
    ids=["partial", "object"],
)
def test_what_is_called_and_is_no_function_is_refused_by_name(given: Any, kind: str) -> None:
    """It was an AttributeError."""
    with pytest.raises(InvalidJob, match=f"@agent takes a function, and got a {kind}"):
        agent(given)
