"""Which words of a text count, and how much: all that is known of language here. Pure.

Words are compared without case and without the endings -s, -es, -ed and -ing. Words that say nothing by themselves are
left out, those of English only. Languages that do not part words by blanks need a model.
"""

import math
import re
import unicodedata
from collections import Counter
from collections.abc import Collection, Iterable, Mapping

#: Words that are in nearly every sentence, or that questions are made with.
_EMPTY = frozenset(
    """
    a about after all also an and any are as at be because been before being but by can could did do does done each else
    even every few for from get gets had has have he her here him his how i if in into is it its just like many may me
    might more most much must my no nor not of off on once one only or other our out over own per same say says shall
    she should so some such tell than that the their them then there these they this those through to too under until up
    us use used very was we well were what when where whether which while who whom whose why will with within without
    would yet you your
    """.split()  # noqa: SIM905 - a text is read more easily
)

_ENDINGS = ("ing", "ed", "es", "s")

#: What is left of a word without its ending has so many letters at least.
_STEM = 3


def words_of(text: str) -> list[str]:
    """Return the words of a text as they stand there, in lower case, without those that say nothing."""
    plain = unicodedata.normalize("NFKC", text).casefold()
    return [word for word in re.findall(r"[^\W_]+", plain) if word not in _EMPTY]


def stem(word: str) -> str:
    """Return what a word is compared by.

    >>> [stem(word) for word in ("refunds", "refunded", "refund", "class", "gas")]
    ['refund', 'refund', 'refund', 'class', 'gas']
    """
    for ending in _ENDINGS:
        if word.endswith(ending) and not word.endswith("ss") and len(word) - len(ending) >= _STEM:
            return word.removesuffix(ending)
    return word


def terms_of(text: str) -> frozenset[str]:
    """Return what a text is compared by: the stems of its words."""
    return frozenset(map(stem, words_of(text)))


def question(text: str) -> str:
    """Return a question as it was asked; `ValueError` for one without a word that could be looked for."""
    if not terms_of(text):
        raise ValueError("it has no word that could be looked for; ask with the words that documents would use")
    return text


def weights(terms: Collection[str], texts: Iterable[Collection[str]]) -> dict[str, float]:
    """Return how much each term counts: the rarer among the texts, the more (inverse document frequency)."""
    listed = list(texts)
    found = Counter(term for text in listed for term in set(text) & set(terms))
    return {term: math.log(1 + (len(listed) + 1) / (found[term] + 1)) for term in terms}


def share(terms: Collection[str], weight: Mapping[str, float]) -> float:
    """Return how much of a question's weight stands in a text, 0 to 1."""
    whole = sum(weight.values())
    return sum(weight[term] for term in weight if term in terms) / whole if whole else 0.0
