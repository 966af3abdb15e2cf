"""What a phase needs and does not get: then all of it is blocked, on record and reported once (D3, F6, F10)."""

from collections.abc import Iterable, Mapping
from datetime import datetime

from echelon.coordination.blocking import block
from echelon.coordination.context import RunContext
from echelon.coordination.loss import Loss
from echelon.coordination.phase_output import PhaseOutput, output_of
from echelon.coordination.readiness import unmet_need, waits_in
from echelon.model.exception_report import ExceptionReport, Level, Trigger
from echelon.model.phrasing import count
from echelon.model.plan import PhasePlan


def unmet_needs(run: RunContext, phase: str, received: Mapping[str, PhaseOutput]) -> dict[str, str]:
    """Return the needed phases that did not deliver enough to start on, each with what it lacks (D3)."""
    definition = run.spec.job.phases[phase]
    found = {name: unmet_need(definition.need(name), output) for name, output in received.items()}
    return {name: why for name, why in found.items() if why}


def by_limit(received: Mapping[str, PhaseOutput], unmet: Iterable[str]) -> bool:
    """Say whether what a phase lacks is not there because a stated limit was kept, and not because something failed."""
    lacking = [received.get(name, PhaseOutput()).missing for name in unmet]
    return all(any(one.over_limit for one in missing) for missing in lacking)


def until_of(received: Mapping[str, PhaseOutput], unmet: Iterable[str]) -> datetime | None:
    """Return when what a phase lacks can be done, where that waits for a quota (F10)."""
    waits = (waits_in(received.get(name, PhaseOutput()).missing) for name in unmet)
    return max((one.until for one in waits if one and one.until), default=None)


def asks_of(received: Mapping[str, PhaseOutput], unmet: Iterable[str]) -> str:
    """Return what a person must do before what a phase lacks can be delivered; empty where nobody is waited for."""
    waits = (waits_in(received.get(name, PhaseOutput()).missing) for name in unmet)
    return next((one.asks for one in waits if one and one.asks), "")


async def block_phase(
    run: RunContext, phase: PhasePlan, unmet: Mapping[str, str], received: Mapping[str, PhaseOutput]
) -> PhaseOutput:
    """End every task of a phase that has nothing to work on; reported once, however many they are (F6)."""
    reason, agent_of = next(iter(unmet.values())), run.spec.plan.agent_of
    message = f"phase {phase.name!r} is blocked, {count(len(phase.tasks), 'task')} not started: {reason}"
    report = ExceptionReport(
        trigger=Trigger.BLOCKED, level=Level.WARNING, path=(phase.sync.owner,), message=message, at=run.now()
    )
    limited, until = by_limit(received, unmet), until_of(received, unmet)
    losses = [
        Loss(
            task_id=task,
            producer=agent_of[task],
            reason=reason,
            causes=tuple(unmet),
            over_limit=limited,
            until=until,
            asks=asks_of(received, unmet),
        )
        for task in phase.tasks
    ]
    return output_of(await block(run, phase.name, losses, report))
