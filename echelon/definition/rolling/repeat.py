"""`Repeat`: work is done again until somebody else finds that it passes, or it is of no use any more (X12)."""

import inspect
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import cast

from echelon.agents.agent import Agent, cannot_be_undone
from echelon.agents.call import CallShape
from echelon.agents.checks.check import check_of, check_whole, checks_whole_phase, shape_of_check
from echelon.agents.checks.criterion import Check
from echelon.agents.checks.verdict import Verdict
from echelon.agents.command import CommandAgent
from echelon.agents.fingerprint.agent import fingerprint_of
from echelon.agents.fingerprint.model import parts_of
from echelon.agents.function import FunctionAgent
from echelon.agents.model import ModelAgent
from echelon.model.errors import InvalidJob
from echelon.model.handoff import StoppedBy
from echelon.oversight.conflicts.damping import DEFAULT_REACTIONS

#: What a check writes that is another each time: 12:13:18.5, 2026-11-29, 0.12s, 0x7f3a.
_VARIES = re.compile(
    r"\b(?:\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?|\d{4}-\d{2}-\d{2}|\d+(?:\.\d+)? ?(?:ms|s|sec|seconds)|0x[0-9a-f]+)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, kw_only=True)
class Repeat:
    """Do work again until a check passes.

    `until` is the check: a function, a command or an agent, never whoever did the work. It says True or False, a text
    (what is missing), or a `Verdict`. A check that asks for the item, the `output` or the `Rounds[...]` judges each
    task by itself, and only those that do not pass are done again; one that asks for `Handoffs[...]`, or for nothing of
    that, judges the phase as a whole. Each round is a new call that is told what was missing.
    """

    until: Check
    """Says whether the work passes."""
    rounds: int = 3
    """So many rounds are made at most."""
    stall: int = 2
    """After so many rounds in a row in which the check found nothing that it had not found before, no more are made."""
    reactions: int = DEFAULT_REACTIONS
    """After so many returns to an earlier version no more are made, and the owner decides which one counts (X5)."""

    def __post_init__(self) -> None:
        """Refuse bounds that are none; `InvalidJob`."""
        if min(self.rounds, self.stall, self.reactions) < 1:
            stated = f"rounds={self.rounds}, stall={self.stall} and reactions={self.reactions}"
            raise InvalidJob(f"repeat: {stated} must all be 1 or more")


@dataclass(frozen=True, kw_only=True)
class Repetition:
    """A `Repeat` as part of a phase."""

    check: Agent
    """Bound to what it is called with."""
    rounds: int
    stall: int
    whole_phase: bool
    """Does the check judge all outputs together?"""
    reactions: int = DEFAULT_REACTIONS

    def why_stopped(self, verdicts: Sequence[Verdict], *, alternates: bool = False) -> StoppedBy | None:
        """Say why no further round is made, given what was said of those made so far; None: there is another one.

        `alternates` says that they go back and forth between versions as often as they may.
        """
        last = verdicts[-1]
        if last.passed:
            return "passed"
        if last.result == "unverifiable":
            return "unverifiable"
        if alternates:
            return "alternating"
        if _rounds_without_news(verdicts) >= self.stall:
            return "no_progress"
        return "rounds" if len(verdicts) >= self.rounds else None


def repetition_of(
    phase: str, repeat: Repeat, who: Sequence[Agent], shape: CallShape, *, integrates: bool
) -> Repetition:
    """Return how the work of a phase is repeated; `InvalidJob` where that would make no sense."""
    for one in who:
        if cannot_be_undone(one):
            raise InvalidJob(f"phase {phase!r}: what {one.name!r} does cannot be undone, so it cannot be repeated")
    check = check_of(f"phase {phase!r}", repeat.until)
    refuse_own_work(f"phase {phase!r}", check, who)
    seen = shape_of_check(shape, phase, who[0].output_type if len(who) == 1 else object)
    whole = checks_whole_phase(check, seen, integrates=integrates)
    if whole:
        check_whole(f"phase {phase!r}", check)
    bound = shape_of_check(CallShape(inputs_type=shape.inputs_type), phase, object) if whole else seen
    return Repetition(
        check=check.bind(bound), rounds=repeat.rounds, stall=repeat.stall, whole_phase=whole, reactions=repeat.reactions
    )


def refuse_own_work(place: str, check: Agent, who: Iterable[Agent]) -> None:
    """Refuse a check of whoever does the work, under this name or another (O3); `InvalidJob`."""
    author = next((one for one in who if works_alike(check, one)), None)
    if author is not None:
        alias = "" if author.name == check.name else f", as {author.name!r}"
        raise InvalidJob(
            f"{place}: {check.name!r} would check its own work{alias}; let somebody else check it, or a function"
        )


def is_same_worker(check: Agent, worker: Agent) -> bool:
    """Say whether a check is whoever did the work: the same object, function, command line or model agent.

    A function that is wrapped by a decorator is still the same one.
    """
    if check is worker:
        return True
    if isinstance(check, FunctionAgent) and isinstance(worker, FunctionAgent):
        one, other = cast("FunctionAgent[..., object]", check), cast("FunctionAgent[..., object]", worker)
        return inspect.unwrap(one.function) is inspect.unwrap(other.function)
    if isinstance(check, ModelAgent) and isinstance(worker, ModelAgent):
        return cast("ModelAgent[object]", check).model is cast("ModelAgent[object]", worker).model
    if isinstance(check, CommandAgent) and isinstance(worker, CommandAgent):
        return _command_line(cast("CommandAgent[object]", check)) == _command_line(cast("CommandAgent[object]", worker))
    return False


def works_alike(check: Agent, worker: Agent) -> bool:
    """Say whether a check is whoever did the work, perhaps under another name (O3).

    What has the same code, or is told the same and is the same model, has the same blind spots.
    """
    if is_same_worker(check, worker):
        return True
    if isinstance(check, FunctionAgent) and isinstance(worker, FunctionAgent):
        functions = cast("tuple[FunctionAgent[..., object], ...]", (check, worker))
        one, other = map(fingerprint_of, functions)
        return one == other != ""
    if isinstance(check, ModelAgent) and isinstance(worker, ModelAgent):
        told = _told(cast("ModelAgent[object]", check))
        return told is not None and told == _told(cast("ModelAgent[object]", worker))
    return False


def _told(agent: ModelAgent[object]) -> tuple[list[str], ...] | None:
    """Return which model an agent is and what it is told; None where nothing is: what it is asked says who it is."""
    instructions, model, _settings, _contract, _tools, prompt = parts_of(agent)
    told = [" ".join(one.split()) for one in instructions]
    return (told, model, prompt) if any(told) else None


def _command_line(command: CommandAgent[object]) -> tuple[object, ...]:
    return command.arguments, command.cwd, command.stdin


def _rounds_without_news(verdicts: Sequence[Verdict]) -> int:
    """Return how many of the last rounds in a row only found what an earlier one had found already.

    That is the same again and again, and what goes back and forth between a few answers, too.
    """
    found = [(_lasting(one.gap), sorted(one.items)) for one in verdicts]
    without = 0
    for number in range(len(found) - 1, 0, -1):
        if found[number] not in found[:number]:
            break
        without += 1
    return without


def _lasting(text: str) -> str:
    """Return what a check wrote without what differs each time it is made: times, durations and addresses."""
    return " ".join(_VARIES.sub("#", text).split())
