"""Adaptive sync against the best fixed interval, on drift that rises, falls and steps; one of them drawn.

    python benchmarks/adaptive_sync.py [--json] [--tasks 1500] [--low 0.01] [--high 0.15] [--draw "steps up"]

At each task something may change, at a rate that is not known to who decides when to synchronise. Whatever is done
after a change and before the next light sync point is outdated, and costs as much as it took. The best fixed interval
is found by search, with all of the rates known; adaptive sync sees only what its own sync points revealed. Costs are
in tasks, beside the work itself. Rates are taken for what happens on average; behind that stands the mean of runs in
which things change by chance, whose estimates have less to go by.
"""

import argparse
import json
import statistics

from echelon.model.adapter import JsonObject
from echelon.model.sync.policy import SyncPolicyTerms
from echelon.oversight.sync.adaptive import costs_of
from echelon.testing.drifting import SHAPES, Paced, adaptive, best_every, by_chance, fixed, rates_of

CLAIM = "Adaptive sync costs at most 1.15 times what the best fixed interval costs, which nobody knows before"

TERMS = SyncPolicyTerms(policy="adaptive", least=1, most=150)

#: Runs by chance.
SEEDS = 40

#: Characters of a bar, and rows of the picture at most.
BAR, ROWS = 40, 30


def measured(shape: str, tasks: int, low: float, high: float) -> JsonObject:
    """Return what both ways cost on drift of one shape."""
    rates = rates_of(shape, tasks, low, high)
    paced, every = adaptive(rates, TERMS), best_every(rates, TERMS)
    best = fixed(rates, TERMS, every)
    return {
        "drift": shape,
        "best_every": every,
        "best_cost": best,
        "adaptive_cost": paced.cost,
        "ratio": paced.cost / best,
        "ratio_by_chance": statistics.mean(by_chance(rates, TERMS, seed) for seed in range(SEEDS)) / best,
        "intervals": [pace.size for pace in paced.paces],
    }


def drawn(shape: str, rates: list[float], paced: Paced) -> str:
    """Draw the waves of one run: how large each was, and the drift that it met."""
    lines = [f"drift that {shape}: one line a wave, its bar is the interval, behind it the rate of drift"]
    begin, most = 0, max(pace.size for pace in paced.paces)
    step = max(1, len(paced.paces) // ROWS)
    for number, pace in enumerate(paced.paces):
        met = rates[begin : begin + pace.size]
        if number % step == 0:
            bar = "█" * max(1, round(BAR * pace.size / most))
            lines.append(f"task {begin:>5}  {pace.size:>3} {bar:<{BAR}} {sum(met) / len(met):.3f}")
        begin += len(met)
    return "\n".join(lines)


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--tasks", type=int, default=1500)
    parser.add_argument("--low", type=float, default=0.01)
    parser.add_argument("--high", type=float, default=0.15)
    parser.add_argument("--draw", choices=sorted(SHAPES), default="steps up")
    asked = parser.parse_args()
    rows = [measured(shape, asked.tasks, asked.low, asked.high) for shape in SHAPES]
    if asked.json:
        print(json.dumps({"claim": CLAIM, "holds": all(row["ratio"] <= 1.15 for row in rows), "rows": rows}, indent=2))
        return
    sync_cost, drift_cost = costs_of(TERMS.ratings)
    print(f"{CLAIM}.\na sync point costs {sync_cost:g} tasks, a task that is outdated {drift_cost:g}\n")
    print(f"{'drift':<12} {'best fixed':>10} {'its cost':>9} {'adaptive':>9} {'ratio':>6} {'by chance':>9}")
    for row in rows:
        costs = (
            f"{row['best_cost']:>9.0f} {row['adaptive_cost']:>9.0f} {row['ratio']:>6.2f} {row['ratio_by_chance']:>9.2f}"
        )
        print(f"{row['drift']:<12} {row['best_every']:>10} {costs}")
    rates = rates_of(asked.draw, asked.tasks, asked.low, asked.high)
    print(f"\n{drawn(asked.draw, rates, adaptive(rates, TERMS))}")


if __name__ == "__main__":
    main()
