"""Success with prerequisites: what rests on a failure is none, however well it was done."""

import json
import tarfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from echelon.model.costs.measures import SuccessShares
from echelon.runlog import events as happened
from echelon.runlog.costs.prerequisites import success_of, success_shares
from echelon.runlog.state import RunState, fold
from tests.unit.runlog.costs.three_levels import log

#: Verdicts of people on requirements with prerequisites, where they are at hand: DevAI, of Agent-as-a-Judge, MIT.
DEVAI = tuple(parent / "shared" / "data" / "devai" / "devai.tar.gz" for parent in Path(__file__).resolve().parents)
ARCHIVE = next((path for path in DEVAI if path.exists()), None)


def shares(met: Mapping[str, bool], needs: Mapping[str, tuple[str, ...]]) -> tuple[float, float, float]:
    found = success_shares(met, needs)
    assert found is not None

    return found.alone, found.direct, found.transitive


@pytest.mark.parametrize(
    ("met", "needs", "expected"),
    [
        ({"a": True, "b": True}, {}, (1.0, 1.0, 1.0)),
        ({"a": False, "b": True}, {"b": ("a",)}, (0.5, 0.0, 0.0)),
        # c uses b, which is there; b rests on a, which is not.
        ({"a": False, "b": True, "c": True, "d": True}, {"b": ("a",), "c": ("b",)}, (0.75, 0.5, 0.25)),
        ({"a": True, "b": True}, {"b": ("elsewhere",)}, (1.0, 1.0, 1.0)),
        ({"a": True, "b": True}, {"a": ("b",), "b": ("a",)}, (1.0, 1.0, 1.0)),  # a circle rests on itself
    ],
)
def test_success_is_counted_alone_and_with_what_it_rests_on(
    met: Mapping[str, bool], needs: Mapping[str, tuple[str, ...]], expected: tuple[float, float, float]
) -> None:
    assert shares(met, needs) == expected


def test_nothing_to_count_is_unknown() -> None:
    assert success_shares({}, {}) is None
    assert success_of(RunState()) is None


def test_a_long_chain_is_no_recursion() -> None:
    chain = {n: n > 0 for n in range(20_000)}

    found = success_shares(chain, {n: (n - 1,) for n in range(1, 20_000)})

    assert found == SuccessShares(tasks=20_000, alone=19_999 / 20_000, direct=19_998 / 20_000, transitive=0.0)


def test_a_run_counts_its_tasks_so() -> None:
    whole = success_of(fold(log()))
    without_a2 = [event for event in log() if not (isinstance(event, happened.StepEnded) and _is_a2(event))]

    # report/a3 and report/a4 rest on the phase look, in which a2 is missing.
    assert whole == SuccessShares(tasks=4, alone=1.0, direct=1.0, transitive=1.0)
    assert success_of(fold(without_a2)) == SuccessShares(tasks=4, alone=0.75, direct=0.25, transitive=0.25)


def _is_a2(event: happened.StepEnded) -> bool:
    return event.record.handoff.task_id == "look/a2"


@pytest.mark.skipif(ARCHIVE is None, reason="the DevAI verdicts are not at hand; they are no part of this project")
@pytest.mark.parametrize(
    ("judged", "alone", "direct", "transitive"),
    [
        ("MetaGPT", 22.13, 6.56, 4.92),
        ("GPT-Pilot", 44.54, 28.96, 27.60),
        ("OpenHands", 42.90, 28.69, 25.96),
    ],
)
def test_366_verdicts_of_people_come_out_as_published(
    judged: str, alone: float, direct: float, transitive: float
) -> None:
    requirements = dict(_requirements(judged))

    found = success_shares(
        {key: bool(one["satisfied"]) for key, one in requirements.items()},
        {key: [(key[0], need) for need in one["prerequisites"]] for key, one in requirements.items()},
    )

    assert found is not None
    assert found.tasks == 366
    percentages = [round(share * 100, 2) for share in (found.alone, found.direct, found.transitive)]
    assert percentages == [alone, direct, transitive]


def _requirements(judged: str) -> Iterator[tuple[tuple[str, int], dict[str, Any]]]:
    assert ARCHIVE is not None, "the test is skipped without it"
    with tarfile.open(ARCHIVE) as archive:
        for member in archive.getmembers():
            if f"/judgment/{judged}/" in f"/{member.name}" and member.name.endswith(".json"):
                read = archive.extractfile(member)
                assert read is not None, "it is a file"
                for one in json.load(read)["requirements"]:
                    yield (member.name, one["requirement_id"]), one
