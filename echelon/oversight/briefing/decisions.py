"""What was decided in a run, by whom and why, for those who work in it from now on (X2, X9). Pure."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import TypeVar

from echelon.model.phrasing import count, listed
from echelon.runlog.state import RunState

#: Subjects or tasks that a line names.
NAMED = 3

_Dated = tuple[datetime, str]

T = TypeVar("T")


def decisions_in(state: RunState) -> list[str]:
    """Return what was decided: about conflicts, concerns, gates and proposed tasks; the newest first."""
    found = [*_conflicts(state), *_concerns(state), *_gates(state), *_proposals(state)]
    return [said for _, said in sorted(found, key=lambda one: one[0], reverse=True)]


def _conflicts(state: RunState) -> Iterator[_Dated]:
    """Yield decisions about conflicts, those that say the same of several subjects once."""
    found = ((one, one.settled) for one in state.conflicts.values() if one.settled is not None and one.is_decided)
    said = (
        ((settled.chosen, one.owner, settled.by, settled.reason), one.conflict.subject, settled.at)
        for one, settled in found
    )
    for (chosen, owner, by, reason), subjects, at in _alike(said):
        yield at, f"{chosen} counts about {listed(subjects, NAMED)}, as {by} decided for {owner}: {reason}"


def _concerns(state: RunState) -> Iterator[_Dated]:
    for one in state.concerns.values():
        end = one.disposition
        if end is not None:
            what = f"concern about {one.concern.about} ({one.concern.message})"
            yield end.at, f"{what} was {end.verdict} by {end.author}: {end.reason}"


def _gates(state: RunState) -> Iterator[_Dated]:
    words = {"approve": "was approved", "deny": "was denied"}
    for gate in state.gates.values():
        answer = gate.decision
        if answer is not None:
            said = words.get(answer.verdict, f"was answered {answer.verdict}")
            yield (
                answer.at,
                f"{gate.action.task_id} {said} by {answer.author}: {answer.reason or 'no reason was given'}",
            )


def _proposals(state: RunState) -> Iterator[_Dated]:
    found = ((one, one.decision) for one in state.proposals.values() if one.decision is not None)
    said = (((decided.taken, decided.by, decided.reason), one.proposal.goal, decided.at) for one, decided in found)
    for (taken, by, reason), goals, at in _alike(said):
        became = "taken" if taken else "declined"
        yield at, f"{count(len(goals), 'proposed task')} {became} by {by} ({listed(goals, NAMED)}): {reason}"


def _alike(said: Iterable[tuple[T, str, datetime]]) -> Iterator[tuple[T, list[str], datetime]]:
    """Yield what was decided alike once: with everything that it was decided about, and when it was the last time."""
    about: dict[T, list[str]] = {}
    newest: dict[T, datetime] = {}
    for decision, subject, at in said:
        about.setdefault(decision, []).append(subject)
        newest[decision] = max(at, newest.get(decision, at))
    yield from ((decision, subjects, newest[decision]) for decision, subjects in about.items())
