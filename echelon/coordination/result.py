"""How a run ended, from what its phases handed on. Pure."""

from collections.abc import Mapping

from echelon.coordination.phase_output import PhaseOutput
from echelon.model.run import RunStatus


def status_after(outputs: Mapping[str, PhaseOutput]) -> RunStatus:
    """Failed when the last phase delivered nothing although it should; partial when anything is missing (F7).

    What only an old output or a default value stands in for is missing too. Whatever else it lacks, a run waits while
    only a person knows how it goes on (F8).
    """
    if not outputs:
        return RunStatus.COMPLETED
    if any(missing.asks for output in outputs.values() for missing in output.lacks):
        return RunStatus.WAITING
    last = list(outputs.values())[-1]
    if last.missing and not last.handoffs:
        return RunStatus.FAILED
    return RunStatus.PARTIAL if any(output.lacks for output in outputs.values()) else RunStatus.COMPLETED
