"""A loop over phases: they are done again, all of them, until a check of what they hand on passes (X12)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pydantic import BaseModel

from echelon.agents.agent import cannot_be_undone
from echelon.agents.call import CallShape
from echelon.agents.checks.check import check_of, check_whole
from echelon.definition.fitting import check_received
from echelon.definition.phase import PhaseDefinition
from echelon.definition.rolling.repeat import Repeat, Repetition, refuse_own_work
from echelon.model.errors import InvalidJob
from echelon.planning.schedule.phase_graph import ancestors


@dataclass(frozen=True, kw_only=True)
class Loop:
    """Phases that are repeated together."""

    members: tuple[str, ...]
    """The phases, producers first."""
    ends: tuple[str, ...]
    """Those of them that no other one needs: what they hand on is what the loop is for."""
    repetition: Repetition
    """The check, and how often it may be made."""

    @property
    def name(self) -> str:
        """What it is recorded as."""
        return "+".join(self.members)


def loop_of(
    names: Sequence[str], repeat: Repeat, phases: Mapping[str, PhaseDefinition], inputs_type: type[BaseModel]
) -> Loop:
    """Return a loop over phases that are all there; `InvalidJob` where repeating them would make no sense."""
    members = tuple(name for name in phases if name in names)
    said = ", ".join(map(repr, members))
    check = check_of(f"phase {members[-1]!r}", repeat.until)
    check_whole(f"the loop over {said}", check)
    for name in members:
        _check_member(said, phases[name])
        refuse_own_work(f"the loop over {said}", check, phases[name].agents)
    shape = CallShape(inputs_type=inputs_type, upstream=members, checks=object)
    check_received(members[-1], (check,), {name: phases[name] for name in members})
    needed = {need for name in members for need in phases[name].needs}
    return Loop(
        members=members,
        ends=tuple(name for name in members if name not in needed),
        repetition=Repetition(check=check.bind(shape), rounds=repeat.rounds, stall=repeat.stall, whole_phase=True),
    )


def _check_member(said: str, phase: PhaseDefinition) -> None:
    for one in phase.agents:
        if cannot_be_undone(one):
            raise InvalidJob(f"the loop over {said}: what {one.name!r} does cannot be undone, so it cannot be repeated")
    if phase.sync is not None and phase.sync.stop is not None:
        raise InvalidJob(
            f"the loop over {said}: work that is repeated until a check passes cannot end before; give phase "
            f"{phase.name!r} no stop="
        )
    if phase.reuse is not None:
        raise InvalidJob(
            f"the loop over {said}: work that is repeated until a check passes cannot be kept; give phase "
            f"{phase.name!r} no reuse="
        )
    if phase.repetition is not None and phase.repetition.whole_phase:
        raise InvalidJob(
            f"the loop over {said}: phase {phase.name!r} is repeated as a whole by itself; leave one of the two checks "
            "out, or let its own check judge each task"
        )


def check_closed(loop: Loop, phases: Mapping[str, PhaseDefinition]) -> None:
    """Refuse a loop in which a phase waits for one outside that waits for the loop: neither could end first."""
    needs = {name: phase.needs for name, phase in phases.items()}
    for outside in phases:
        if outside in loop.members or not ancestors(needs, outside) & set(loop.members):
            continue
        behind = next((name for name in loop.members if outside in ancestors(needs, name)), None)
        if behind is not None:
            raise InvalidJob(
                f"the loop over {', '.join(map(repr, loop.members))}: phase {outside!r} is needed by {behind!r} and "
                "waits for the loop itself; make it a part of the loop"
            )
