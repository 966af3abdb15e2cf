"""Notes and answers without a model: the weightiest quotes, word for word, with their references."""

from contracts.research import FactCollection, Note, Theme
from echelon import Handoffs, Outcome, agent
from echelon.model.phrasing import count
from tasks.research.themes import weighed

#: Quotes in a note, and in an answer.
_QUOTED = 3


@agent
def note(theme: Theme) -> Outcome[Note]:
    """Sum up the facts of one theme by its weightiest quotes."""
    best = theme.facts[:_QUOTED]
    made = Note(text=" ".join(fact.quote for fact in best), references=tuple(fact.reference for fact in theme.facts))
    return Outcome(output=made, summary=f"{theme.name}: {count(len(theme.facts), 'fact')}")


@agent
def answer(read: Handoffs[FactCollection], question: str) -> Note:
    """Answer the question by the weightiest quotes of all documents."""
    facts = weighed([fact for found in read.outputs() for fact in found.facts], question)[:_QUOTED]
    return Note(text=" ".join(fact.quote for fact in facts), references=tuple(fact.reference for fact in facts))


def answered(read: Handoffs[FactCollection]) -> bool:
    """Does any document say something about the question?"""
    return any(found.facts for found in read.outputs())
