"""The word of a vocabulary that was meant, where that takes no guess (C3, C5). Pure."""

import re
from collections.abc import Sequence

#: Below this length a typo makes another word too easily, in letters.
MIN_TYPO_LETTERS = 5

_SEPARATORS = re.compile(r"[\s_\-]+")


def meant(said: str, vocabulary: Sequence[str]) -> str | None:
    """Return the one word that differs from `said` in case, spaces or a single typo; None when there is not just one.

    A typo is one letter too many, too few, wrong or swapped, in a word of at least five letters that keeps its first:
    otherwise `incomplete` would be repaired to `complete`, and `unsafe` to `safe`.
    """
    plain = _plain(said)
    same = [word for word in vocabulary if _plain(word) == plain]
    found = same or [word for word in vocabulary if _is_typo(plain, _plain(word))]
    return found[0] if len(found) == 1 else None


def _plain(word: str) -> str:
    return _SEPARATORS.sub("_", word.strip().casefold())


def _is_typo(said: str, word: str) -> bool:
    if min(len(said), len(word)) < MIN_TYPO_LETTERS or said[0] != word[0] or abs(len(said) - len(word)) > 1:
        return False
    shorter, longer = sorted((said, word), key=len)
    start = next((n for n, (a, b) in enumerate(zip(shorter, longer, strict=False)) if a != b), len(shorter))
    if len(shorter) < len(longer):
        return shorter[start:] == longer[start + 1 :]
    swapped = shorter[start : start + 2] == longer[start : start + 2][::-1]
    return shorter[start + 1 :] == longer[start + 1 :] or (swapped and shorter[start + 2 :] == longer[start + 2 :])
