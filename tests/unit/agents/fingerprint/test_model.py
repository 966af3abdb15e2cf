"""The version of a model agent changes with what the model is told and given, and with nothing else (F8)."""

from collections.abc import Callable
from typing import Any, ClassVar

import pytest
from pydantic_ai import Agent as PydanticAgent
from pydantic_ai import RunContext
from pydantic_ai.models.fallback import FallbackModel
from pydantic_ai.models.test import TestModel

from echelon.agents.call import Call
from echelon.agents.fingerprint.agent import changed_parts, fingerprint_of
from echelon.agents.model import ModelAgent, model_agent


def look_up(word: str) -> str:
    """Look a word up."""
    return word


def look_further(word: str) -> str:
    """Look a word up."""
    return word * 2


def ask(call: Call) -> str:
    return f"Look at {call.item}"


def reviewer(**changed: Any) -> ModelAgent:
    told: dict[str, Any] = {
        "model": TestModel(),
        "instructions": "Review code.",
        "output_type": int,
        "tools": [look_up],
    }
    prompt = changed.pop("prompt", None)
    inner: PydanticAgent[Any, Any] = PydanticAgent(name="review", **(told | changed))
    return model_agent(inner, **({"prompt": prompt} if prompt else {}))


def _told_more(changed: ModelAgent) -> None:
    @changed.model.instructions
    def today(_: RunContext[Any]) -> str:
        return "Today is a good day."


def _validated(changed: ModelAgent) -> None:
    @changed.model.output_validator
    def checked(output: int) -> int:
        return output


@pytest.mark.parametrize(
    ("changed", "part"),
    [
        pytest.param({"instructions": "Review it well."}, "its instructions", id="instructions"),
        pytest.param({"system_prompt": "You are careful."}, "its instructions", id="system-prompt"),
        pytest.param({"model": TestModel(model_name="other")}, "its model", id="model"),
        pytest.param({"model": FallbackModel(TestModel(), TestModel(model_name="b"))}, "its model", id="fallback"),
        pytest.param({"model": "openai:gpt-5", "defer_model_check": True}, "its model", id="model-by-name"),
        pytest.param({"model_settings": {"temperature": 0.0}}, "its settings", id="settings"),
        pytest.param({"model_settings": lambda _: {}}, "its settings", id="settings-by-function"),
        pytest.param({"output_type": str}, "its contract", id="contract"),
        pytest.param({"tools": []}, "its tools", id="no-tools"),
        pytest.param({"tools": [look_further]}, "its tools", id="another-tool"),
        pytest.param({"prompt": ask}, "its prompt", id="prompt"),
    ],
)
def test_whatever_changes_an_answer_changes_the_version_and_is_named(changed: dict[str, Any], part: str) -> None:
    assert changed_parts(fingerprint_of(reviewer()), fingerprint_of(reviewer(**changed))) == (part,)


@pytest.mark.parametrize(
    ("change", "part"),
    [
        pytest.param(_told_more, "its instructions", id="function-that-instructs"),
        pytest.param(_validated, "its contract", id="validator"),
    ],
)
def test_what_is_given_to_a_model_later_counts_too(change: Callable[[ModelAgent], None], part: str) -> None:
    changed = reviewer()
    change(changed)

    assert changed_parts(fingerprint_of(reviewer()), fingerprint_of(changed)) == (part,)


def test_the_same_model_told_the_same_has_the_same_version_whatever_keys_it_is_called_with() -> None:
    keyed = reviewer(model_settings={"extra_headers": {"Authorization": "Bearer secret-key"}, "timeout": 3})
    plain = reviewer(model_settings={})

    assert fingerprint_of(keyed) == fingerprint_of(plain)
    assert fingerprint_of(reviewer()) == fingerprint_of(reviewer())


class _Bare:
    """A library that has none of the names that are looked for."""

    model = "a:b"


class _Toolset:
    """Tools that a server elsewhere holds."""

    id = "elsewhere"


class _Tool:
    """A tool that somebody else executes."""

    description = "Ask a person."


class _Given(_Toolset):
    """Tools whose code is not known."""

    tools: ClassVar = {"ask": _Tool()}


def test_what_the_library_does_not_have_counts_as_nothing() -> None:
    bare: Any = _Bare()
    versions = [fingerprint_of(ModelAgent(model=bare, name="bare", goal="Answer", output_type=int))]
    bare.toolsets, bare.__dict__["_instructions"] = [_Toolset(), _Given()], {"first": "Be brief."}
    versions.append(fingerprint_of(ModelAgent(model=bare, name="again", goal="Answer", output_type=int)))

    assert changed_parts(*versions) == ("its instructions", "its tools")


class _Unhashable(_Bare):
    __hash__ = None  # pyright: ignore[reportAssignmentType] - as one that compares by its values


def test_a_model_that_cannot_be_kept_in_a_cache_has_a_version_too() -> None:
    versions = {
        fingerprint_of(ModelAgent(model=one(), name="n", goal="g", output_type=int)) for one in (_Unhashable, _Bare)
    }  # type: ignore[arg-type]

    assert len(versions) == 1
