"""Which failure modes a run shows: one detector each, and what follows from another is said with that. Pure (G)."""

from collections.abc import Callable, Mapping, Sequence

from echelon.model.diagnosis.diagnosis import Diagnosis
from echelon.model.diagnosis.mode import FailureMode
from echelon.visibility.diagnosis.coordination import conflicting, gaps, overheads, saturated
from echelon.visibility.diagnosis.decomposition import (
    badly_bounded,
    needlessly_serial,
    over_decomposed,
    under_decomposed,
)
from echelon.visibility.diagnosis.facts import Found, RunEvidence
from echelon.visibility.diagnosis.hierarchy import (
    loses_information,
    silences,
    too_deep,
    too_shallow,
    waits_for_approval,
)
from echelon.visibility.diagnosis.integration import bottlenecked, fails_late, loses_context, unowned
from echelon.visibility.diagnosis.remedies import remedies
from echelon.visibility.diagnosis.scaling import at_ceiling, denied, premature, wrong_regime

Detector = Callable[[RunEvidence, Sequence[RunEvidence]], Found | None]
"""Gets a run and those of the job before it, newest first; says what it found."""

_M = FailureMode

DETECTORS: Mapping[FailureMode, Detector] = {
    _M.OVER_DECOMPOSITION: over_decomposed,
    _M.UNDER_DECOMPOSITION: under_decomposed,
    _M.BAD_BOUNDARIES: badly_bounded,
    _M.SERIAL_WHERE_PARALLEL: needlessly_serial,
    _M.ORCHESTRATOR_SATURATION: saturated,
    _M.OVERHEAD_EXCEEDS_VALUE: overheads,
    _M.COORDINATION_GAPS: gaps,
    _M.COORDINATION_CONFLICT: conflicting,
    _M.NO_INTEGRATION_OWNER: unowned,
    _M.INTEGRATION_BOTTLENECK: bottlenecked,
    _M.CONTEXT_LOSS: loses_context,
    _M.LATE_INTEGRATION_FAILURE: fails_late,
    _M.INFORMATION_LOSS: loses_information,
    _M.AUTHORITY_GRADIENT: silences,
    _M.APPROVAL_BOTTLENECK: waits_for_approval,
    _M.TOO_DEEP: too_deep,
    _M.TOO_SHALLOW: too_shallow,
    _M.WRONG_REGIME: wrong_regime,
    _M.SCALING_CEILING: at_ceiling,
    _M.PREMATURE_SCALING: premature,
    _M.SCALING_DENIAL: denied,
}

#: What shows as well where a mode is the cause: it is said with that one, and not by itself.
FOLLOWS: Mapping[FailureMode, frozenset[FailureMode]] = {
    _M.OVER_DECOMPOSITION: frozenset({_M.OVERHEAD_EXCEEDS_VALUE, _M.INTEGRATION_BOTTLENECK}),
    _M.TOO_SHALLOW: frozenset({_M.ORCHESTRATOR_SATURATION}),
    _M.WRONG_REGIME: frozenset({_M.TOO_SHALLOW, _M.ORCHESTRATOR_SATURATION, _M.LATE_INTEGRATION_FAILURE}),
    _M.INTEGRATION_BOTTLENECK: frozenset({_M.OVERHEAD_EXCEEDS_VALUE, _M.ORCHESTRATOR_SATURATION}),
    _M.SCALING_DENIAL: frozenset(
        {_M.WRONG_REGIME, _M.TOO_SHALLOW, _M.ORCHESTRATOR_SATURATION, _M.SCALING_CEILING, _M.LATE_INTEGRATION_FAILURE}
    ),
    _M.SCALING_CEILING: frozenset({_M.OVERHEAD_EXCEEDS_VALUE, _M.INTEGRATION_BOTTLENECK}),
    _M.PREMATURE_SCALING: frozenset({_M.OVERHEAD_EXCEEDS_VALUE, _M.OVER_DECOMPOSITION, _M.TOO_DEEP}),
    _M.TOO_DEEP: frozenset({_M.CONTEXT_LOSS}),
    _M.NO_INTEGRATION_OWNER: frozenset({_M.COORDINATION_CONFLICT}),
    _M.COORDINATION_CONFLICT: frozenset({_M.BAD_BOUNDARIES}),
    _M.LATE_INTEGRATION_FAILURE: frozenset({_M.CONTEXT_LOSS}),
    _M.APPROVAL_BOTTLENECK: frozenset({_M.ORCHESTRATOR_SATURATION}),
}


def diagnose(facts: RunEvidence, history: Sequence[RunEvidence] = ()) -> tuple[Diagnosis, ...]:
    """Return the failure modes that a run shows, the clearest first; `history` are earlier runs of it, newest first."""
    if facts.state.plan is None:
        return ()
    found = {mode: one for mode, detect in DETECTORS.items() if (one := detect(facts, history)) is not None}
    causes = _causes(found)
    said = [_diagnosis(mode, found[mode], follows, facts, history) for mode, follows in causes.items()]
    return tuple(sorted(said, key=lambda one: -one.strength))


def _causes(found: Mapping[FailureMode, Found]) -> dict[FailureMode, tuple[FailureMode, ...]]:
    """Return the modes that do not follow from another one that was found, each with those that do."""
    explained = {follows for mode in found for follows in FOLLOWS.get(mode, frozenset()) if follows in found}
    return {
        mode: tuple(one for one in found if one in FOLLOWS.get(mode, frozenset()))
        for mode in found
        if mode not in explained
    }


def _diagnosis(
    mode: FailureMode,
    found: Found,
    follows: tuple[FailureMode, ...],
    facts: RunEvidence,
    history: Sequence[RunEvidence],
) -> Diagnosis:
    known = mode.known
    return Diagnosis(
        mode=mode,
        of_class=known.of_class,
        strength=max(1.0, found.strength),
        evidence=found.evidence,
        rows=facts.first_rows(found.rows),
        cause=known.cause,
        containment=known.containment,
        recovery=known.recovery,
        explains=follows,
        changes=remedies(mode, facts, history),
    )
