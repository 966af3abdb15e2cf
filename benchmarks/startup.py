"""How long does it take from a fresh interpreter to the first task: bare Prefect against Echelon's server?

Every point is the median over rounds of whole processes, all kinds taking turns in each round, so that a busy machine
is busy for all of them. Bare Prefect is also given a cache of compiled modules, which Echelon keeps by itself where
Python does not (PYTHONDONTWRITEBYTECODE, read-only installations); the ratio is taken against that better case.

    python benchmarks/startup.py --json --rounds 5
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from echelon.engine.server.kept import LocalServer

BARE = """
import asyncio, time
from prefect import flow, task
@task
async def first():
    print(time.time(), flush=True)
@flow
async def trivial():
    await first()
asyncio.run(trivial())
"""

OURS = """
from echelon.engine.bytecode import use_bytecode_cache
use_bytecode_cache()
import asyncio, sys, time
from pathlib import Path
from echelon.engine.server.handle import resolve_server
with resolve_server(Path(sys.argv[1])) as server:
    from prefect import flow, task
    @task
    async def first():
        print(time.time(), flush=True)
    @flow
    async def trivial():
        await first()
    with server.connected():
        asyncio.run(trivial())
"""

CLAIM = (
    "An embedded start to the first task takes no longer than a bare Prefect flow's, in an old home and in a new one"
)


@dataclass(frozen=True)
class Kind:
    """One way to start, in one state of the machine."""

    name: str
    script: str
    home: str
    new_home: bool = False
    #: Is everything kept between runs thrown away before each one?
    new_machine: bool = False
    #: Is Python told to keep compiled modules?
    compiled: bool = False


KINDS = (
    Kind("bare, old home", BARE, "bare"),
    Kind("bare, new home", BARE, "bare-new", new_home=True),
    Kind("bare, old home, compiled modules kept", BARE, "bare", compiled=True),
    Kind("bare, new home, compiled modules kept", BARE, "bare-new", new_home=True, compiled=True),
    Kind("echelon, old home", OURS, "ours"),
    Kind("echelon, new home", OURS, "ours-new", new_home=True),
    Kind("echelon, new machine", OURS, "ours-new", new_home=True, new_machine=True),
    Kind("echelon, kept server", OURS, "kept"),
)


def environment(kind: Kind, folder: Path) -> dict[str, str]:
    """Return an environment in which nothing of this user's Prefect is seen."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT_")}
    cache = folder / ("new-cache" if kind.new_machine else "cache")
    clean |= {"XDG_CACHE_HOME": str(cache), "PYTHONPATH": str(Path(__file__).parents[1])}
    clean |= {"DO_NOT_TRACK": "1", "PREFECT_SERVER_ANALYTICS_ENABLED": "false"}
    if kind.script is BARE:
        clean["PREFECT_HOME"] = str(folder / kind.home)
    if kind.compiled:
        clean |= {"PYTHONPYCACHEPREFIX": str(folder / "compiled"), "PYTHONDONTWRITEBYTECODE": ""}
    return clean


def seconds_to_first_task(kind: Kind, folder: Path) -> float:
    """Run one fresh interpreter and return the time from its spawn to the body of its first task."""
    if kind.new_home:
        shutil.rmtree(folder / kind.home, ignore_errors=True)
    if kind.new_machine:
        shutil.rmtree(folder / "new-cache", ignore_errors=True)
    started = time.time()
    done = subprocess.run(
        [sys.executable, "-c", kind.script, str(folder / kind.home)],
        env=environment(kind, folder),
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=180,
        check=True,
    )
    return float(done.stdout.split()[-1]) - started


def measure(rounds: int) -> Mapping[str, list[float]]:
    """Take all kinds in turns; a first round that fills the homes and caches does not count."""
    times: dict[str, list[float]] = {kind.name: [] for kind in KINDS}
    with tempfile.TemporaryDirectory(prefix="startup-", ignore_cleanup_errors=True) as name:
        kept = LocalServer(Path(name) / "kept")
        kept.up(port=0)
        try:
            for number in range(rounds + 1):
                for kind in KINDS:
                    seconds = seconds_to_first_task(kind, Path(name))
                    print(f"round {number}: {kind.name}: {seconds:.2f} s", file=sys.stderr)
                    if number:
                        times[kind.name].append(seconds)
        finally:
            kept.down()
    return times


def report(times: Mapping[str, list[float]]) -> dict[str, object]:
    """Return the document that is printed; the ratio is ours to the best bare case, the worse of old and new home."""
    middle = {name: statistics.median(values) for name, values in times.items()}
    points = [
        {"kind": name, "median_seconds": round(middle[name], 2), "best_seconds": round(min(values), 2)}
        for name, values in times.items()
    ]
    ratios = [
        middle[f"echelon, {home} home"] / middle[f"bare, {home} home, compiled modules kept"] for home in ("old", "new")
    ]
    return {"claim": CLAIM, "points": points, "ratio": round(max(ratios), 3)}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3, help="how often each kind is measured")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    arguments = parser.parse_args()
    result = report(measure(arguments.rounds))
    if arguments.json:
        print(json.dumps(result, indent=2))
        return
    print(result["claim"])
    for point in result["points"]:  # type: ignore[attr-defined]
        print(f"  {point['kind']:<40} {point['median_seconds']:>6} s   best {point['best_seconds']:>6} s")
    print(f"  ratio {result['ratio']}")


if __name__ == "__main__":
    main()
