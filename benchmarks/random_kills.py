"""Nothing is lost and nothing is done twice, whenever a run is killed: runs of 30 agents, each killed up to 3 times.

    python benchmarks/random_kills.py [--json] [--runs 300] [--postgres] [--seed 1]

Every run sends 15 parcels and tracks them, in two domains, and is gone on with until it has ended. Its process gets
kill -9 at random moments; with `--postgres` the journal is on a server of its own, which is killed too. What really
happened is read from files of the world outside: every parcel is sent once, no agent that was on record as done is
asked again, every concern is on record once, and all agents of all runs are done at the end: a run that gives up
counts as lost.
"""

import argparse
import contextlib
import json
import random
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))  # the victims are shared with the tests

from tests.chaos.jobs.shipping_job import World
from tests.chaos.postgres_server import PostgresServer
from tests.chaos.victims import Ended, Errand, Nursery

CLAIM = "Runs of 30 agents that are killed at random lose nothing and do nothing twice"

PARCELS = 15
AGENTS = 2 * PARCELS
AGENT_SECONDS = 0.02
CONCURRENCY = 4

#: A run is killed so often at most; then it may end.
MAX_KILLS = 3

#: A run that has not ended after so many processes is given up on, and counts as lost.
MAX_PROCESSES = 60

#: After a process that ended because the server was away, in seconds.
PAUSE_SECONDS = 0.25

#: A killed server rests so long before it is started again, in seconds, and is then left alone for so long.
DOWN_SECONDS = (0.0, 0.5)
UP_SECONDS = (3.0, 8.0)


@dataclass(kw_only=True)
class Tally:
    """What is counted over all runs."""

    runs: int = 0
    kills: int = 0
    resumes: int = 0
    errors: int = 0
    """Processes that ended by themselves, because the server was away."""
    server_kills: int = 0
    lost: int = 0
    """Parcels not sent, concerns not on record, agents not done."""
    duplicated: int = 0
    """Parcels sent twice, concerns on record twice, agents done that were asked again."""
    completed_agents: int = 0
    repeated: int = 0
    """Agents asked more than once: what they had done was not on record yet."""
    seconds: float = 0.0
    failures: list[str] = field(default_factory=list[str])

    def report(self) -> dict[str, Any]:
        """Return all figures."""
        agents = self.runs * AGENTS
        return {
            **{name: value for name, value in vars(self).items() if name not in {"failures", "seconds"}},
            "agents": agents,
            "completed_share": round(self.completed_agents / agents, 4) if agents else 0.0,
            "repeated_per_kill": round(self.repeated / max(1, self.kills + self.errors), 2),
            "seconds": round(self.seconds, 1),
        }


class Trial:
    """One run, from its first process to its last."""

    def __init__(self, nursery: Nursery, folder: Path, settings: dict[str, Any], rng: random.Random) -> None:
        self.nursery = nursery
        self.world = World(folder / "world")
        self.home = folder / "home"
        self.settings = settings
        self.rng = rng

    def carry_out(self, expected: Ended, longest_seconds: float, tally: Tally) -> None:
        """Kill the run at random moments of its life, let it end, and judge it."""
        kills = self.rng.randint(1, MAX_KILLS)
        ended = Ended(exit_code=1)
        for process in range(MAX_PROCESSES):
            moment = self.rng.uniform(0, longest_seconds) if process < kills else None
            ended = self.process(moment)
            tally.resumes += process > 0
            tally.kills += ended.killed
            if ended.exit_code == 1:
                tally.errors += 1
                time.sleep(PAUSE_SECONDS)
            if ended.exit_code == 0 and moment is None:
                break
        self._judge(ended, expected, tally)

    def process(self, kill_after_seconds: float | None = None) -> Ended:
        """Let one process go on with the run."""
        return self.nursery.run(
            Errand(
                home=str(self.home),
                world=str(self.world.folder),
                kill_after_seconds=kill_after_seconds,
                settings=self.settings,
                count=PARCELS,
                seconds=AGENT_SECONDS,
                concurrency=CONCURRENCY,
            )
        )

    def _judge(self, ended: Ended, expected: Ended, tally: Tally) -> None:
        sent = [effect.split()[1] for effect in self.world.effects()]
        asked, again = self.world.asked(), self.world.asked_again()
        done = set(ended.completed) & set(expected.completed)
        lost = PARCELS - len(set(sent)) + len(set(expected.completed) - done)
        lost += len(set(expected.concerns) - set(ended.concerns)) + (ended.output != expected.output)
        twice = [sent, list(ended.concerns), list(ended.completed)]
        duplicated = sum(len(each) - len(set(each)) for each in twice) + len(again)
        tally.runs += 1
        tally.lost += lost
        tally.duplicated += duplicated
        tally.completed_agents += sum(task.startswith(("send/p", "track/p")) for task in done)
        tally.repeated += len(asked) - len(set(asked))
        if lost or duplicated:
            tally.failures.append(f"{self.world.folder}: {lost} lost, {duplicated} duplicated; {ended.output[-2000:]}")


def measure(runs: int, seed: int, server: PostgresServer | None = None) -> Tally:
    """Carry out so many runs, and kill them; a server is killed as well."""
    rng = random.Random(seed)
    tally = Tally()
    settings = {"journal_url": server.url} if server else {}
    with tempfile.TemporaryDirectory() as folder, Nursery() as nursery:
        place = Path(folder)
        expected = Trial(nursery, place / "whole", settings, rng).process()
        if expected.exit_code:
            raise SystemExit(f"the run that nobody kills did not end: {expected.output}")
        began = time.monotonic()
        Trial(nursery, place / "again", settings, rng).process()  # the first one waited for the nursery
        longest_seconds = time.monotonic() - began
        with _killing(server, random.Random(seed), tally):
            for number in range(runs):
                Trial(nursery, place / str(number), settings, rng).carry_out(expected, longest_seconds, tally)
        tally.seconds = time.monotonic() - began
    return tally


@contextlib.contextmanager
def _killing(server: PostgresServer | None, rng: random.Random, tally: Tally) -> Iterator[None]:
    """Kill the server every few seconds inside of the block."""
    ending = threading.Event()

    def kill(server: PostgresServer) -> None:
        while not ending.wait(rng.uniform(*UP_SECONDS)):
            server.kill()
            time.sleep(rng.uniform(*DOWN_SECONDS))
            server.start()
            tally.server_kills += 1

    thread = threading.Thread(target=kill, args=[server]) if server else None
    if thread:
        thread.start()
    try:
        yield
    finally:
        ending.set()
        if thread:
            thread.join()


def main() -> None:
    """Measure and print; exit code 1 when anything was lost or done twice."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--runs", type=int, default=300)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--postgres", action="store_true", help="a journal on PostgreSQL, whose server is killed too")
    options = parser.parse_args()
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(PostgresServer()) if options.postgres else None
        tally = measure(options.runs, options.seed, server)
    found = {"claim": CLAIM, "database": "postgresql" if options.postgres else "sqlite", **tally.report()}
    print(json.dumps(found) if options.json else "\n".join(f"{name:>18}: {value}" for name, value in found.items()))
    for failure in tally.failures:
        print(failure, file=sys.stderr)
    if tally.lost or tally.duplicated or tally.completed_agents < options.runs * AGENTS:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
