"""The runs that a diagnosis is judged with: frozen, complete, and silent about what they suffer from."""

import hashlib
import re
from pathlib import Path

import pytest

from benchmarks.diagnosis_cases.cases import CASES, Case, play
from benchmarks.diagnosis_cases.figures import FIGURES, Seen, read_runs
from benchmarks.diagnosis_cases.names import Words
from benchmarks.diagnosis_cases.setting import STRENGTHS, at_home

ROOT = Path(__file__).parents[3]

#: What makes the runs. How they are played and shown (`play.py`, `figures.py`, `README.md`) may change at any time.
FROZEN = (
    "cases.py",
    "coordination.py",
    "decomposition.py",
    "hierarchy.py",
    "integration.py",
    "jobs.py",
    "models.py",
    "names.py",
    "people.py",
    "scaling.py",
    "setting.py",
    "words.json",
)

#: sha256 of those files. They were written before any detector, and a detector is judged by them: whoever writes or
#: changes one never changes them. They may change where the interface that they use has changed, so that they cannot be
#: played any more, or where a case is shown not to have its mode, or a twin to have one. Both are done by somebody who
#: does not work on detectors, in a commit of its own that says what and why; the figures of all detectors are then
#: measured anew. `python -m pytest` prints the digest of today where it differs.
DIGEST = "971caf6f0dee6d476035827ca9c586ccdbebab25475dcc54612c804790cfe273"

MODES = {
    "over-decomposition",
    "under-decomposition",
    "bad-boundaries",
    "serial-where-parallel",
    "orchestrator-saturation",
    "overhead-exceeds-value",
    "coordination-gaps",
    "coordination-conflict",
    "no-integration-owner",
    "integration-bottleneck",
    "context-loss",
    "late-integration-failure",
    "information-loss",
    "authority-gradient",
    "approval-bottleneck",
    "too-deep",
    "too-shallow",
    "wrong-regime",
    "scaling-ceiling",
    "premature-scaling",
    "scaling-denial",
}

#: Quick ones, of different kinds: (mode, strength, has it).
PLAYED = (
    ("over-decomposition", "severe", True),
    ("over-decomposition", "severe", False),
    ("under-decomposition", "plain", True),
    ("coordination-conflict", "mild", True),
    ("coordination-conflict", "mild", False),
    ("integration-bottleneck", "mild", False),
)


def test_they_are_what_they_were_when_they_were_written() -> None:
    """A judge that is changed until the judged is right says nothing."""
    digest = hashlib.sha256()
    for name in FROZEN:
        content = (ROOT / "benchmarks" / "diagnosis_cases" / name).read_bytes()
        digest.update(f"{name} {len(content)}\n".encode() + content)

    assert digest.hexdigest() == DIGEST


def test_each_mode_has_three_cases_and_a_twin_of_each() -> None:
    wanted = {(mode, strength, has) for mode in MODES for strength in STRENGTHS for has in (True, False)}

    assert {(case.mode, case.strength, case.has_mode) for case in CASES} == wanted
    assert len(CASES) == 126
    assert set(FIGURES) == MODES


def test_a_case_and_its_twin_have_the_same_seed_and_no_other_has() -> None:
    seeds: dict[int, set[tuple[str, str]]] = {}
    for case in CASES:
        seeds.setdefault(case.seed, set()).add((case.mode, case.strength))

    assert len(seeds) == 63
    assert all(len(known) == 1 for known in seeds.values())


@pytest.mark.parametrize("kind", ["items", "phases", "agents", "domains"])
def test_names_differ_by_seed(kind: str) -> None:
    """Whoever goes by names learns nothing that holds in another run."""
    found = {tuple(getattr(Words(case.seed), kind)(6) if kind == "items" else _first(case, kind)) for case in CASES}

    assert len(found) == 63


def _first(case: Case, kind: str) -> list[str]:
    return getattr(Words(case.seed), kind)[:6]


@pytest.mark.anyio
@pytest.mark.parametrize(("mode", "strength", "has_mode"), PLAYED)
async def test_a_case_is_played_and_its_log_does_not_say_what_it_is(
    mode: str, strength: str, has_mode: bool, tmp_path: Path
) -> None:
    case = next(one for one in CASES if (one.mode, one.strength, one.has_mode) == (mode, strength, has_mode))

    run_id = await play(case, tmp_path)

    with at_home(tmp_path):
        runs = await read_runs()
    assert runs[-1].view.record.run_id == run_id
    assert runs[-1].view.missing == () or has_mode
    assert _shows_it(mode, runs[-1]) == has_mode
    assert not {one for event in runs[-1].events for one in _tells(event.model_dump_json())}


#: What would tell a run: each mode with its words joined in any way, and what there is of it.
TELLING = {mode.replace("-", joint) for mode in MODES for joint in "-_ "} | {*STRENGTHS, "twin"}


def _tells(text: str) -> set[str]:
    said = text.replace(str(ROOT), "").lower()
    return {one for one in TELLING if one in said and re.search(rf"\b{one}\b", said)}


def _shows_it(mode: str, run: Seen) -> bool:
    """Say whether a run shows what it is made to show, by one plain figure."""
    measures = run.view.measures
    return {
        "over-decomposition": (measures.coordination_ratio or 0) > 0.4 and max(run.shares) < 0.1,
        "under-decomposition": measures.failed == 2 and max(run.shares) > 0.9,
        "coordination-conflict": len(run.view.conflicts) == 1,
        "integration-bottleneck": (measures.integration_share or 0) > 0.3,
    }[mode]
