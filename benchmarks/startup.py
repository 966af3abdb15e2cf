"""How long does it take from a fresh interpreter to the first task: bare Prefect against Echelon's server and jobs?

Every point is the median over rounds of whole processes, all kinds taking turns in each round, so that a busy machine
is busy for all of them. Bare Prefect is also given a cache of compiled modules, which Echelon keeps by itself where
Python does not (PYTHONDONTWRITEBYTECODE, read-only installations); the ratio is taken against that better case.

`echelon server` is Echelon's server with a flow written by hand; `echelon job` is all that people wait for: `echelon
run` of a file with a tiny job, from the start of the process to the first line of its agent's body. A round goes on
when what a run left behind has come to rest.

    python benchmarks/startup.py --json --rounds 5
"""

import argparse
import json
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))  # a script finds what it shares with others

from benchmarks.metering import Family, until_idle
from benchmarks.sides import clean_environment, kept_server

BARE = """
import asyncio, os, time
from prefect import flow, task
@task
async def first():
    open(os.environ["STARTUP_TOLD"], "w").write(str(time.time()))
@flow
async def trivial():
    await first()
asyncio.run(trivial())
"""

OURS = """
from echelon.engine.bytecode import use_bytecode_cache
use_bytecode_cache()
import asyncio, os, sys, time
from pathlib import Path
from echelon.engine.server.handle import resolve_server
with resolve_server(Path(sys.argv[1])) as server:
    from prefect import flow, task
    @task
    async def first():
        open(os.environ["STARTUP_TOLD"], "w").write(str(time.time()))
    @flow
    async def trivial():
        await first()
    with server.connected():
        asyncio.run(trivial())
"""

#: Where the first task writes down when it began; what a command prints is its own affair.
TOLD = "STARTUP_TOLD"

JOB = f"""
import os, time
from pathlib import Path
from echelon import Job, agent
@agent
def first() -> str:
    Path(os.environ["{TOLD}"]).write_text(str(time.time()))
    return "here"
tiny = Job("tiny", goal="Begin")
tiny.phase("begin", agent=first)
"""
JOB_FILE = "tiny.py"

CLAIM = (
    "An embedded start to the first task takes no longer than a bare Prefect flow's, in an old home and in a new one; "
    "the first agent of `echelon run` works after 1.5 s with nothing running, and after 0.7 s with `echelon up`"
)

#: How long what a run left behind may take to come to rest, in seconds.
REST_SECONDS = 60.0


def flow_by_hand(script: str) -> Callable[[Path], Sequence[str]]:
    """Return the arguments of an interpreter that runs a script in a home."""
    return lambda home: ("-c", script, str(home))


def job(_: Path) -> Sequence[str]:
    """Return the arguments of an interpreter that runs the tiny job; its home is in the environment."""
    return ("-m", "echelon", "run", f"{JOB_FILE}:tiny")


bare, ours = flow_by_hand(BARE), flow_by_hand(OURS)


@dataclass(frozen=True)
class Kind:
    """One way to start, in one state of the machine."""

    name: str
    arguments: Callable[[Path], Sequence[str]]
    home: str
    new_home: bool = False
    #: Is everything kept between runs thrown away before each one?
    new_machine: bool = False
    #: Is Python told to keep compiled modules?
    compiled: bool = False
    #: What it should take at most.
    aim_seconds: float | None = None


KINDS = (
    Kind("bare, old home", bare, "bare"),
    Kind("bare, new home", bare, "bare-new", new_home=True),
    Kind("bare, old home, compiled modules kept", bare, "bare", compiled=True),
    Kind("bare, new home, compiled modules kept", bare, "bare-new", new_home=True, compiled=True),
    Kind("echelon server, old home", ours, "ours"),
    Kind("echelon server, new home", ours, "ours-new", new_home=True),
    Kind("echelon server, new machine", ours, "ours-new", new_home=True, new_machine=True),
    Kind("echelon server, kept server", ours, "kept"),
    Kind("echelon job, old home", job, "job", aim_seconds=1.5),
    Kind("echelon job, new home", job, "job-new", new_home=True, aim_seconds=1.5),
    Kind("echelon job, kept server", job, "kept", aim_seconds=0.7),
)


