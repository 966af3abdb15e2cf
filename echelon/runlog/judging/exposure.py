"""What verdicts are worth of somebody who accepts whatever it is given: nothing, in all of the run (O3). Pure."""

from collections.abc import Mapping

from echelon.model.audit.probe import VerifierProbe
from echelon.model.run import StepRecord
from echelon.model.verification.verification import CheckReport, Verification, concluded


def exposed_in(probes: Mapping[str, VerifierProbe]) -> dict[str, str]:
    """Return the verifiers that accept whatever they are given, each with what is said of it."""
    return {name: probe.said for name, probe in probes.items() if probe.is_exposed}


def revised(record: StepRecord, probes: Mapping[str, VerifierProbe]) -> StepRecord:
    """Return the record of a step with the verdicts of such verifiers as what they are: unverifiable."""
    known = record.handoff.verification
    exposed = exposed_in(probes) if known is not None and known.result == "accepted" else {}
    if known is None or not any(one.name in exposed for one in known.checks):
        return record
    handoff = record.handoff.model_copy(update={"verification": _without(known, exposed)})
    return record.model_copy(update={"handoff": handoff})


def _without(known: Verification, exposed: Mapping[str, str]) -> Verification:
    checks = [_worthless(one, exposed[one.name]) if one.name in exposed else one for one in known.checks]
    return concluded(checks, known.unchecked, trace=known.trace, code=known.code)


def _worthless(report: CheckReport, why: str) -> CheckReport:
    return report.model_copy(update={"result": "unverifiable", "gap": why})
