"""What a phase may keep of earlier runs is checked when the job is defined, or at the latest when it is planned."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from echelon import Changes, Handoffs, Job, Repeat, Unchanged, agent, integrator
from echelon.agents.agent import AgentLike
from echelon.definition.expansion import expand
from echelon.model.errors import InvalidJob


class Inputs(BaseModel):
    path: Path = Path()
    since: str = ""


@dataclass(frozen=True)
class Module:
    path: str


class Stated(BaseModel):
    path: str
    sha256: str = "1"


@agent
def read(item: Module) -> str:
    """Read a module"""
    return item.path


@agent
def read_anything(item: Any) -> str:
    """Read it"""
    return str(item)


@agent(effect="write")
def write(item: Module) -> str:
    """Write a module"""
    return item.path


@agent
def survey() -> str:
    """Look around"""
    return ""


def reading(reuse: Any = "unchanged", each: AgentLike = read, found: Any = (Module("a.py"),), **phase: Any) -> Job:
    job = Job("reading", goal="Read", inputs=Inputs)
    job.phase("read", each=each, over=lambda: found, reuse=reuse, **phase)
    return job


def refused(**given: Any) -> str:
    with pytest.raises(InvalidJob) as said:
        reading(**given)
    return str(said.value)


def test_an_item_that_only_names_a_path_is_refused_with_both_ways_out() -> None:
    assert refused() == (
        "phase 'read': reuse=\"unchanged\" cannot tell whether an item of type Module is unchanged: it has no "
        "`digest`, "
        "`sha256` or `version`; give it one of these, or say what stands for everything its agent reads: "
        "reuse=Unchanged(by=function of the item)"
    )


@pytest.mark.parametrize("item", ["a.py", Path("a.py"), Module("a.py"), {"path": "a.py"}, 3])
def test_what_the_type_does_not_say_is_seen_when_the_items_are_known(item: object) -> None:
    job = reading(each=read_anything, found=[item])

    with pytest.raises(InvalidJob, match=r"cannot tell whether item .* is unchanged: it has no `digest`"):
        expand(job, Inputs())


@pytest.mark.parametrize(
    "item", [Stated(path="a"), {"digest": "1"}, {"version": 3}, {"sha256": b"1"}, Stated(path="a", sha256="")]
)
def test_an_item_that_says_what_it_was_made_from_may_be_kept(item: object) -> None:
    assert expand(reading(each=read_anything, found=[item]), Inputs()).calls


def test_a_function_says_it_of_an_item_that_does_not() -> None:
    assert expand(reading(Unchanged(by=lambda item: item.path)), Inputs()).calls


@pytest.mark.parametrize(
    ("by", "said"),
    [
        (lambda item: item.path, "a.py"),
        (lambda item, inputs: f"{item.path}{inputs.since}", "a.pymain"),
        (lambda item, since: item.path + since, "a.pymain"),
        (lambda module: module.path.encode(), b"a.py".hex()),
    ],
)
def test_the_function_gets_the_item_and_the_inputs(by: Any, said: str) -> None:
    reuse = reading(Unchanged(by=by)).phases["read"].reuse
    plain = reading(Unchanged(by=lambda item: said)).phases["read"].reuse

    assert reuse is not None
    assert plain is not None
    assert reuse.state_of(Module("a.py"), Inputs(since="main")) == plain.state_of(Module("b.py"), Inputs())


@pytest.mark.parametrize("said", ["", b"", None])
def test_what_the_function_does_not_know_is_not_known(said: Any) -> None:
    reuse = reading(Unchanged(by=lambda item: said)).phases["read"].reuse

    assert reuse is not None
    assert reuse.state_of(Module("a.py"), Inputs()) == ""


def test_what_is_no_text_stands_for_nothing() -> None:
    reuse = reading(Unchanged(by=lambda item: [item])).phases["read"].reuse  # type: ignore[arg-type, return-value]

    assert reuse is not None
    with pytest.raises(TypeError, match="it returned list; return a text, bytes or a digest"):
        reuse.state_of(Module("a.py"), Inputs())


def test_inputs_that_do_not_matter_change_nothing() -> None:
    reuse = reading(Unchanged(by=lambda item: "1", inputs=("path",))).phases["read"].reuse

    assert reuse is not None
    assert reuse.inputs_digest(Inputs(since="main")) == reuse.inputs_digest(Inputs())
    assert reuse.inputs_digest(Inputs(path=Path("src"))) != reuse.inputs_digest(Inputs())


def inner() -> Job:
    job = Job("inner", goal="Read", inputs=Inputs)
    job.phase("survey", agent=survey)
    return job


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"reuse": "always"}, "reuse='always' is not known; use \"unchanged\" or Unchanged(by=function)"),
        (
            {"reuse": Unchanged(by=lambda item: "1", inputs=("pth",))},
            "reuse names 'pth', which is no input of the job (inputs: path, since)",
        ),
        ({"each": write}, "'write' changes the world outside, which no record of an earlier run stands for"),
        ({"each": inner()}, "'inner' is a job, which keeps what its own phases may keep; give those reuse="),
        ({"repeat": Repeat(until=lambda output: True)}, "work that is repeated until a check passes cannot be kept"),
        ({"replicas": 2}, "work that several may do cannot be kept; leave out reuse=, or replicas= and standby="),
        ({"reuse": Unchanged(by=str)}, "<class 'str'> does not say what its parameters are: put a function around it"),
        ({"reuse": Unchanged(by=lambda item, depth: "1")}, "nothing gives its parameter 'depth' a value"),
    ],
)
def test_what_cannot_be_kept_is_refused(given: dict[str, Any], said: str) -> None:
    assert said in refused(**given)


def test_a_phase_without_items_says_what_its_work_is_made_from_or_receives_it() -> None:
    job = Job("reading", goal="Read", inputs=Inputs)
    with pytest.raises(InvalidJob, match=r"what its work is made from; say it: reuse=Unchanged\(by=function"):
        job.phase("survey", agent=survey, reuse="unchanged")

    job.phase("survey", agent=survey, reuse=Unchanged(by=lambda inputs: inputs.since))
    job.phase("again", agent=survey, needs="survey", reuse="unchanged")


def test_phases_of_a_loop_keep_nothing() -> None:
    job = reading(Unchanged(by=lambda item: "1"))
    with pytest.raises(InvalidJob, match="repeated until a check passes cannot be kept; give phase 'read' no reuse="):
        job.loop(["read"], until=lambda: True)


def test_who_asks_for_changes_where_nothing_is_kept_is_told_so() -> None:
    @integrator
    def tell(found: Handoffs[str], changes: Changes) -> str:
        """Tell"""
        return f"{found}{changes}"

    @agent
    def later(changes: Changes) -> str:
        """Tell"""
        return f"{changes}"

    job = Job("reading", goal="Read", inputs=Inputs)
    with pytest.raises(InvalidJob, match="'tell' asks for Changes, but nothing is kept in the phase: give it reuse="):
        job.phase("read", each=read, over=lambda: [Module("a.py")], integrate=tell)
    job.phase("survey", agent=survey)
    with pytest.raises(InvalidJob, match="'later' asks for Changes, but nothing is kept in what it needs"):
        job.phase("tell", agent=later, needs="survey")
