"""A function as an agent: where it runs, and what it may return."""

import asyncio
import threading
from contextvars import ContextVar
from typing import Any

import pytest

from echelon import AgentFailed, Outcome, agent
from echelon.agents.agent import Agent
from echelon.agents.call import CallShape
from echelon.agents.function import FunctionAgent, contract_of, function_agent
from echelon.definition.definition import NoInputs
from echelon.model.errors import InvalidJob
from echelon.testing.calls import a_call

pytestmark = pytest.mark.anyio

SHAPE = CallShape(inputs_type=NoInputs, takes_item=True)
WHO: ContextVar[str] = ContextVar("who", default="nobody")


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def do(function: Any, item: Any = None) -> Outcome[Any]:
    made = function if isinstance(function, FunctionAgent) else function_agent(function)
    return await made.bind(SHAPE).perform(a_call(item))


async def test_an_async_function_runs_on_the_loop() -> None:
    @agent
    async def where(item: int) -> tuple[int, int]:
        return item, threading.get_ident()

    assert (await do(where, 1)).output == (1, threading.get_ident())


async def test_a_plain_function_runs_in_a_thread_and_keeps_the_context() -> None:
    @agent
    def where(item: int) -> tuple[str, int]:
        WHO.set("the thread")
        return before.pop(), threading.get_ident()

    before: list[str] = []
    token = WHO.set("the caller")
    try:
        before.append(WHO.get())
        who, thread = (await do(where)).output
        assert (who, WHO.get()) == ("the caller", "the caller")
    finally:
        WHO.reset(token)
    assert thread != threading.get_ident()


async def test_the_context_of_the_caller_is_seen_in_the_thread() -> None:
    @agent
    def who() -> str:
        return WHO.get()

    async def asking(name: str) -> str:
        WHO.set(name)
        return (await do(who)).output

    assert await asyncio.gather(asking("one"), asking("two")) == ["one", "two"]


async def test_as_many_plain_functions_wait_at_one_time_as_are_called() -> None:
    together = threading.Barrier(40, timeout=60)

    @agent
    def meet() -> int:
        return together.wait()

    met = await asyncio.gather(*[do(meet) for _ in range(40)])

    assert sorted(outcome.output for outcome in met) == list(range(40))


async def test_an_outcome_is_kept_and_anything_else_is_the_output() -> None:
    async def say(item: int) -> Outcome[int]:
        return Outcome(output=item, summary="said")

    async def bare(item: int) -> int:
        return item

    assert await do(say, 3) == Outcome(output=3, summary="said")
    assert await do(bare, 3) == Outcome(output=3)


@pytest.mark.parametrize(
    "error", [AgentFailed("no"), KeyError("x"), TimeoutError("late"), ExceptionGroup("two", [OSError()])]
)
async def test_errors_reach_the_guard_as_they_are(error: Exception) -> None:
    @agent
    def fail() -> int:
        raise error

    with pytest.raises(type(error)) as raised:
        await do(fail)

    assert raised.value.args == error.args


async def test_a_dry_iterator_is_an_error_and_no_endless_wait() -> None:
    @agent
    def first(item: list[int]) -> int:
        return next(iter(item))

    with pytest.raises(RuntimeError, match="first raised StopIteration"):
        await do(first, [])


def test_the_return_annotation_is_the_contract() -> None:
    def plain() -> list[int]: ...
    def outcome() -> Outcome[dict[str, int]]: ...
    def bare() -> Outcome: ...
    def nothing() -> None: ...

    assert [contract_of(one, "x") for one in (plain, outcome, bare, nothing)] == [
        list[int],
        dict[str, int],
        Any,
        type(None),
    ]


def test_a_function_without_a_contract_is_refused() -> None:
    def vague(): ...

    with pytest.raises(InvalidJob, match="agent 'vague' has no return annotation"):
        function_agent(vague)


@pytest.mark.parametrize(
    ("name", "goal", "expected"),
    [(None, None, ("see_far", "See what is far away.")), ("eye", "Look", ("eye", "Look"))],
)
def test_name_and_goal_come_from_the_function_unless_they_are_given(
    name: str | None, goal: str | None, expected: tuple[str, str]
) -> None:
    def see_far() -> int:
        """See what is far away.

        With care.
        """
        return 1

    made = function_agent(see_far, name=name, goal=goal)

    assert (made.name, made.goal) == expected
    assert isinstance(made, Agent)


def test_a_function_without_a_docstring_is_told_by_its_name() -> None:
    def see_far() -> int: ...

    assert function_agent(see_far).goal == "see far"


def test_an_annotation_that_is_not_known_at_run_time_is_told_with_its_remedy() -> None:
    def vague(item: "Nowhere") -> int: ...  # noqa: F821

    with pytest.raises(InvalidJob, match="annotations of 'vague' cannot be read: name 'Nowhere'"):
        function_agent(vague)
