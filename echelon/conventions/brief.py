"""What an agent is told of the conventions, with its brief: what it can act on in this run, and no more (K, X2)."""

from echelon.conventions.facts import BriefReader, Facts
from echelon.conventions.to_agents import TO_AGENTS

#: File in the folder of a run that has the whole page, for people.
PAGE = "conventions.md"


def brief_conventions(facts: Facts, reader: BriefReader) -> tuple[str, ...]:
    """Return what an agent is told to keep to, a sentence or two a line; the same for all that are told alike (K)."""
    told = facts.told_to(reader)
    return tuple(line for row in TO_AGENTS if reader.audience in row.audience for line in row.lines(told))
