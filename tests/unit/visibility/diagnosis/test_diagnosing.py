"""A failure mode is named where a run has it, and not in its twin that has not (G).

A sample of the cases of `benchmarks/diagnosis_cases` is played; `ECHELON_TEST_DIAGNOSIS=all` plays all 126, as the
benchmark does. They were written before there was a detector, and do not change with them.
"""

import asyncio
import os
import random
from pathlib import Path

import pytest

from benchmarks.diagnosis import named
from benchmarks.diagnosis_cases.cases import CASES, INJECTORS, Case
from echelon.model.diagnosis.mode import MODES, FailureMode, ModeClass
from echelon.visibility.diagnosis.diagnose import DETECTORS, FOLLOWS

#: Modes of which a case and its twin are played, each in one strength; others in another week.
PLAYED = 5


def sample() -> list[Case]:
    """Return what is played: of some modes a case and its twin."""
    if os.environ.get("ECHELON_TEST_DIAGNOSIS") == "all":
        return list(CASES)
    draw = random.Random(int(os.environ.get("ECHELON_TEST_SEED", "16")))
    modes = draw.sample(sorted(INJECTORS), PLAYED)
    chosen = {mode: draw.choice(("mild", "plain", "severe")) for mode in modes}
    return [case for case in CASES if chosen.get(case.mode) == case.strength]


@pytest.mark.timeout(120)
@pytest.mark.parametrize(
    "case", sample(), ids=lambda case: f"{case.mode}-{case.strength}-{'case' if case.has_mode else 'twin'}"
)
def test_a_mode_is_named_where_it_is_and_not_where_it_is_not(case: Case, tmp_path: Path) -> None:
    found = asyncio.run(named(case, tmp_path / "home"))

    assert found.is_right, found.modes


def test_every_mode_has_a_detector_a_cause_and_a_recovery() -> None:
    assert set(DETECTORS) == set(MODES) == set(FailureMode)
    assert {mode.value for mode in FailureMode} == set(INJECTORS)
    assert {known.of_class for known in MODES.values()} == set(ModeClass)
    assert all(known.cause and known.containment and known.recovery for known in MODES.values())


def test_no_mode_follows_from_itself_by_way_of_others() -> None:
    def behind(mode: FailureMode, seen: tuple[FailureMode, ...]) -> None:
        assert mode not in seen, (*seen, mode)
        for one in FOLLOWS.get(mode, frozenset()):
            behind(one, (*seen, mode))

    for mode in FailureMode:
        behind(mode, ())
