"""Does a diagnosis name what is wrong? 63 runs that have one of the 21 failure modes, and 63 twins that have not.

    python benchmarks/diagnosis.py [--json] [--mode too-deep …] [--strength mild …]

The cases are in `benchmarks/diagnosis_cases`: they were written before there was a detector, and are frozen. Each is
played on the real engine, in a home of its own; then its last run is diagnosed as `echelon diagnose` does it. The
confusion matrix is printed: which mode was named first, for each mode that was there. It takes about five minutes.
"""

import argparse
import asyncio
import json
import os
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.diagnosis_cases.cases import CASES, INJECTORS, Case, play
from benchmarks.diagnosis_cases.setting import STRENGTHS, at_home
from echelon.journal.journal import SqlJournal
from echelon.settings import Settings
from echelon.visibility.diagnosis.diagnose import diagnose
from echelon.visibility.diagnosis.reading import read_case

CLAIM = (
    "Of 63 runs with a failure mode at least 60 are named right, no twin without it is, and at most 5 more are named"
)

#: What at least is named right, and at most besides.
RIGHT, BESIDES = 60 / 63, 5


class Named(NamedTuple):
    """What was named in one case."""

    case: Case
    modes: tuple[str, ...]
    """The modes, the clearest first."""

    @property
    def is_right(self) -> bool:
        """Was the mode named first where it is there, and not at all where it is not?"""
        return self.modes[:1] == (self.case.mode,) if self.case.has_mode else self.case.mode not in self.modes

    @property
    def besides(self) -> int:
        """How many other modes were named."""
        return sum(mode != self.case.mode for mode in self.modes)


async def named(case: Case, home: Path) -> Named:
    """Play a case, and diagnose its last run."""
    run_id = await play(case, home)
    with at_home(home):
        async with SqlJournal.open(Settings()) as journal:
            found = await read_case(journal, run_id)
    return Named(case, tuple(one.mode.value for one in diagnose(found.facts, found.earlier)))


def row_of(mode: str, several: Sequence[Named]) -> str:
    """Return what was named first where one mode is there, and where it is not."""
    there = Counter(next(iter(one.modes), "nothing") for one in several if one.case.has_mode)
    twins = Counter(next(iter(one.modes), "nothing") for one in several if not one.case.has_mode)
    return f"{mode:<26} {_counted(there):<40} {_counted(twins)}"


def _counted(counts: Counter[str]) -> str:
    return ", ".join(f"{number} × {name}" for name, number in counts.most_common())


def main() -> None:
    """Play, diagnose and print."""
    parser = argparse.ArgumentParser(description=CLAIM)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--mode", nargs="+", choices=list(INJECTORS), default=list(INJECTORS))
    parser.add_argument("--strength", nargs="+", choices=STRENGTHS, default=STRENGTHS)
    given = parser.parse_args()
    os.environ["ECHELON_PICTURE"] = "false"
    points: list[Named] = []
    if not given.json:
        print(f"{'the run has':<26} {'named first':<40} its twin", flush=True)
    for mode in given.mode:
        several: list[Named] = []
        for case in (one for one in CASES if one.mode == mode and one.strength in given.strength):
            with tempfile.TemporaryDirectory() as home:
                several.append(asyncio.run(named(case, Path(home) / "home")))
        points += several
        if not given.json:
            print(row_of(mode, several), flush=True)
    there = [one for one in points if one.case.has_mode]
    right, besides = sum(one.is_right for one in there), sum(one.besides for one in points)
    wrong_twins = sum(not one.is_right for one in points if not one.case.has_mode)
    if given.json:
        print(json.dumps({"claim": CLAIM, "points": list(map(_point, points)), "ratio": right / len(there)}))
        return
    print(
        f"named right: {right} of {len(there)}; twins that are said to have it: {wrong_twins}; named besides: {besides}"
    )


def _point(one: Named) -> dict[str, Any]:
    return {**asdict(one.case), "named": one.modes}


if __name__ == "__main__":
    main()
