"""How a run ended, from what its phases handed on. Pure."""

from collections.abc import Iterable, Mapping

from echelon.coordination.phase_output import PhaseOutput
from echelon.model.run import RunStatus
from echelon.planning.schedule.phase_graph import ancestors


def status_after(
    outputs: Mapping[str, PhaseOutput],
    needs: Mapping[str, Iterable[str]] | None = None,
    *,
    is_sample: bool = False,
) -> RunStatus:
    """Failed when no phase at the end delivered although it should; partial when anything is missing (F7).

    Phases at the end are those that no other one in `outputs` waits for, given what each `needs`; None: each waits for
    the one before it. What only an old output or a default value stands in for is missing too. Where the end is not
    there because a stated limit was kept, in it or in what it needs, the run is partial. Whatever else it lacks, a run
    waits while only a person knows how it goes on (F8), or a quota has to reset first (F10). So does one that did a
    sample, unless that delivered nothing: `is_sample` says that tasks were left out.
    """
    outputs = {phase: output for phase, output in outputs.items() if not output.skipped}
    if not outputs:
        return RunStatus.WAITING if is_sample else RunStatus.COMPLETED
    if any(missing.asks or missing.until for output in outputs.values() for missing in output.lacks):
        return RunStatus.WAITING
    names = list(outputs)
    chain = {name: names[:number] for number, name in enumerate(names)}
    before = {name: ancestors(chain if needs is None else needs, name) for name in names}
    ends = {name: outputs[name] for name in names if not any(name in above for above in before.values())}
    lost = [name for name, output in ends.items() if output.missing and not output.handoffs]
    behind = {one for name in lost for one in (name, *before[name]) if one in outputs}
    limited = any(missing.over_limit for name in behind for missing in outputs[name].missing)
    if len(lost) == len(ends) and not limited:
        return RunStatus.FAILED
    if is_sample:
        return RunStatus.WAITING
    return RunStatus.PARTIAL if any(output.lacks for output in outputs.values()) else RunStatus.COMPLETED
