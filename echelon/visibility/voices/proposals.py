"""Proposed tasks in words: how many were taken, how many declined and for which reasons (D10). Pure."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from echelon.model.phrasing import count, listed, one_line, truncate
from echelon.model.voice.proposals import ProposalRecord

#: Proposed tasks of one group that are named in a line, and how much of each goal is, in characters.
NAMED, GOAL_CHARACTERS = 3, 80

#: Proposed tasks of one group that a report names; the others are counted.
MOST_IN_REPORT = 200


class ProposalGroup(NamedTuple):
    """Proposed tasks of which the same became, for the same reason."""

    outcome: str
    """`taken`, `declined` or `not decided`."""
    phase: str
    """The phase that decided; empty where none did."""
    reason: str
    """Why; empty while nobody has decided."""
    records: tuple[ProposalRecord, ...]
    """Which, in the order they were proposed."""

    @property
    def became(self) -> str:
        """What became of them, and why."""
        where = f" in phase {self.phase!r}" if self.phase and self.outcome == TAKEN else ""
        return f"{self.outcome}{where}" + (f": {self.reason}" if self.reason else "")

    @property
    def said(self) -> str:
        """The same in one line, with the first of them."""
        goals = listed(self.records, NAMED, lambda one: truncate(one_line(one.proposal.goal), GOAL_CHARACTERS), "; ")
        return f"{len(self.records):,} {self.became} ({goals})"

    @property
    def shown(self) -> tuple[ProposalRecord, ...]:
        """Those that a report names."""
        return self.records[:MOST_IN_REPORT]


TAKEN, DECLINED, UNDECIDED = "taken", "declined", "not decided"

#: What is told first.
_ORDER = (TAKEN, UNDECIDED, DECLINED)


def proposal_groups(proposals: Sequence[ProposalRecord]) -> list[ProposalGroup]:
    """Return proposed tasks by what became of them: taken, not decided, declined, the most frequent reason first."""
    found: defaultdict[tuple[str, str, str], list[ProposalRecord]] = defaultdict(list)
    for one in proposals:
        decision = one.decision
        if decision is None:
            found[UNDECIDED, "", ""].append(one)
        else:
            found[TAKEN if decision.taken else DECLINED, decision.phase, decision.reason].append(one)
    groups = [ProposalGroup(*key, tuple(records)) for key, records in found.items()]
    return sorted(groups, key=lambda group: (_ORDER.index(group.outcome), -len(group.records)))


def proposals_counted(proposals: Sequence[ProposalRecord]) -> str:
    """Return how many tasks were proposed, and how many of what became of them; empty when nobody proposed any."""
    return f"{count(len(proposals), 'task')}: {', '.join(_counts(proposals))}" if proposals else ""


def _counts(proposals: Sequence[ProposalRecord]) -> Iterator[str]:
    groups = proposal_groups(proposals)
    for outcome in _ORDER:
        number = sum(len(group.records) for group in groups if group.outcome == outcome)
        if number:
            yield f"{number:,} {outcome}"


def proposal_line(record: ProposalRecord) -> str:
    """Return a proposed task, and what became of it, in one line."""
    (group,) = proposal_groups([record])
    task = f" as {record.decision.task_id}" if record.decision and record.decision.taken else ""
    return f"{truncate(one_line(record.proposal.goal), GOAL_CHARACTERS)}: {group.outcome}{task}" + (
        f": {group.reason}" if group.reason else ""
    )
