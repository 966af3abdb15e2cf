"""Real scientific workflows for the tests of planning, where their data is there: it lies beside the project."""

import gzip
import json
from functools import cache
from pathlib import Path

from echelon.model.graph import Dependency, TaskGraph, TaskSpec

DATA = Path(__file__).parents[4] / "shared" / "data" / "wfcommons"

ABSENT = "the workflows of WfCommons are not beside the project"


@cache
def suite(name: str = "suite40") -> tuple[TaskGraph, ...] | None:
    """Read `suite40` or `all147`: each graph is called by its path, its tasks t0, t1 … ; None without the data."""
    file = DATA / f"{name}.jsonl.gz"
    if not file.exists():
        return None
    with gzip.open(file, "rt", encoding="utf-8") as lines:
        return tuple(_graph(line) for line in lines)


def raw() -> tuple[Path, ...]:
    """Return the original files in WfFormat, in the order of their names; none without the data."""
    return tuple(sorted((DATA / "raw").glob("*.json")))


def _graph(line: str) -> TaskGraph:
    told = json.loads(line)
    tasks = (
        TaskSpec(
            id=f"t{index}",
            goal=category,
            seconds=seconds,
            depends_on=tuple(Dependency(task=f"t{parent}") for parent in parents),
        )
        for index, (category, seconds, parents) in enumerate(told["tasks"])
    )
    return TaskGraph(name=told["path"], goal=told["path"], tasks=tuple(tasks))
