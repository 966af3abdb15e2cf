"""All cases and their twins, and how one is played. What each mode is made of stands in the file of its class."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from benchmarks.diagnosis_cases import coordination, decomposition, hierarchy, integration, scaling
from benchmarks.diagnosis_cases.setting import STRENGTHS, Setting, at_home

Injector = Callable[[Setting], Awaitable[str]]

INJECTORS: Mapping[str, Injector] = {
    "over-decomposition": decomposition.over_decomposition,
    "under-decomposition": decomposition.under_decomposition,
    "bad-boundaries": decomposition.bad_boundaries,
    "serial-where-parallel": decomposition.serial_where_parallel,
    "orchestrator-saturation": coordination.orchestrator_saturation,
    "overhead-exceeds-value": coordination.overhead_exceeds_value,
    "coordination-gaps": coordination.coordination_gaps,
    "coordination-conflict": coordination.coordination_conflict,
    "no-integration-owner": integration.no_integration_owner,
    "integration-bottleneck": integration.integration_bottleneck,
    "context-loss": integration.context_loss,
    "late-integration-failure": integration.late_integration_failure,
    "information-loss": hierarchy.information_loss,
    "authority-gradient": hierarchy.authority_gradient,
    "approval-bottleneck": hierarchy.approval_bottleneck,
    "too-deep": hierarchy.too_deep,
    "too-shallow": hierarchy.too_shallow,
    "wrong-regime": scaling.wrong_regime,
    "scaling-ceiling": scaling.scaling_ceiling,
    "premature-scaling": scaling.premature_scaling,
    "scaling-denial": scaling.scaling_denial,
}


@dataclass(frozen=True)
class Case:
    """A run that has a mode, or its twin, which has not."""

    mode: str
    """Which of the 21 modes."""
    strength: str
    """How much of it there is, one of `STRENGTHS`."""
    has_mode: bool
    """Does the run have the mode? Else it is the twin."""
    seed: int
    """Decides names, texts and numbers; a case and its twin have the same."""


CASES: tuple[Case, ...] = tuple(
    Case(mode, strength, has_mode, 1_000 + 10 * place + degree)
    for place, mode in enumerate(INJECTORS)
    for degree, strength in enumerate(STRENGTHS)
    for has_mode in (True, False)
)


async def play(case: Case, home: Path) -> str:
    """Carry out the run or runs of a case in a home of their own; return the id of the run to be diagnosed.

    Runs of one job that came before it are in the same journal. One case is played at a time in a process.
    """
    with at_home(home):
        return await INJECTORS[case.mode](Setting(strength=case.strength, has_mode=case.has_mode, seed=case.seed))
