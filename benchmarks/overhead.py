"""What an agent costs beyond its own work: Echelon with everything on against what people would use instead.

    python benchmarks/overhead.py [--json] [--agents 10 100 1000 5000] [--seconds 0.5] [--rounds 3]
                                  [--sides echelon langgraph …] [--langgraph-durability async] [--all-sizes]

The sides are plain Prefect, Echelon, LangGraph with its SQLite checkpointer, and DBOS on SQLite (the last two come with
`pip install -e '.[bench]'`). All of them run the same agents (each waits `--seconds`) side by side, and add up what
they hand on, which is checked. Each side is a process of its own that stays; they take turns, in another order every
round, and a turn begins when what the one before left behind has come to rest.

- Overhead is wall time beyond the ideal (`--seconds`), divided by the agents: the median of the rounds.
- Processor seconds are user and system, of the side's process and of all that came of it, until the last of them is at
  rest: what is recorded or drawn behind a run counts. The Prefect server, which Echelon and plain Prefect share, has a
  column of its own. Starting an interpreter is not in there.
- Memory is the peak within a turn, over the same processes: the pages of each, and once those that they share (see
  `Family.footprint_bytes`); in JSON also resident memory, which counts shared pages once a process. Sizes ascend, as
  what a side keeps of a larger run would count in a smaller one.

Databases are in a folder for temporary files: TMPDIR should name a real disk, where a commit costs what it costs.
Plain Prefect and DBOS are not asked for more than 1,000 agents, as that takes minutes a round; `--all-sizes` does.
"""

import argparse
import contextlib
import json
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))  # a script finds what it shares with others

from benchmarks.metering import Family, Meter, Used, until_idle
from benchmarks.overhead_report import point_of, report_of, show
from benchmarks.overhead_sides.contenders import BY_NAME, LANGGRAPH_DURABLE, Contender, Stage, chosen, durable
from benchmarks.sides import Side, clean_environment, kept_server

DEFAULT_AGENTS = [10, 100, 1000, 5000]

POLL_SECONDS = 0.05

#: How long everybody may take to come to rest: so long, and so much longer for each agent of the turn.
REST_SECONDS = 60.0
REST_SECONDS_AN_AGENT = 0.1


@dataclass
class Taking:
    """A contender that takes part."""

    contender: Contender
    side: Side
    family: Family
    turns: list[tuple[float, Used]] = field(default_factory=list)
    """Of the size at hand: milliseconds of overhead an agent, and what was used."""

    def takes(self, agents: int, *, all_sizes: bool) -> bool:
        """Say whether it is asked for that many agents."""
        return all_sizes or self.contender.most_agents is None or agents <= self.contender.most_agents


@contextlib.contextmanager
def staged(contenders: list[Contender], options: argparse.Namespace) -> Iterator[tuple[list[Taking], Family]]:
    """Start everybody, and the server that `echelon up` keeps; all are warm when the block begins."""
    server = Family("server")
    with (
        tempfile.TemporaryDirectory(prefix="overhead-", ignore_cleanup_errors=True) as name,
        kept_server(Path(name), clean_environment(**server.environment)) as client,
    ):
        stage = Stage(
            folder=Path(name),
            client=client,
            most_agents=max(options.agents),
            langgraph_durability=options.langgraph_durability,
        )
        taking = [Taking(contender, *contender.start(stage)) for contender in contenders]
        try:
            for one in taking:
                one.side.wait_ready()
            until_idle([server, *(one.family for one in taking)], REST_SECONDS)
            yield taking, server
        finally:
            for one in taking:
                one.side.process.communicate()
                one.family.end()


def take_turn(one: Taking, server: Family, agents: int, seconds: float) -> None:
    """Run once, and watch until what is done behind the run is done too."""
    limit_seconds = REST_SECONDS + REST_SECONDS_AN_AGENT * agents
    meter = Meter((one.family, server))
    one.side.ask((agents, seconds))
    while not one.side.answered(POLL_SECONDS):
        meter.look()
    milliseconds = one.side.answer()
    used = meter.until_idle(limit_seconds, POLL_SECONDS)
    one.turns.append((milliseconds, used))
    late = "" if used.idle else ", still not at rest"
    seconds_used = " + server ".join(f"{each:.2f}" for each in used.processor_seconds)
    print(
        f"{agents} agents, {one.contender.title}: {milliseconds:.2f} ms an agent, {seconds_used} processor seconds, "
        f"{used.peak_mb:.0f} MB{late}",
        file=sys.stderr,
    )


def compare(contenders: list[Contender], options: argparse.Namespace) -> list[dict[str, Any]]:
    """Take turns at each size, so that noise of the machine meets everybody."""
    points = []
    with staged(contenders, options) as (taking, server):
        for agents in sorted(options.agents):
            asked = [one for one in taking if one.takes(agents, all_sizes=options.all_sizes)]
            for number in range(options.rounds if asked else 0):
                first = number % len(asked)
                for one in asked[first:] + asked[:first]:
                    take_turn(one, server, agents, options.seconds)
            points.append(point_of(agents, {one.contender: one.turns for one in asked}))
            for one in taking:
                one.turns = []
    return points


def parsed() -> tuple[argparse.Namespace, list[Contender]]:
    """Return what is asked for, and the contenders that can take part."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--agents", type=int, nargs="+", default=DEFAULT_AGENTS)
    parser.add_argument("--seconds", type=float, default=0.5)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--sides", nargs="+", choices=list(BY_NAME), help="who takes part; else all that are installed")
    parser.add_argument("--langgraph-durability", choices=list(LANGGRAPH_DURABLE), default="async")
    parser.add_argument("--all-sizes", action="store_true", help="ask everybody for every size")
    options = parser.parse_args()
    return options, chosen(parser, options.sides)


def main() -> None:
    """Measure and print."""
    options, contenders = parsed()
    points = compare(contenders, options)
    legend = {
        one.name: {"versions": one.versions(), "durable": durable(one, options.langgraph_durability)}
        for one in contenders
    }
    report = report_of(points, legend)
    if options.json:
        print(json.dumps(report))
    else:
        show(report)


if __name__ == "__main__":
    main()
