"""What a task says about the agent that does it."""

from typing import Any

import pytest
from openai import AsyncOpenAI
from pydantic import BaseModel
from pydantic_ai import Agent as PydanticAgent
from pydantic_ai.models import Model
from pydantic_ai.models.fallback import FallbackModel
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.models.test import TestModel
from pydantic_ai.models.wrapper import WrapperModel
from pydantic_ai.providers.openai import OpenAIProvider

from echelon import agent, command
from echelon.agents.model import model_agent
from echelon.contract.version import contract_name
from echelon.definition.facts import facts_of
from echelon.model.errors import InvalidJob
from echelon.model.graph import TaskSpec
from echelon.model.policy import DEFAULT_RESILIENCE, Resilience


class Finding(BaseModel):
    path: str


@agent
async def look() -> Finding:
    """Look at it."""
    return Finding(path="a.py")


class Stubborn(OpenAIChatModel):
    """A model of a provider that passes no `max_retries` on, as some do."""

    unsupported_settings = OpenAIChatModel.unsupported_settings | {"max_retries"}


def asked(kind: type[OpenAIChatModel], retries: int) -> Model:
    client = AsyncOpenAI(base_url="http://localhost:9", api_key="none", max_retries=retries)
    return kind("gpt-5", provider=OpenAIProvider(openai_client=client))


def of_model(model: Model | str | None, **options: Any) -> PydanticAgent[Any, Any]:
    return PydanticAgent(model, output_type=Finding, name="m", defer_model_check=True, **options)


def test_a_function_has_a_contract_and_no_model() -> None:
    facts = facts_of(look, DEFAULT_RESILIENCE)

    assert (facts.contract, facts.model, facts.attempts) == (contract_name(Finding), None, (3,))
    assert facts.contract is not None
    assert facts.contract.startswith("Finding@")


def test_facts_are_called_as_a_task_calls_them() -> None:
    task = TaskSpec(id="a", goal="look", **facts_of(look, Resilience(attempts=2))._asdict())

    assert task.attempts == (2,)


def test_what_may_be_anything_keeps_no_contract() -> None:
    assert facts_of(command(["true"], parse="json"), DEFAULT_RESILIENCE).contract is None


def test_a_type_without_a_schema_is_no_contract() -> None:
    class Handle: ...

    @agent
    async def hold() -> Handle:
        return Handle()

    with pytest.raises(InvalidJob, match="agent 'hold': its output type cannot be a contract"):
        facts_of(hold, DEFAULT_RESILIENCE)


@pytest.mark.parametrize(
    ("model", "name"),
    [
        ("openai:gpt-5", "gpt-5"),
        ("test", "test"),
        (None, None),
        (asked(OpenAIChatModel, 2), "gpt-5"),
        (FallbackModel(asked(OpenAIChatModel, 2), TestModel()), "fallback:gpt-5,test"),
    ],
    ids=["by name", "without a provider", "none yet", "a model", "a fallback"],
)
def test_a_model_is_called_the_same_wherever_it_is_asked(model: Model | str | None, name: str | None) -> None:
    assert facts_of(model_agent(of_model(model)), DEFAULT_RESILIENCE).model == name


@pytest.mark.parametrize(
    ("model", "layers"),
    [
        (asked(OpenAIChatModel, 2), (3,)),  # told to make none
        (asked(Stubborn, 2), (3, 3)),
        (asked(Stubborn, 0), (3,)),
        (WrapperModel(asked(Stubborn, 1)), (3, 2)),
        (FallbackModel(TestModel(), asked(Stubborn, 4), asked(Stubborn, 1)), (3, 5)),
        (TestModel(), (3,)),
    ],
    ids=["obeys", "does not obey", "has none", "wrapped", "a fallback", "no client"],
)
def test_f3_retries_of_a_client_are_a_layer_where_they_cannot_be_switched_off(
    model: Model, layers: tuple[int, ...]
) -> None:
    assert facts_of(model_agent(of_model(model)), DEFAULT_RESILIENCE).attempts == layers


def test_f3_corrections_of_an_answer_are_no_layer() -> None:
    assert facts_of(model_agent(of_model(TestModel(), retries=5)), DEFAULT_RESILIENCE).attempts == (3,)
