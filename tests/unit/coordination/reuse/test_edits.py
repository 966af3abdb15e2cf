"""Whatever is edited between two runs: the incremental run comes to what a full one does, and does no more for it."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from echelon import Handoffs, Job, Unchanged, agent, integrator
from echelon.agents.agent import AgentLike
from echelon.model.run import RunView
from tests.unit.coordination.reuse.words import ASKED, Runs, Seen, Word, handed_on, look, reading, words

pytestmark = pytest.mark.anyio


class SeenTwice(BaseModel):
    """The same under another name, so that it is another contract."""

    text: str


@agent(name="look")
async def look_closer(word: Word) -> Seen:
    """Look at a word"""
    ASKED.append(word.id)
    return Seen(text=f"{word.id}: {word.digest}")


@agent(name="look")
async def look_twice(word: Word) -> SeenTwice:
    """Look at a word"""
    ASKED.append(word.id)
    return SeenTwice(text=f"{word.id}={word.digest}")


@integrator
async def gather(seen: Handoffs[Any]) -> list[Any]:
    """Put together what was seen, whatever it is"""
    ASKED.append("gather")
    return seen.outputs()


#: Who looks: the same agent with other code, and with another contract.
AGENTS: Mapping[str, AgentLike] = {"first": look, "other code": look_closer, "other contract": look_twice}

#: What is done between two runs.
Edit = tuple[str, str, str]
NAMES, STATES = st.sampled_from("abcde"), st.sampled_from("123")
EDITS = st.one_of(
    st.tuples(st.just("set"), NAMES, STATES),
    st.tuples(st.just("remove"), NAMES, st.just("")),
    st.tuples(st.just("rename"), NAMES, NAMES),
    st.tuples(st.just("agent"), st.sampled_from(sorted(AGENTS)), st.just("")),
)


@dataclass(frozen=True)
class Project:
    """What is looked at, and by whom."""

    files: Mapping[str, str] = field(default_factory=dict[str, str])
    who: str = "first"

    def edited(self, edit: Edit) -> "Project":
        what, name, to = edit
        files = dict(self.files)
        if what == "agent":
            return replace(self, who=name)
        if what == "set":
            files[name] = to
        elif name in files:
            state = files.pop(name)
            files |= {to: state} if what == "rename" else {}
        return replace(self, files=files)

    @property
    def job(self) -> Job:
        return reading(Unchanged(inputs=()), each=AGENTS[self.who], integrate=gather)


@settings(max_examples=5, deadline=None)
@given(st.lists(st.lists(EDITS, min_size=0, max_size=3), min_size=1, max_size=3))
async def test_an_incremental_run_comes_to_the_same_and_does_what_is_affected(steps: list[list[Edit]]) -> None:
    project, known = Project({"a": "1", "b": "1"}), set[object]()
    with TemporaryDirectory() as folder:
        incremental = Runs(Path(folder) / "incremental")
        for edits in [[], *steps]:
            for edit in edits:
                project = project.edited(edit)
            # A file under another name is another item: what was found in it names it.
            work = {(project.who, name, state): name for name, state in project.files.items()}
            affected = [name for done, name in work.items() if done not in known]

            done, view = await incremental.run(project.job, words(**project.files))

            assert [name for name in done if name != "gather"] == sorted(affected)
            kept = {name for name in project.files if handed_on(view)[f"look/{name}"].kept_from}
            assert kept == set(project.files) - {*affected}
            known |= set(work)
        _, full = await Runs(Path(folder) / "full").run(project.job, words(**project.files))
    assert view.output == full.output
    assert view.record.status == full.record.status
    assert outputs(view) == outputs(full)


def outputs(view: RunView) -> dict[str, str | None]:
    """Return the digest of what each task and integration handed on."""
    found = handed_on(view)
    return {task: one.output_location and one.output_location.sha256 for task, one in found.items()}
