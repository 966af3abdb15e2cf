"""Where parameters get their values from, and what is said when there is nowhere."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from echelon import Assignment, Brief, Handoffs, Previous, Workspace
from echelon.agents.binding import bind, bind_inputs
from echelon.agents.call import Call, CallShape
from echelon.agents.handoffs import Received
from echelon.journal.outputs import OutputStore
from echelon.model.errors import InvalidJob
from echelon.model.handoff import Handoff, Missing
from echelon.model.status import Status
from echelon.testing.calls import a_call


class Inputs(BaseModel):
    path: str = "src"
    depth: int = 3


def shape(**changes: Any) -> CallShape:
    return CallShape(**({"inputs_type": Inputs} | changes))


@pytest.fixture
def call(tmp_path: Path) -> Call:
    return a_call("the item", inputs=Inputs(), workspace=tmp_path / "work")


def test_what_is_known_by_its_type_may_have_any_name(call: Call, tmp_path: Path) -> None:
    def agent(told: Brief, asked: Assignment, given: Inputs, room: Workspace, before: Previous[int]) -> None: ...

    arguments = bind(agent, "agent", shape()).arguments(call)

    assert arguments["told"] is call.brief
    assert arguments["asked"] is call.brief.assignment
    assert arguments["given"] is call.inputs
    assert arguments["room"] == tmp_path / "work"
    assert arguments["before"].load() is None


def test_no_folder_is_made_for_who_does_not_ask_for_one(call: Call, tmp_path: Path) -> None:
    def agent(path: str) -> None: ...

    bind(agent, "agent", shape()).arguments(call)

    assert not (tmp_path / "work").exists()


@pytest.mark.parametrize(
    ("takes_item", "expected"),
    [(True, {"path": "the item", "depth": 3}), (False, {"path": "src", "depth": 3})],
)
def test_the_first_parameter_left_over_is_the_item_when_there_is_one(
    call: Call, takes_item: bool, expected: dict[str, Any]
) -> None:
    def agent(path: str, depth: int) -> None: ...

    assert bind(agent, "agent", shape(takes_item=takes_item)).arguments(call) == expected


def test_the_item_comes_behind_what_is_known_by_its_type(call: Call) -> None:
    def agent(brief: Brief, depth: int, item: str) -> None: ...

    with pytest.raises(InvalidJob, match="'item'"):  # `depth` is the first left over
        bind(agent, "agent", shape(takes_item=True))


def test_a_default_stands_where_nothing_else_does(call: Call) -> None:
    def agent(path: str, *, verbose: bool = False, **options: Any) -> None: ...

    assert bind(agent, "agent", shape()).arguments(call) == {"path": "src"}


def several(*paths: str) -> None: ...


def by_place(path: str, /) -> None: ...


@pytest.mark.parametrize("agent", [several, by_place])
def test_a_parameter_that_nothing_can_be_given_to_is_refused(agent: Callable[..., None]) -> None:
    """It was silently empty, or failed when it was called."""
    with pytest.raises(InvalidJob, match="nothing can be given to its parameter"):
        bind(agent, "agent", shape())


def test_a_parameter_without_a_source_is_an_error_that_says_what_there_is() -> None:
    def agent(pth: str) -> None: ...

    with pytest.raises(InvalidJob) as refused:
        bind(agent, "inspect", shape())

    assert "agent 'inspect': nothing gives its parameter 'pth' a value" in str(refused.value)
    assert "(inputs: path, depth)" in str(refused.value)


def handoffs(tmp_path: Path, *task_ids: str) -> Handoffs[int]:
    store = OutputStore(tmp_path.as_posix())
    received = [
        Received[int](
            Handoff(
                task_id=task_id,
                status=Status.COMPLETED,
                summary=f"made {task_id}",
                producer="a",
                assignment_id="x",
                output_location=store.put("run", f"{number:x}", number, "int"),
            ),
            store,
            int,
        )
        for number, task_id in enumerate(task_ids)
    ]
    return Handoffs(received, [Missing(task_id=f"no {task_ids[0]}", producer="a", reason="dark")])


def test_handoffs_named_after_a_phase_are_of_that_phase_and_others_of_all(tmp_path: Path, call: Call) -> None:
    def agent(inspect: Handoffs[int], everything: Handoffs[int]) -> None: ...

    upstream = {"inspect": handoffs(tmp_path, "i1", "i2"), "search": handoffs(tmp_path, "s1")}
    given = Call(**(vars(call) | {"upstream": upstream}))
    arguments = bind(agent, "agent", shape(upstream=("inspect", "search"))).arguments(given)

    assert [one.task_id for one in arguments["inspect"]] == ["i1", "i2"]
    assert [one.task_id for one in arguments["everything"]] == ["i1", "i2", "s1"]
    assert [one.task_id for one in arguments["everything"].missing] == ["no i1", "no s1"]


def test_handoffs_are_read_when_they_are_asked_for(tmp_path: Path) -> None:
    seen = handoffs(tmp_path, "i1", "i2")

    assert (len(seen), seen[1].summary, [one.task_id for one in seen[:1]]) == (2, "made i2", ["i1"])
    assert (seen.outputs(), seen.of("i2"), seen.of("nobody")) == ([0, 1], 1, None)


def test_a_function_that_finds_items_gets_inputs_and_nothing_else() -> None:
    def over(path: str, inputs: Inputs, limit: int = 5, **_rest: Any) -> None: ...
    def asks(brief: Brief) -> None: ...

    inputs = Inputs(path="lib")

    assert bind_inputs(over, "over", Inputs)(inputs) == {"path": "lib", "inputs": inputs}
    with pytest.raises(InvalidJob, match="'brief'"):
        bind_inputs(asks, "asks", Inputs)
