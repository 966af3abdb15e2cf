"""Who approves whatever is asked, faster than it can be read (O5): such approvals decide nothing. Pure.

Nobody can say whether somebody thought. That there was no time to read is a fact: what a gate shows is on record, and
so are the moments when it was raised and answered. Who waits, and then approves unread, is not found.
"""

from collections.abc import Iterable, Iterator
from datetime import timedelta
from itertools import pairwise
from typing import NamedTuple

from echelon.model.oversight.gate import Channel, GateAnswer, GateRecord
from echelon.model.phrasing import count

#: Of fewer answers, approving all of them says little.
ANSWERED_AT_LEAST = 10

#: Silent reading of English, 238 words a minute (Brysbaert 2019, over 190 studies), at six characters a word; twice
#: that is taken, so that who reads fast is not suspected.
CHARACTERS_PER_SECOND = 2 * 238 * 6 / 60

#: Answers of one person that are no further apart were given together: in one command, behind one look at all of them.
TOGETHER = timedelta(seconds=2)

#: Answers of people: who runs the program itself, and what counts when nobody answers, read nothing.
_READ: frozenset[Channel] = frozenset({"cli", "terminal", "prefect", "token"})


class RubberStamp(NamedTuple):
    """Somebody who approved everything, most of it unread."""

    author: str
    """Who."""
    approved: int
    """Gates that were answered, all of them with an approval."""
    unread: int
    """How many of those in less time than it takes to read what they show."""

    @property
    def said(self) -> str:
        """Say it in one line."""
        return (
            f"{self.author} approved all of {count(self.approved, 'gate')}, {self.unread} of them in less time than it "
            "takes to read what they show: such approvals decide nothing"
        )


class _Answered(NamedTuple):
    gate: GateRecord
    answer: GateAnswer


def rubber_stamps(gates: Iterable[GateRecord]) -> tuple[RubberStamp, ...]:
    """Return who approved at least ten gates and denied none, at least half of them unread; by name."""
    by_author: dict[str, list[_Answered]] = {}
    for gate in gates:
        decided = gate.decision
        if decided is not None and decided.channel in _READ:
            by_author.setdefault(decided.author, []).append(_Answered(gate, decided))
    found = (_habit(author, answered) for author, answered in sorted(by_author.items()))
    return tuple(one for one in found if one is not None)


def _habit(author: str, answered: list[_Answered]) -> RubberStamp | None:
    if len(answered) < ANSWERED_AT_LEAST or any(one.answer.verdict != "approve" for one in answered):
        return None
    unread = sum(map(len, _unread(answered)))
    return RubberStamp(author, len(answered), unread) if 2 * unread >= len(answered) else None


def _unread(answered: list[_Answered]) -> Iterator[list[_Answered]]:
    """Yield answers that were given together, where there was no time to read what they are about."""
    together = _together(sorted(answered, key=lambda one: one.answer.at))
    for before, own in pairwise([[], *together]):
        begin = min(one.gate.at for one in own)
        free = max(begin, before[-1].answer.at) if before else begin
        if (own[-1].answer.at - free).total_seconds() < sum(map(_reading_seconds, own)):
            yield own


def _together(answered: list[_Answered]) -> list[list[_Answered]]:
    groups: list[list[_Answered]] = []
    for one in answered:
        if groups and one.answer.at - groups[-1][-1].answer.at <= TOGETHER:
            groups[-1].append(one)
        else:
            groups.append([one])
    return groups


def _reading_seconds(one: _Answered) -> float:
    action = one.gate.action
    shown = len(action.preview) + len(action.task_id) + sum(map(len, action.missing))
    return shown / CHARACTERS_PER_SECOND
