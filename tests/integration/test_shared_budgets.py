"""Thirty models share a budget: what runs side by side stays within it, and nothing is refused that would fit (F4)."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel
from pydantic_ai import Agent as PydanticAgent
from pydantic_ai.messages import ModelMessage, ModelResponse, TextPart
from pydantic_ai.models.function import AgentInfo, FunctionModel
from pydantic_ai.usage import RequestUsage

from echelon import Job, Resilience, model_agent
from echelon.coordination.job_run import run_phases
from echelon.model.policy import BulkheadPolicy
from echelon.model.run import StepKind
from echelon.model.usage import Budget, Price
from echelon.testing.runs import a_run

pytestmark = pytest.mark.anyio

MODELS = 30
#: What each request has, unless its provider is told that the answer must be shorter.
READ, WRITTEN = 300, 800
EACH = READ + WRITTEN


class Items(BaseModel):
    """Inputs of the job."""

    numbers: tuple[int, ...] = tuple(range(10, 10 + MODELS))


def items(inputs: Items) -> list[int]:
    """Find the items."""
    return list(inputs.numbers)


class Provider:
    """Answers as a provider does: an answer that reaches the limit it was given ends there."""

    def __init__(self, written: int = WRITTEN) -> None:
        self.limits = list[int | None]()
        self.at_work = self.most_at_work = 0
        self._written = written

    async def __call__(self, messages: list[ModelMessage], info: AgentInfo) -> ModelResponse:
        limit = (info.model_settings or {}).get("max_tokens")
        self.limits.append(limit)
        self.at_work += 1
        self.most_at_work = max(self.most_at_work, self.at_work)
        await asyncio.sleep(0.001)
        self.at_work -= 1
        written = self._written if limit is None else min(limit, self._written)
        return ModelResponse(
            parts=[TextPart("found")],
            usage=RequestUsage(input_tokens=READ, output_tokens=written),
            finish_reason="stop" if written == self._written else "length",
        )


async def used_by(
    provider: Provider, home: Path, budget: Budget, *, at_once: int, tokens: int | None = None, **settings: Any
) -> tuple[int, Any, list[str]]:
    """Run the models; return how many delivered, what the job used, and what was said of the others."""
    model = PydanticAgent(FunctionModel(provider, model_name="local"), name="look", model_settings=settings or None)
    defaults = Resilience(attempts=1, provider=f"local-{at_once}", bulkhead=BulkheadPolicy(max_concurrency=at_once))
    prices = {"local": Price(input=1, output=4)}
    job = Job("sharing", goal="See everything", inputs=Items, budget=budget, defaults=defaults, prices=prices)
    job.phase("look", each=model_agent(model, voice=False), over=items, tokens=tokens)
    async with a_run(job, home, Items()) as run:
        await run_phases(run)
    handoffs = [step.handoff for step in run.log.state.steps if step.kind is StepKind.TASK]
    told = [handoff.error.message for handoff in handoffs if handoff.error]
    return sum(handoff.done for handoff in handoffs), run.guarding.account.used, told


@pytest.mark.parametrize("at_once", [1, MODELS])
@pytest.mark.parametrize(
    ("budget", "done"),
    [
        (Budget(), MODELS),
        (Budget(tokens=100_000), MODELS),
        (Budget(tokens=MODELS * EACH), MODELS),
        (Budget(tokens=10 * EACH), 10),
        (Budget(calls=MODELS), MODELS),
        (Budget(calls=10), 10),
        (Budget(cost=1.0), MODELS),
        (Budget(cost=10 * (READ + 4 * WRITTEN) / 1e6), 10),
    ],
    ids=str,
)
async def test_a_budget_is_used_to_its_end_and_not_passed(
    tmp_path: Path, at_once: int, budget: Budget, done: int
) -> None:
    provider = Provider()

    delivered, used, told = await used_by(provider, tmp_path, budget, at_once=at_once)

    assert delivered == done
    assert used.tokens == done * EACH
    assert len(provider.limits) == done
    assert len(told) == MODELS - done
    assert all("spent" in reason and "reserved for calls under way" in reason for reason in told)
    assert provider.most_at_work <= at_once


async def test_an_estimate_of_the_whole_task_refuses_nothing_that_fits(tmp_path: Path) -> None:
    """50,000 tokens are stated for each of thirty tasks, and the budget is two of those."""
    delivered, used, _ = await used_by(Provider(), tmp_path, Budget(tokens=100_000), at_once=MODELS, tokens=50_000)

    assert (delivered, used.tokens) == (MODELS, MODELS * EACH)


async def test_the_limit_that_an_agent_states_is_sent_and_reserved(tmp_path: Path) -> None:
    provider = Provider()

    delivered, used, _ = await used_by(provider, tmp_path, Budget(tokens=5 * 1400), at_once=MODELS, max_tokens=1_000)

    assert delivered == 6  # 6 x 1,100 are 6,600 of 7,000
    assert used.tokens <= 5 * 1400
    assert all(limit is not None and limit <= 1_000 for limit in provider.limits)
    assert provider.limits[0] == 1_000


async def test_without_a_budget_of_tokens_no_limit_is_sent(tmp_path: Path) -> None:
    provider = Provider()

    await used_by(provider, tmp_path, Budget(calls=MODELS), at_once=MODELS)

    assert set(provider.limits) == {None}


async def test_the_first_request_of_a_model_that_states_no_limit_may_have_all_of_a_small_budget(tmp_path: Path) -> None:
    """Many that are cut off by a limit that was guessed would use the budget up, and deliver nothing."""
    provider = Provider(written=10_000)

    delivered, used, told = await used_by(provider, tmp_path, Budget(tokens=100_000), at_once=MODELS)

    assert delivered == 9  # 10,250 each
    assert used.tokens <= 100_000
    assert provider.limits[0] is None  # more is left than any answer has
    assert len(told) == MODELS - delivered


async def test_an_answer_that_a_limit_of_ours_cut_off_is_asked_for_again_with_all_that_is_left(tmp_path: Path) -> None:
    provider = Provider(written=10_000)

    delivered, used, told = await used_by(provider, tmp_path, Budget(tokens=1_000_000), at_once=MODELS)

    assert (delivered, told) == (MODELS, [])
    assert provider.limits[0] == 8_192
    assert used.tokens <= 1_000_000
