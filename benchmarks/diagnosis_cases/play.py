"""Play cases, and print for each what its runs show.

    python benchmarks/diagnosis_cases/play.py [--mode M …] [--strength S …] [--twin | --case] [--keep DIR] [--json]

Each is played in a home of its own, which `--keep` keeps: the runs in it can be looked at with `ECHELON_HOME=… echelon
show`. The figures are from the public view of the runs; nothing is diagnosed here.
"""

import argparse
import asyncio
import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

from benchmarks.diagnosis_cases.cases import CASES, INJECTORS, Case, play
from benchmarks.diagnosis_cases.figures import FIGURES, read_runs
from benchmarks.diagnosis_cases.setting import STRENGTHS, at_home

CLAIM = "Each of 21 failure modes in runs of the real engine, three strengths each, with a twin that does not have it"


async def measure(case: Case, home: Path) -> dict[str, Any]:
    """Play one case; return what it took and what its runs show."""
    began = time.perf_counter()
    run_id = await play(case, home)
    seconds = time.perf_counter() - began
    with at_home(home):
        runs = await read_runs()
    assert runs[-1].view.record.run_id == run_id, "the last run is the one to be diagnosed"
    return {
        "mode": case.mode,
        "strength": case.strength,
        "has_mode": case.has_mode,
        "run_id": run_id,
        "runs": len(runs),
        "seconds": round(seconds, 2),
        "shows": FIGURES[case.mode](runs),
    }


def wanted(given: argparse.Namespace) -> list[Case]:
    """Return the cases that are asked for."""
    sides = {
        (False, False): (True, False),
        (True, False): (False,),
        (False, True): (True,),
        (True, True): (True, False),
    }
    return [
        case
        for case in CASES
        if case.mode in given.mode
        and case.strength in given.strength
        and case.has_mode in sides[given.twin, given.case]
    ]


def main() -> None:
    """Play what is asked for."""
    parser = argparse.ArgumentParser(description=CLAIM)
    parser.add_argument("--mode", nargs="+", choices=list(INJECTORS), default=list(INJECTORS))
    parser.add_argument("--strength", nargs="+", choices=STRENGTHS, default=STRENGTHS)
    parser.add_argument("--twin", action="store_true", help="twins only")
    parser.add_argument("--case", action="store_true", help="no twins")
    parser.add_argument("--keep", type=Path, help="keep the homes in this folder")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    points: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as temporary:
        for case in wanted(given):
            which = "case" if case.has_mode else "twin"
            home = (given.keep or Path(temporary)) / f"{case.mode}-{case.strength}-{which}"
            if home.exists():
                parser.error(f"{home} is there already, and runs in it would count as history; name another folder")
            points.append(asyncio.run(measure(case, home.absolute())))
            if not given.json:
                shown, seconds = points[-1]["shows"], points[-1]["seconds"]
                print(f"{case.mode:<24} {case.strength:<6} {which} {seconds:>5.1f} s  {shown}", flush=True)
    if given.json:
        print(json.dumps({"claim": CLAIM, "points": points, "ratio": None}))


if __name__ == "__main__":
    main()
