"""No child outlives a run that is killed, and nothing is paid twice: agents of every kind, each killed at random.

    python benchmarks/orphans.py [--json] [--runs 50] [--postgres] [--seed 1]

Every run lets CPU-bound, threaded, async and command agents pay for three parcels each, which none of them can take
back. Its process gets kill -9 at random moments, once or twice. Then it is looked for children that go on: 5 s later
there must be none. Of what was cut off a person looks whether it was paid, and says so, or has it done again; in the
end everything is paid once.
"""

import argparse
import contextlib
import json
import random
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

sys.path.insert(0, str(Path(__file__).parents[1]))  # the victims are shared with the tests

from echelon.agents.processes.owner import OWNER
from echelon.journal.holder import began_at
from tests.chaos.jobs.mixed_job import KINDS, mixed_job
from tests.chaos.jobs.shipping_job import World
from tests.chaos.postgres_server import PostgresServer
from tests.chaos.victims import Ended, Errand, Nursery

CLAIM = "No child outlives a run that is killed, and what cannot be undone is done once"

PARCELS = 3
TASKS = {f"{kind}/p{number}" for kind in KINDS for number in range(PARCELS)}
AGENT_SECONDS = 0.15
CONCURRENCY = 4
MAX_KILLS = 2

#: A run that has not ended after so many processes is given up on, and counts as lost.
MAX_PROCESSES = 30

#: How long children may go on after their parent, in seconds.
GONE_SECONDS = 5.0


@dataclass(kw_only=True)
class Tally:
    """What is counted over all runs."""

    runs: int = 0
    kills: int = 0
    orphans: int = 0
    """Children at work 5 s after their parent was killed."""
    asked: int = 0
    """Tasks of which a person was asked whether they were done."""
    lost: int = 0
    doubled: int = 0
    longest_orphan_seconds: float = 0.0
    """How long a child went on at most."""
    failures: list[str] = field(default_factory=list[str])


def orphans() -> list[psutil.Process]:
    """Return the children of processes of ours that are dead."""
    return [process for process in psutil.process_iter() if _is_orphan(process)]


def _is_orphan(process: psutil.Process) -> bool:
    try:
        mark = process.environ().get(OWNER, "")
        if not mark or process.status() == psutil.STATUS_ZOMBIE:
            return False
    except (psutil.Error, OSError):
        return False
    pid, _, began = mark.partition(":")
    try:
        return f"{began_at(int(pid)):.2f}" != began or psutil.Process(int(pid)).status() == psutil.STATUS_ZOMBIE
    except psutil.Error:
        return True


def carry_out(nursery: Nursery, folder: Path, settings: dict[str, Any], rng: random.Random, tally: Tally) -> None:
    """Kill one run, let it end, and judge it."""
    world, ended = World(folder / "world"), Ended(exit_code=1)
    kills, redo, done = rng.randint(1, MAX_KILLS), set[str](), dict[str, str]()
    for process in range(MAX_PROCESSES):
        ended = nursery.run(
            Errand(
                job=mixed_job.name,
                home=str(folder / "home"),
                world=str(world.folder),
                kill_after_seconds=rng.uniform(0.1, 1.6) if process < kills else None,
                settings=settings,
                count=PARCELS,
                seconds=AGENT_SECONDS,
                concurrency=CONCURRENCY,
                redo=tuple(redo),
                done=done,
            )
        )
        redo, done = set[str](), dict[str, str]()
        if ended.killed:
            tally.kills += 1
            _look_for_orphans(tally)
        elif ended.exit_code == 0 and not ended.uncertain:
            break
        paid = set(world.paid())
        for task in ended.uncertain:
            tally.asked += 1
            if task in paid:
                done[task] = task
            else:
                redo.add(task)
    paid = world.paid()
    lost, doubled = len(TASKS - set(paid)) + len(TASKS - set(ended.completed)), len(paid) - len(set(paid))
    tally.runs += 1
    tally.lost += lost
    tally.doubled += doubled
    if lost or doubled:
        tally.failures.append(f"{folder}: {lost} lost, {doubled} doubled; {ended.output[-2000:]}")


def _look_for_orphans(tally: Tally) -> None:
    began = time.monotonic()
    while (left := orphans()) and time.monotonic() - began < GONE_SECONDS:
        time.sleep(0.02)
    tally.longest_orphan_seconds = max(tally.longest_orphan_seconds, round(time.monotonic() - began, 3))
    tally.orphans += len(left)
    for process in left:
        with contextlib.suppress(psutil.Error):
            tally.failures.append(f"an orphan: {process.cmdline()}")
            process.kill()


def main() -> None:
    """Measure and print; exit code 1 when a child was left, or anything was lost or done twice."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--runs", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--postgres", action="store_true", help="a journal on PostgreSQL")
    options = parser.parse_args()
    tally, rng = Tally(), random.Random(options.seed)
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(PostgresServer()) if options.postgres else None
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        nursery = stack.enter_context(Nursery())
        settings = {"journal_url": server.url} if server else {}
        for number in range(options.runs):
            carry_out(nursery, folder / str(number), settings, rng, tally)
    figures = {name: value for name, value in vars(tally).items() if name != "failures"}
    found = {"claim": CLAIM, "database": "postgresql" if options.postgres else "sqlite", **figures, "points": [figures]}
    found["ratio"] = tally.orphans / max(1, tally.kills)
    print(json.dumps(found) if options.json else "\n".join(f"{name:>22}: {value}" for name, value in found.items()))
    for failure in tally.failures:
        print(failure, file=sys.stderr)
    if tally.orphans or tally.lost or tally.doubled:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
