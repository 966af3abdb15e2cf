"""How a model wraps up: its budget is used up, and it is asked for what it has (F4). Over real HTTP."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest
from openai import AsyncOpenAI
from pydantic import BaseModel
from pydantic_ai import Agent as PydanticAgent
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.models.test import TestModel
from pydantic_ai.providers.openai import OpenAIProvider

from echelon.agents.agent import CanWrapUp
from echelon.agents.call import Call
from echelon.agents.fallback import Fallback
from echelon.agents.model import ModelAgent, model_agent
from echelon.agents.model_limits import LANDING_REQUESTS, conversation, kept_tokens, limits
from echelon.agents.prompt import FINAL_CALL
from echelon.model.errors import BudgetExhausted
from echelon.model.policy import Resilience
from echelon.model.usage import Budget, Usage
from echelon.resilience.budget import Account
from echelon.resilience.guard import CallResult, Guard
from echelon.testing.calls import a_call
from echelon.testing.faults import calls, stalls_for_ever
from echelon.testing.llm_server import Answer, LlmServer, says


class Finding(BaseModel):
    path: str


GOOD = says({"path": "a.py"}, tokens_in=20)


def wrapped_up(server: LlmServer, budget: Budget, call: Call | None = None, **policy: Any) -> CallResult[Any]:
    """Let a model with a tool work within a budget."""

    async def use(agent: ModelAgent) -> CallResult[Any]:
        given, guard = call or a_call(budget=budget), Guard(Resilience(attempts=1, **policy))

        async def attempt() -> Any:
            return await agent.perform(given)

        return await guard.call(attempt, account=Account(budget, "task 'a.py'"), wrap_up=attempt)

    return with_tool(server, use)


def with_tool(server: LlmServer, use: Callable[[ModelAgent], Awaitable[Any]]) -> Any:
    async def main() -> Any:
        async with httpx.AsyncClient() as client:
            openai = AsyncOpenAI(base_url=server.url, api_key="none", http_client=client)
            chat = OpenAIChatModel("local", provider=OpenAIProvider(openai_client=openai))
            inner = PydanticAgent(chat, output_type=Finding)

            @inner.tool_plain
            def look() -> str:
                return "a line of code"

            return await use(model_agent(inner, name="m", voice=False))

    with server:
        return asyncio.run(main())


def tools_of(request: dict[str, Any]) -> list[str]:
    return [tool["function"]["name"] for tool in request["tools"]]


def is_whole(request: dict[str, Any]) -> bool:
    """Say whether every call of a tool in a conversation is answered in it: providers refuse any other."""
    messages = request["messages"]
    asked = [call["id"] for message in messages for call in message.get("tool_calls") or ()]
    answered = [message["tool_call_id"] for message in messages if message["role"] == "tool"]
    return sorted(asked) == sorted(answered)


@pytest.mark.parametrize(
    ("budget", "before"),
    [
        (Budget(tokens=3000, final_call=0.5), 2),  # 505 tokens a request: 490 are left, and the prompt needs more
        (Budget(calls=4, final_call=0.5), 2),
    ],
    ids=["tokens", "calls"],
)
def test_it_goes_on_with_its_conversation_without_its_tools(budget: Budget, before: int) -> None:
    server = LlmServer(*[calls("look", "{}", tokens_in=500)] * before, GOOD)
    verdict = wrapped_up(server, budget)
    last = server.requests[-1]

    assert verdict.error is None
    assert verdict.value is not None
    assert (verdict.wrapped_up, verdict.value.output) == (True, Finding(path="a.py"))
    assert len(server.requests) == before + 1
    assert tools_of(server.requests[0]) == ["look", "final_result"]
    assert tools_of(last) == ["final_result"]
    assert last["messages"][-1] == {"role": "user", "content": FINAL_CALL}
    assert {"role": "tool", "tool_call_id": "1", "content": "a line of code"} in last["messages"]
    assert is_whole(last)
    assert verdict.usage.tokens == before * 505 + 25


def test_a_conversation_that_is_cut_off_by_the_clock_is_kept_too() -> None:
    server = LlmServer(calls("look", "{}"), stalls_for_ever(), GOOD)
    verdict = wrapped_up(server, Budget(seconds=3.0, final_call=0.5))

    assert verdict.error is None
    assert verdict.wrapped_up
    assert {"role": "tool", "tool_call_id": "1", "content": "a line of code"} in server.requests[-1]["messages"]
    assert is_whole(server.requests[-1])


def test_without_a_conversation_it_is_asked_afresh_and_told_why() -> None:
    budget, server = Budget(calls=4, final_call=0.5), LlmServer(GOOD)

    async def use(agent: ModelAgent) -> CallResult[Any]:
        call, account = a_call(budget=budget), Account(budget, "task 'a.py'", spent=Usage(calls=2))

        async def attempt() -> Any:
            return await agent.perform(call)

        return await Guard(Resilience()).call(attempt, account=account, wrap_up=attempt)

    verdict = with_tool(server, use)
    said = server.requests[0]["messages"][-1]["content"]

    assert verdict.wrapped_up
    assert said.startswith("# Task\n- do the task")
    assert said.endswith(FINAL_CALL)


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (calls("look", "{}", tokens_in=4000), "has 0 left: 4,005 spent"),
        (calls("look", "{}", tokens_in=500), "has 490 left: 1,010 spent"),
    ],
    ids=["all of it is gone", "it does not stop"],
)
def test_one_that_cannot_wrap_up_has_failed_for_what_it_failed_for_first(answer: Answer, why: str) -> None:
    verdict = wrapped_up(LlmServer(answer), Budget(tokens=3000, final_call=0.5))

    assert isinstance(verdict.error, BudgetExhausted)
    assert why in str(verdict.error)
    assert not verdict.wrapped_up


@pytest.mark.parametrize(
    ("budget", "usual", "last"),
    [
        (Budget(), (50, None), (LANDING_REQUESTS, None)),
        (Budget(tokens=100, calls=10), (10, 100), (1, None)),
        (Budget(tokens=100, calls=10, final_call=0.3), (7, 70), (3, 30)),
        (Budget(tokens=100, final_call=0.5), (50, 50), (LANDING_REQUESTS, 50)),
        (Budget(calls=1, tokens=1, final_call=0.5), (1, 1), (1, 1)),
    ],
)
def test_what_is_kept_back_is_for_the_last_call_alone(
    budget: Budget, usual: tuple[int, int | None], last: tuple[int, int | None]
) -> None:
    before, behind = limits(budget), limits(budget, final_call=True)

    assert (before.request_limit, before.total_tokens_limit) == usual
    assert (behind.request_limit, kept_tokens(budget)) == last
    assert behind.total_tokens_limit is None


def test_the_last_answer_is_no_longer_than_what_is_kept_back() -> None:
    server = LlmServer(calls("look", "{}", tokens_in=500), calls("look", "{}", tokens_in=500), GOOD)
    wrapped_up(server, Budget(tokens=3000, final_call=0.5))
    first, second, last = (request["max_completion_tokens"] for request in server.requests)

    assert last == 1500
    assert 0 < second <= first - 500 < 1000  # what is left of 1,500 behind the prompts


def test_a_call_without_notes_has_no_conversation() -> None:
    assert conversation([]) == []
    assert conversation([[]]) == []


def test_a_model_has_the_options_of_every_agent() -> None:
    other = model_agent(PydanticAgent(TestModel(), output_type=Finding), name="small")
    agent = model_agent(
        PydanticAgent(TestModel(), output_type=Finding),
        name="large",
        idle=5,
        breaker=False,
        budget=Budget(tokens=100, final_call=0.2),
        resilience=Resilience(attempts=7, idle_seconds=9),
        fallback=other,
    )

    assert agent.resilience == Resilience(
        idle_seconds=5, breaker=False, budget=Budget(tokens=100, final_call=0.2), attempts=7
    )
    assert agent.fallback == (Fallback.agent(other),)
    assert isinstance(agent, CanWrapUp)
    assert agent.can_wrap_up
