"""Failpoints do nothing unless the environment says so; where they kill is tried in `tests/chaos`."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from echelon.journal import failpoints
from echelon.journal.failpoints import AT, LIST, Failpoints, arm, failpoint, read_failpoints
from echelon.model.errors import InvalidInput


def died(crashes: Failpoints, *names: str) -> list[str]:
    """Pass points, and return them up to the one that kills: its last deed is taken for its death."""
    passed: list[str] = []

    class Died(Exception):
        pass

    def die() -> None:
        raise Died

    for name in names:
        passed.append(name)
        try:
            crashes.passed(name, die)
        except Died:
            return passed
    return []


def test_outside_of_such_tests_nothing_is_armed() -> None:
    assert read_failpoints({}) is None
    assert read_failpoints({AT: "", LIST: ""}) is None
    failpoint("anything", last=lambda: pytest.fail("nobody dies here"))


@pytest.mark.parametrize(
    ("at", "dies_at"),
    [("a:1", 1), ("a:2", 3), ("b:1", 2), ("*:1", 1), ("*:3", 3), ("a:3", 0), ("c:1", 0)],
)
def test_a_process_dies_at_the_passage_it_was_told(at: str, dies_at: int) -> None:
    crashes = read_failpoints({AT: at})
    assert crashes is not None

    assert len(died(crashes, "a", "b", "a")) == dies_at


@pytest.mark.parametrize("at", ["a", ":1", "a:", "a:0", "a:x", "a:-1"])
def test_a_passage_that_makes_no_sense_is_refused(at: str) -> None:
    with pytest.raises(InvalidInput, match=r"ECHELON_FAILPOINT_AT=.*<name>:<k>"):
        read_failpoints({AT: at})


def test_nonsense_in_the_environment_stops_no_import_but_the_first_point() -> None:
    code = "import echelon, echelon.journal.failpoints as points\nprint('imported')\npoints.failpoint('any')"
    command = [sys.executable, "-c", code]
    told = subprocess.run(command, env={**os.environ, AT: "soon"}, capture_output=True, text=True, check=False)

    assert told.stdout == "imported\n"
    assert "InvalidInput: ECHELON_FAILPOINT_AT='soon' names no passage of a failpoint" in told.stderr


def test_points_are_listed_in_the_order_they_are_passed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(failpoints, "_failpoints", None)  # given back at the end
    arm({LIST: str(tmp_path / "points")})
    for name in ("run.planned", "step.begun", "step.begun"):
        failpoint(name)

    assert (tmp_path / "points").read_text(encoding="utf-8").split() == ["run.planned", "step.begun", "step.begun"]


def test_the_signal_cannot_be_caught() -> None:
    assert signal.SIGKILL == failpoints._KILL
