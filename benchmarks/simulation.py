"""What structure is worth: throughput of 100 structured agents against the most that flat coordination delivers.

    python benchmarks/simulation.py [--json]

The flat curve is the law fitted to the known example of flat coordination; the tree applies the same two parameters
within the span of each coordinator. Both are also played event by event, without the formulas; `ratio` is the lowest
of the ratios found, which is that of the tree alone, by the formula or as played.
"""

import argparse
import json
import sys
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from echelon.planning.regime import DEFAULT_SPAN
from echelon.scaling.rounds import play
from echelon.scaling.scalability import FLAT_EXAMPLE, flat_fit, flat_speedup
from echelon.scaling.simulation import DEFAULT_TASKS_PER_SYNC, flat, structured, tree

AGENTS = 100
AIM = 5.0
CLAIM = "100 structured agents deliver at least 5 times as much as flat coordination at its best"


def measure() -> dict[str, Any]:
    """Compute and play everything; `seconds` is what that took."""
    began = time.perf_counter()
    law = flat_fit().parameters
    best = flat(range(1, 201), law).ceiling
    best_played = max(point.throughput for point in play(range(1, 31), law))
    ways = {
        "structured": structured([AGENTS], law).points[0].throughput / best.throughput,
        "structured, queues as played": play([AGENTS], law, DEFAULT_SPAN, DEFAULT_TASKS_PER_SYNC)[0].throughput
        / best_played,
        "tree alone": tree([AGENTS], law).points[0].throughput / best.throughput,
        "tree alone, as played": play([AGENTS], law, DEFAULT_SPAN)[0].throughput / best_played,
    }
    points = [{"way": way, "agents": AGENTS, "ratio": round(ratio, 2)} for way, ratio in ways.items()]
    example = [
        {"agents": p.agents, "example": p.throughput, "fitted": round(flat_speedup(p.agents, law), 3)}
        for p in FLAT_EXAMPLE
    ]
    return {
        "claim": CLAIM,
        "points": points,
        "ratio": min(point["ratio"] for point in points),
        "flat_best": {"agents": best.agents, "throughput": round(best.throughput, 3)},
        "parameters": {"contention": round(law.contention, 5), "coherency": round(law.coherency, 6)},
        "example": example,
        "seconds": round(time.perf_counter() - began, 2),
    }


def main() -> None:
    """Print the measurement, for people or as JSON."""
    parser = argparse.ArgumentParser(description=CLAIM)
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    options = parser.parse_args()
    result = measure()
    if options.json:
        print(json.dumps(result))
        return
    for point in result["example"]:
        print(f"flat, {point['agents']:3} agents: {point['example']:.1f} in the example, {point['fitted']:.2f} fitted")
    print(f"flat at its best: {result['flat_best']['throughput']} with {result['flat_best']['agents']} agents")
    for point in result["points"]:
        print(f"{point['ratio']:6.2f} times that with {AGENTS} agents: {point['way']}")
    verdict = "holds" if result["ratio"] >= AIM else "does not hold"
    print(f"lowest ratio: {result['ratio']} ({verdict}: {CLAIM})")


if __name__ == "__main__":
    main()