def environment(kind: Kind, folder: Path) -> dict[str, str]:
    """Return an environment in which nothing of this user's Prefect and Echelon is seen."""
    cache = folder / ("new-cache" if kind.new_machine else "cache")
    home = str(folder / kind.home)
    more = {"XDG_CACHE_HOME": str(cache), TOLD: str(folder / "told")}
    if kind.arguments is bare:
        more["PREFECT_HOME"] = home
    if kind.arguments is job:
        more |= {"HOME": home, "ECHELON_HOME": home}
    if kind.compiled:
        more |= {"PYTHONPYCACHEPREFIX": str(folder / "compiled"), "PYTHONDONTWRITEBYTECODE": ""}
    return clean_environment(**more)


def seconds_to_first_task(kind: Kind, folder: Path) -> float:
    """Run one fresh interpreter and return the time from its spawn to the body of its first task."""
    if kind.new_home:
        shutil.rmtree(folder / kind.home, ignore_errors=True)
    if kind.new_machine:
        shutil.rmtree(folder / "new-cache", ignore_errors=True)
    told = folder / "told"
    told.unlink(missing_ok=True)
    family = Family(kind.home)
    with (folder / "printed").open("w+") as printed:  # no pipe: whoever stays behind a run would hold it open
        started = time.time()
        done = subprocess.run(
            [sys.executable, *kind.arguments(folder / kind.home)],
            env=environment(kind, folder) | family.environment,
            cwd=folder,
            stdout=printed,
            stderr=subprocess.STDOUT,
            timeout=180,
            check=False,
        )
        if done.returncode:
            printed.seek(0)
            raise SystemExit(f"{kind.name}: exit {done.returncode}\n{printed.read()}")
    until_idle([family], REST_SECONDS)
    family.end()
    return float(told.read_text()) - started


def measure(rounds: int, kinds: Sequence[Kind]) -> Mapping[str, list[float]]:
    """Take all kinds in turns; a first round that fills the homes and caches does not count."""
    times: dict[str, list[float]] = {kind.name: [] for kind in kinds}
    with tempfile.TemporaryDirectory(prefix="startup-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        (folder / JOB_FILE).write_text(JOB)
        with kept_server(folder / "kept"):
            for number in range(rounds + 1):
                for kind in kinds:
                    seconds = seconds_to_first_task(kind, folder)
                    print(f"round {number}: {kind.name}: {seconds:.2f} s", file=sys.stderr)
                    if number:
                        times[kind.name].append(seconds)
    return times


def report(times: Mapping[str, list[float]]) -> dict[str, Any]:
    """Return the document; the ratio is ours to the best bare case, the worse of old and new home, if measured."""
    middle = {name: statistics.median(values) for name, values in times.items()}
    aims = {kind.name: kind.aim_seconds for kind in KINDS}
    points = [
        {
            "kind": name,
            "median_seconds": round(middle[name], 2),
            "best_seconds": round(min(values), 2),
            "aim_seconds": aims[name],
        }
        for name, values in times.items()
    ]
    pairs = [(f"echelon server, {home} home", f"bare, {home} home, compiled modules kept") for home in ("old", "new")]
    ratios = [middle[mine] / middle[bare] for mine, bare in pairs if mine in middle and bare in middle]
    return {"claim": CLAIM, "points": points, "ratio": round(max(ratios), 3) if len(ratios) == len(pairs) else None}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3, help="how often each kind is measured")
    parser.add_argument("--only", default="", metavar="TEXT", help="only kinds whose names begin like this")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    arguments = parser.parse_args()
    kinds = [kind for kind in KINDS if kind.name.startswith(arguments.only)]
    if not kinds:
        parser.error(f"no kind begins with {arguments.only!r}; there are: {'; '.join(kind.name for kind in KINDS)}")
    result = report(measure(arguments.rounds, kinds))
    if arguments.json:
        print(json.dumps(result, indent=2))
        return
    print(result["claim"])
    for point in result["points"]:
        aim = f"   aim {point['aim_seconds']} s" if point["aim_seconds"] else ""
        print(f"  {point['kind']:<40} {point['median_seconds']:>6} s   best {point['best_seconds']:>6} s{aim}")
    print(f"  ratio {result['ratio']}")


if __name__ == "__main__":
    main()
