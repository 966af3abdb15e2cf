"""Where agents of a known accuracy end, by their record over many runs: the calibration picture.

    python benchmarks/autonomy.py [--json] [--runs 50] [--results 4] [--seeds 20]

Agents say how sure they are, and are right as often as they really are; a check judges each result. What their record
allows is decided as a run decides it, on the events that runs leave in a journal (in memory). An agent that always says
0.99 and is right half of the time must not end where one ends that is right. Printed for each: what it may do after 1,
5, 10, 25 and 50 runs, the share of seeds in which that is the right band at the end, and its Brier score.
"""

import argparse
import asyncio
import json
from dataclasses import dataclass
from random import Random

from echelon.model.autonomy.decisions import AgentStanding
from echelon.model.autonomy.terms import Band
from echelon.model.autonomy.track import Track
from echelon.runlog.judging.autonomy import AgentVersion, known_agents
from echelon.testing.journal import MemoryJournal
from echelon.testing.judging_events import autonomy_decided
from echelon.testing.run_events import run_started

CLAIM = "By its record over 50 runs each agent ends in the band of its true accuracy, whatever it says of itself"

#: Runs behind which the picture is drawn.
SHOWN = (1, 5, 10, 25, 50)

LETTERS = {Band.PROCEED: "proceeds", Band.REVIEW: "looked at", Band.ESCALATE: "escalates"}


@dataclass(frozen=True)
class Simulated:
    """An agent of a known accuracy."""

    name: str
    accuracy: float
    stated: float | None
    """What it always says; None: nothing."""
    right: Band
    """Where it belongs."""


AGENTS = (
    Simulated("right 95 %, says nothing", 0.95, None, Band.PROCEED),
    Simulated("right 95 %, says 0.50", 0.95, 0.50, Band.PROCEED),
    Simulated("right 80 %, says 0.80", 0.80, 0.80, Band.PROCEED),
    Simulated("right 50 %, says 0.55", 0.50, 0.55, Band.ESCALATE),
    Simulated("right 50 %, says 0.99", 0.50, 0.99, Band.ESCALATE),
)


async def history(agent: Simulated, runs: int, results: int, seed: int) -> tuple[list[Band], Track]:
    """Return what an agent may do behind each run, and its record at the end."""
    journal, random, version = MemoryJournal(), Random(seed), AgentVersion(agent.name, "")
    bands: list[Band] = []
    track = Track()
    for number in range(runs):
        own = sum((Track.of(agent.stated, right=random.random() < agent.accuracy) for _ in range(results)), Track())
        standing = AgentStanding(agent=agent.name, before=track, own=own)
        await journal.append(run_started(f"r{number}"), autonomy_decided(f"r{number}", standings=(standing,)))
        track = known_agents(await journal.autonomy_decided("audit"), ()).track_of(version)
        bands.append(track.estimate(agent.stated).band())
    return bands, track


async def measured(agent: Simulated, runs: int, results: int, seeds: int) -> dict[str, object]:
    """Return where an agent ends over all seeds."""
    ended = [await history(agent, runs, results, seed) for seed in range(seeds)]
    at = {shown: [bands[shown - 1] for bands, _ in ended] for shown in SHOWN if shown <= runs}
    briers = [track.brier for _, track in ended if track.brier is not None]
    return {
        "agent": agent.name,
        "accuracy": agent.accuracy,
        "stated": agent.stated,
        "bands": {shown: {band.value: found.count(band) / seeds for band in Band} for shown, found in at.items()},
        "right_band": sum(bands[-1] is agent.right for bands, _ in ended) / seeds,
        "brier": sum(briers) / len(briers) if briers else None,
    }


def line_of(point: dict[str, object]) -> str:
    """Return a line of the picture: the most frequent band behind each of the shown runs."""
    bands = point["bands"]
    assert isinstance(bands, dict)
    found = [LETTERS[Band(max(shares, key=lambda band: shares[band]))] for shares in bands.values()]
    brier = point["brier"]
    said = f"{brier:.2f}" if isinstance(brier, float) else "-"
    return f"{point['agent']:26} {'  '.join(f'{one:9}' for one in found)}  {point['right_band']:7.0%}  {said:>5}"


def main() -> None:
    """Simulate, and print the picture."""
    parser = argparse.ArgumentParser(description=CLAIM)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--runs", type=int, default=50)
    parser.add_argument("--results", type=int, default=4)
    parser.add_argument("--seeds", type=int, default=20)
    given = parser.parse_args()

    async def all_of_them() -> list[dict[str, object]]:
        return [await measured(agent, given.runs, given.results, given.seeds) for agent in AGENTS]

    points = asyncio.run(all_of_them())
    shares = [float(str(point["right_band"])) for point in points]
    if given.json:
        print(json.dumps({"claim": CLAIM, "points": points, "ratio": min(shares)}))
        return
    print(f"{'runs':26} {'  '.join(f'{shown:<9}' for shown in SHOWN if shown <= given.runs)}  right at  Brier")
    for point in points:
        print(line_of(point))
    print(f"{CLAIM}: in {min(shares):.0%} of {given.seeds} seeds at least")


if __name__ == "__main__":
    main()
