"""How far forecasts are off: real workflows rehearsed on the real engine, at the concurrency they were forecast for.

    python benchmarks/rehearsal.py [--json] [--data FILE] [--graphs NAME …] [--max-concurrency 16] [--seconds 15]

Each graph is planned, its seconds are scaled so that the forecast is about `--seconds`, and it is run with simulated
agents on an embedded Prefect server. Measured is the time from the first agent's start to the end of the last step.
The ratio is the worst of measured / forecast.
"""

import argparse
import asyncio
import gzip
import json
import tempfile
from os import environ
from pathlib import Path
from typing import Any

from echelon.definition.rehearsal import Rehearsal, RehearsalJob
from echelon.engine.run import run_job
from echelon.model.graph import CapacityLimit, Dependency, TaskGraph, TaskSpec
from echelon.planning.planner import plan

CLAIM = "The makespan of a rehearsal is within 15 % of its forecast at the same concurrency"

#: WfCommons instances, one graph a line.
DATA = Path(__file__).resolve().parents[2] / "shared" / "data" / "wfcommons" / "suite40.jsonl.gz"

GRAPHS = ("airrflow-dirt02-001", "bwa-chameleon-medium-005", "montage-chameleon-2mass-02d-001")


def read_graphs(data: Path, names: list[str]) -> list[TaskGraph]:
    """Return the graphs of those names (or parts of names) in a file of WfCommons instances."""
    if not data.exists():
        raise SystemExit(f"there is no {data}; give the file of graphs with --data")
    with gzip.open(data, "rt", encoding="utf-8") as lines:
        found = [json.loads(line) for line in lines]
    chosen = [next((one for one in found if name in one["path"]), None) for name in names]
    if None in chosen:
        known = ", ".join(Path(one["path"]).stem for one in found)
        raise SystemExit(f"no graph is called {names[chosen.index(None)]!r}; there are: {known}")
    return [_graph(one) for one in chosen if one]


def _graph(line: dict[str, Any]) -> TaskGraph:
    tasks = tuple(
        TaskSpec(id=f"t{i}", goal=name, seconds=seconds, depends_on=tuple(Dependency(task=f"t{p}") for p in parents))
        for i, (name, seconds, parents) in enumerate(line["tasks"])
    )
    return TaskGraph(name=Path(line["path"]).stem, goal="Rehearse", tasks=tasks)


def rehearse(graph: TaskGraph, width: int, seconds: float) -> dict[str, Any]:
    """Rehearse one graph; returns forecast, measured, and their ratio."""
    made = plan(graph, limits=[CapacityLimit(at_once=width)])
    makespan = made.makespan
    assert makespan.predicted is not None
    scale = seconds / (makespan.predicted - (makespan.coordination or 0.0))
    job = RehearsalJob.of(made, Rehearsal(scale=scale))
    result = asyncio.run(run_job(job, Rehearsal(scale=scale)))
    forecast, measured = job.plan.makespan.predicted, result.measures.makespan_seconds
    assert forecast is not None
    assert measured is not None
    return {
        "graph": graph.name,
        "tasks": len(graph.tasks),
        "agents": made.n_agents,
        "phases": len(made.phases),
        "max_concurrency": width,
        "scale": round(scale, 5),
        "forecast_seconds": round(forecast, 2),
        "measured_seconds": round(measured, 2),
        "ratio": round(measured / forecast, 3),
    }


def main() -> None:
    """Rehearse the graphs and print the table, or JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--graphs", nargs="+", default=list(GRAPHS))
    parser.add_argument("--max-concurrency", type=int, default=16)
    parser.add_argument("--seconds", type=float, default=15.0)
    options = parser.parse_args()
    graphs = read_graphs(options.data, options.graphs)
    with tempfile.TemporaryDirectory() as folder:
        environ["ECHELON_HOME"] = folder
        points = [rehearse(graph, options.max_concurrency, options.seconds) for graph in graphs]
    worst = max((point["ratio"] for point in points), key=lambda ratio: abs(ratio - 1))
    if options.json:
        print(json.dumps({"claim": CLAIM, "points": points, "ratio": worst}))
        return
    print(CLAIM)
    for point in points:
        print("  ".join(f"{name} {value}" for name, value in point.items()))
    print(f"worst ratio {worst}")


if __name__ == "__main__":
    main()
