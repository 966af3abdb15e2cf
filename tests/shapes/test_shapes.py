"""The six shapes in which people run agents again and again: 100 items and more, real programs, a model over real HTTP.

Each is run twice: undisturbed, and killed with no warning in the middle and resumed by another process. One item comes
to nothing in both. Both end the same, and what was done before the kill is not done again (X12, F7, F8).
"""

import signal
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from echelon import RunView
from echelon.model.run import StepKind
from tests.shapes import worlds
from tests.shapes.places import Place
from tests.shapes.provider import Provider

NOT_ANSWERED = "'message': 'this is not answered'"


@dataclass(frozen=True, kw_only=True)
class Shape:
    """A job of a user, what it works on, and what comes of it."""

    name: str
    job: str
    world: Callable[[Path], None]
    params: tuple[str, ...]
    killed_at: str
    """A point in the middle of the work."""
    launched: int
    """Steps: tasks, checks and integrations."""
    lost: tuple[str, str]
    """The task that comes to nothing, and a part of the reason."""
    output: Callable[[Any], object] = lambda output: output
    """What of the output is looked at."""
    expected: object
    calls: dict[str, int]
    """How often each program and each role of the model is called."""
    repeats: bool = False
    """Is work done again until a check passes?"""


SHAPES = (
    Shape(
        name="audit",
        job="audit",
        world=worlds.code_to_audit,
        params=("path=code",),
        killed_at="step.recorded:60",
        launched=102 + 25,
        lost=("lint/core/m07.py", "Expected a parameter"),
        expected={
            "files": 101,
            "findings": {"E402": 33, "F401": 33, "E722": 21},  # every third of 102 but the lost one; every fifth
            "unknown": ["lint/core/m07.py"],
        },
        calls={"ruff": 102},
    ),
    Shape(
        name="mend",
        job="mend",
        world=worlds.code_to_mend,
        params=("path=code",),
        killed_at="step.recorded:280",
        launched=2 * 102 + 1,
        lost=("fix/core/m07.py", "after 3 rounds, and the check finds the same again and again: E711"),
        output=lambda report: (report["mended"], list(report["left"])),
        expected=(101, ["fix/core/m07.py"]),
        calls={"perl": 206, "ruff": 206},  # 34 each of one, two and three rounds; the lost one has three instead of one
        repeats=True,
    ),
    Shape(
        name="migrate",
        job="migration",
        world=worlds.code_to_migrate,
        params=("old=code", "new=out"),
        killed_at="step.recorded:160",
        launched=2 * 102 + 1,
        lost=("migrate/core/m07.py", "Undefined name `Union`"),
        output=lambda migrated: (migrated["files"], list(migrated["by_hand"])),
        expected=(101, ["migrate/core/m07.py"]),
        calls={"ruff": 102},
        repeats=True,
    ),
    Shape(
        name="review",
        job="review",
        world=worlds.branch_to_review,
        params=("repository=code",),
        killed_at="step.recorded:60",
        launched=1 + 1 + 102 + 26,
        lost=("review/core/m07.py", NOT_ANSWERED),
        expected={"files": 101, "risky": ["api/m00.py", "core/m13.py", "store/m09.py", "web/m05.py"]},
        calls={"git": 1, "reviewer": 102, "editor": 26},
    ),
    Shape(
        name="research",
        job="research",
        world=worlds.sources_to_read,
        params=("path=library",),
        killed_at="step.recorded:107",
        launched=104 + 1 + 8 + 1,
        lost=("read/s007.md", NOT_ANSWERED),
        output=lambda report: [note.partition(",")[0] for note in report.split("; ")],
        expected=[
            *("cost: 26 claims", "delay: 26 claims", "heat: 26 claims", "noise: 26 claims", "price: 26 claims"),
            *("scale: 25 claims", "trust: 26 claims", "wear: 25 claims", "1 missing"),
        ],
        calls={"reader": 104, "writer": 8, "editor": 1},
    ),
    Shape(
        name="search",
        job="search",
        world=worlds.topics_to_search,
        params=("file=topics.txt",),
        killed_at="step.recorded:560",
        launched=2 * 100 + 1,
        lost=("search/endless", "after 8 rounds, and that is as often as it may be done: 16 are known"),
        output=lambda found: (len(found["titles"]), found["rounds"], list(found["not_exhausted"])),
        expected=(2 * 99, 3 * 99, ["search/endless"]),
        calls={"searcher": 3 * 99 + 8},
        repeats=True,
    ),
)


def done_in(view: RunView, shape: Shape) -> set[str]:
    """Return the items whose work is on record as done; what is repeated is done when its check has passed."""
    tasks = [step.handoff for step in view.steps if step.kind is StepKind.TASK and step.handoff.done]
    return {one.task_id.partition("/")[2] for one in tasks if one.stopped_by or not shape.repeats}


def item(call: str) -> str:
    """Return which item a call is about: its last word, a file without the folder that all are in."""
    return call.rpartition(" ")[2].removeprefix("code/").removeprefix("out/")


def of_items(items: set[str], calls: Iterable[str]) -> Counter[str]:
    return Counter(call for call in calls if item(call) in items)


def place_for(folder: Path, shape: Shape) -> Place:
    place = Place(folder)
    place.furnish(shape.name)
    shape.world(place.project)
    return place


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.name)
def test_a_run_that_is_killed_and_resumed_ends_as_one_that_was_not(tmp_path: Path, shape: Shape) -> None:
    undisturbed, killed = place_for(tmp_path / "undisturbed", shape), place_for(tmp_path / "killed", shape)
    run = ["run", f"flows/{shape.name}.py:{shape.job}", *(word for one in shape.params for word in ("--param", one))]

    with Provider() as provider:
        whole = undisturbed.document(run, OPENAI_BASE_URL=provider.url)
        calls = undisturbed.calls() + provider.calls()
    assert shape.output(whole["output"]) == shape.expected
    assert (whole["status"], whole["launched"], whole["returned"]) == ("partial", shape.launched, shape.launched - 1)
    [lost] = whole["missing"]
    assert (lost["task_id"], shape.lost[1] in lost["reason"]) == (shape.lost[0], True), lost
    assert Counter(call.split()[0] for call in calls) == shape.calls

    with Provider() as provider:
        ended = killed.echelon(*run, OPENAI_BASE_URL=provider.url, ECHELON_FAILPOINT_AT=shape.killed_at)
        assert ended.returncode == -signal.SIGKILL, ended.stderr
        view, files = killed.view(), killed.files()
        resumed = killed.document(["resume", view.record.run_id], OPENAI_BASE_URL=provider.url)
        all_calls = killed.calls() + provider.calls()
    same = ("status", "output", "launched", "returned", "missing")
    assert {name: resumed[name] for name in same} == {name: whole[name] for name in same}
    done = done_in(view, shape)
    assert 20 < len(done) < len(done_in(undisturbed.view(), shape))
    assert of_items(done, all_calls) == of_items(done, calls)
    assert {name: text for name, (text, _) in killed.files().items()} == {
        name: text for name, (text, _) in undisturbed.files().items()
    }
    assert {name: one for name, one in killed.files().items() if item(name) in done} == {
        name: one for name, one in files.items() if item(name) in done
    }
