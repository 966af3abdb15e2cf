"""How many handoffs between teams does clustering leave on real workflows, against chunks and Mt-KaHyPar?

A handoff is counted for every producer and every other team that uses it. The data are lines of JSON, each a workflow
with `path`, `n` and `tasks`, which are lists of category, seconds and the indexes of their producers.

    python benchmarks/partition.py --data FOLDER --large --json
"""

import argparse
import gzip
import json
import resource
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from importlib.util import find_spec
from multiprocessing import get_context
from pathlib import Path
from typing import Any, NamedTuple

sys.path.insert(0, str(Path(__file__).parents[1]))

from echelon.planning.partition.large import divide_large
from echelon.planning.partition.nets import nets_between
from echelon.planning.partition.partition import (
    depth_first_chunks,
    fit,
    handoffs_between,
    partition,
    topological_chunks,
)
from echelon.planning.partition.tiers import arrange

SPANS = (8, 5, 12)
REFERENCE = 13_987  # handoffs at span 8: a plain agglomeration with local search
CLAIM = f"teams of 8 found by clustering the 40 workflows make at most {REFERENCE:,} handoffs, never more than chunks"
SUITE, UNION = "suite40.jsonl.gz", "all147.jsonl.gz"
HEAD = ("tasks", "edges", "topological", "depth_first", "ours", "mtkahypar", "seconds")
LIBRARY = "mtkahypar"

Links = list[list[int]]


class Workflow(NamedTuple):
    """A real task graph."""

    name: str
    """Its file."""
    consumers: Links
    """The indexes of the tasks that use each task."""


def read(path: Path) -> Iterator[Workflow]:
    """Yield the workflows of a file."""
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            graph = json.loads(line)
            consumers: Links = [[] for _ in range(graph["n"])]
            for index, (_, _, producers) in enumerate(graph["tasks"]):
                for producer in dict.fromkeys(producers):
                    consumers[producer].append(index)
            yield Workflow(Path(graph["path"]).stem, consumers)


def ours(consumers: Links, span: int) -> list[int]:
    """Return the team of each task."""
    teams = {task: number for number, team in enumerate(partition(consumers, span)) for task in team}
    return [teams[task] for task in range(len(consumers))]


def theirs(consumers: Links, span: int) -> list[int] | None:
    """Return the part of each task that Mt-KaHyPar finds, brought within the limits; None when it is not installed."""
    nets, parts = nets_between(consumers), -(-len(consumers) // span)
    if find_spec(LIBRARY) is None:
        return None
    if parts < 2:  # it refuses to divide into one
        return [0] * len(consumers)
    found = divide_large(nets, len(consumers), parts, span)
    return found and fit(nets, found, span, parts)


def measured(workflow: Workflow, span: int) -> dict[str, Any]:
    """Return one line of the table."""
    consumers = workflow.consumers
    began = time.perf_counter()
    found = ours(consumers, span)
    seconds = time.perf_counter() - began
    methods: dict[str, Callable[[Links, int], Sequence[int] | None]] = {
        "topological": topological_chunks,
        "depth_first": depth_first_chunks,
        "ours": lambda *_: found,
        LIBRARY: theirs,
    }
    made = {name: method(consumers, span) for name, method in methods.items()}
    return {
        "workflow": workflow.name,
        "span": span,
        "tasks": len(consumers),
        "edges": sum(map(len, consumers)),
        **{name: None if of is None else handoffs_between(consumers, of) for name, of in made.items()},
        "seconds": round(seconds, 3),
    }


def total(points: Sequence[dict[str, Any]], span: int) -> dict[str, Any]:
    """Return the sums of the lines of one span."""
    lines = [point for point in points if point["span"] == span]
    sums = {
        name: None if any(line[name] is None for line in lines) else round(sum(line[name] for line in lines), 3)
        for name in HEAD
    }
    worse = sum(line["ours"] > line["topological"] for line in lines)
    return {"workflow": "total", "span": span, **sums, "worse_than_topological": worse}


def union(path: str, library: bool) -> dict[str, Any]:
    """Arrange all workflows as one graph; to be run in a process of its own, whose peak memory is measured."""
    if not library:
        sys.modules[LIBRARY] = None  # type: ignore[assignment] # an import of it fails, as if it were not installed
    consumers: Links = []
    for workflow in read(Path(path)):
        first = len(consumers)
        consumers += [[first + consumer for consumer in used_by] for used_by in workflow.consumers]
    began = time.perf_counter()
    arranged = arrange(consumers, SPANS[0])
    seconds = time.perf_counter() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {
        "workflow": f"union of all, {'with ' + LIBRARY if library else 'pure Python'}",
        "tasks": len(arranged.order),
        "seconds": round(seconds, 2),
        "peak_megabytes": round(peak),
    }


def unions(path: Path) -> list[dict[str, Any]]:
    """Measure the large graph without the library, and with it where it is installed."""
    variants = (False, True) if find_spec(LIBRARY) else (False,)
    found: list[dict[str, Any]] = []
    for library in variants:
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as process:
            found.append(process.submit(union, str(path), library).result())
    return found


def measure(data: Path, *, large: bool) -> dict[str, Any]:
    """Measure all workflows and spans; `ratio` is ours at span 8 divided by the reference."""
    suite = list(read(data / SUITE))
    points = [measured(workflow, span) for span in SPANS for workflow in suite]
    totals = [total(points, span) for span in SPANS]
    extra = unions(data / UNION) if large else []
    ratio = round(totals[0]["ours"] / REFERENCE, 3)
    return {"claim": CLAIM, "points": [*points, *totals, *extra], "ratio": ratio}


def shown(point: dict[str, Any]) -> str:
    """Return a point as one line of the table."""
    if "peak_megabytes" in point:
        return (
            f"{point['workflow']}: {point['tasks']:,} tasks in {point['seconds']} s, peak {point['peak_megabytes']} MB"
        )
    cells = "".join(f"{'-' if point[name] is None else format(point[name], ','):>13}" for name in HEAD)
    return f"{point['span']:>4}  {point['workflow'][:46]:<46}{cells}"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=CLAIM)
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    parser.add_argument("--large", action="store_true", help="measure the union of all workflows as well")
    beside = Path(__file__).parents[2] / "shared" / "data" / "wfcommons"
    parser.add_argument("--data", type=Path, default=beside, help=f"folder with {SUITE} and {UNION}")
    options = parser.parse_args()
    missing = [name for name in (SUITE, UNION)[: 1 + options.large] if not (options.data / name).is_file()]
    if missing:
        parser.error(f"no {' and no '.join(missing)} in {options.data}; name the folder that has them with --data DIR")
    result = measure(options.data, large=options.large)
    if options.json:
        print(json.dumps(result))
        return
    print(f"span  {'workflow':<46}" + "".join(f"{name:>13}" for name in HEAD))
    for point in result["points"]:
        print(shown(point))
    print(f"ours / reference: {result['ratio']} ({'holds' if result['ratio'] <= 1 else 'does not hold'}: {CLAIM})")


if __name__ == "__main__":
    main()
