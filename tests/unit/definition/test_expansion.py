"""From a job and its inputs to one task a call."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from echelon import Job, agent, command
from echelon.definition.expansion import expand
from echelon.model.errors import EchelonError, InvalidInput, InvalidJob


class Inputs(BaseModel):
    names: tuple[str, ...] = ("a", "b")


@dataclass(frozen=True)
class Module:
    """A plain value: items need not be pydantic models."""

    name: str
    folder: Path = Path()


@agent(effect="irreversible")
async def look(item: Any) -> int:
    """Look at it."""
    return 1


@agent
async def rank() -> int:
    """Rank all."""
    return 1


def job(**phase: Any) -> Job:
    made = Job("survey", goal="Look around", inputs=Inputs, constraints=["be quick"])
    made.phase("look", **({"each": look, "over": lambda names: names} | phase))
    return made


def test_there_is_one_task_a_call_with_what_is_known_of_it() -> None:
    made = job(over=lambda names: [Module(name) for name in names], seconds=3.0, tokens=5)
    made.phase("rank", agents=[rank, command(["true"], name="count")], needs="look")
    expansion = expand(made, Inputs())

    assert list(expansion.calls) == ["look/a", "look/b", "rank/rank", "rank/count"]
    task = expansion.graph.tasks[0]
    assert (task.goal, task.phase, task.capability) == ("Look at it.", "look", "look")
    assert (task.seconds, task.tokens, task.irreversible) == (3.0, 5, True)
    assert expansion.graph.tasks[2].needs == ("look",)
    assert expansion.graph.constraints == ("be quick",)


def test_beside_domains_a_phase_without_any_is_one() -> None:
    made = job(domain=lambda name: f"d.{name}")
    made.phase("rank", agent=rank)

    assert [task.domain for task in expand(made, Inputs()).graph.tasks] == ["d.a", "d.b", "rank"]
    assert [task.domain for task in expand(job(), Inputs()).graph.tasks] == [None, None]


def _raise(error: Exception) -> Callable[..., Any]:
    def raising(**_anything: Any) -> Any:
        raise error

    return raising


@pytest.mark.parametrize(
    ("phase", "complaint"),
    [
        ({"over": lambda names: [names[0], names[0]]}, "two items have the key 'look/a'"),
        ({"over": lambda names: 7}, "phase 'look': finding its items failed: TypeError"),
        ({"over": _raise(OSError("no disk"))}, "finding its items failed: OSError: no disk"),
        ({"key": lambda item: item.path}, "phase 'look': the key of 'a' failed: AttributeError"),
        ({"domain": lambda item: {}[item]}, "phase 'look': the domain of 'a' failed: KeyError"),
        ({"over": lambda names: [Inputs.model_validate({"names": 3})]}, "ValidationError: Inputs: names: Input should"),
        ({"domain": lambda item: 7}, "task 'look/a' cannot be planned"),
        ({"over": lambda names: ["\udcff"]}, "cannot be planned"),
        ({"over": lambda names: [object()], "key": lambda item: "it"}, "phase 'look': item 'it': the value cannot be"),
    ],
)
def test_what_goes_wrong_while_items_are_found_says_where(phase: dict[str, Any], complaint: str) -> None:
    with pytest.raises(InvalidJob) as refused:
        expand(job(**phase), Inputs())

    assert complaint in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("error", [InvalidInput("there is no folder 'x'"), InvalidJob("no")])
def test_an_error_that_explains_itself_is_passed_on(error: EchelonError) -> None:
    with pytest.raises(type(error)) as raised:
        expand(job(over=_raise(error)), Inputs())

    assert raised.value is error
