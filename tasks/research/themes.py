"""Which themes there are in the facts: found when the facts are there, the same for the same facts."""

import math
from collections import Counter, defaultdict
from collections.abc import Sequence

from contracts.research import Fact, FactCollection, Theme
from echelon import Handoffs
from tasks.research.words import share, stem, terms_of, weights, words_of

#: Themes, the one for what is left included.
MAX_THEMES = 12
#: Facts that one theme is made of, at most: the weightiest.
MAX_FACTS = 40
#: The theme of facts that share no word with another one.
OTHERS = "other facts"


def themes(read: Handoffs[FactCollection], question: str) -> list[Theme]:
    """Part facts into themes, each by a word that its facts share beyond the question.

    Again and again the word is taken that parts best what is left: one of many facts, rather not of all.
    """
    left = weighed([fact for found in read.outputs() for fact in found.facts], question)
    words = {fact.reference: terms_of(fact.quote) - terms_of(question) for fact in left}
    made: list[Theme] = []
    while left and len(made) < MAX_THEMES - 1:
        term = _parting([words[fact.reference] for fact in left])
        if term is None:
            break
        facts = [fact for fact in left if term in words[fact.reference]]
        left = [fact for fact in left if fact not in facts]
        made.append(Theme(name=_shown(term, facts), facts=tuple(facts[:MAX_FACTS])))
    return [*made, Theme(name=OTHERS, facts=tuple(left[:MAX_FACTS]))] if left else made


def weighed(facts: Sequence[Fact], question: str) -> list[Fact]:
    """Return facts, those with most of the question's weight first; a word of fewer documents weighs more."""
    documents: dict[str, frozenset[str]] = defaultdict(frozenset)
    for fact in facts:
        documents[fact.document] |= terms_of(fact.quote)
    weight = weights(terms_of(question), documents.values())
    return sorted(facts, key=lambda one: (-share(terms_of(one.quote), weight), one.document, one.line))


def _parting(facts: Sequence[frozenset[str]]) -> str | None:
    """Return the word that parts facts best; None where no two of them share one."""
    counts = Counter(term for terms in facts for term in terms if not term.isdigit())
    worth = {term: number * math.log(len(facts) / number) for term, number in counts.items() if number > 1}
    return min(worth, key=lambda term: (-worth[term], term)) if worth else None


def _shown(term: str, facts: Sequence[Fact]) -> str:
    """Return a word as it stands in the facts, in the form that is there most often."""
    forms = Counter(word for fact in facts for word in words_of(fact.quote) if stem(word) == term)
    return min(forms, key=lambda word: (-forms[word], word))
