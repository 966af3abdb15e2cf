"""How results were judged, and what was checked by nobody, in lines (D11, O3, O4)."""

from collections.abc import Mapping, Sequence

from echelon.model.audit.audit import JudgedResults
from echelon.model.phrasing import listed

#: Texts that a line names at most.
TEXTS_SHOWN = 5


def unchecked_lines(unchecked: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    """Return a line for each phase."""
    return tuple(f"{phase}: {listed(texts, TEXTS_SHOWN, repr)}" for phase, texts in unchecked.items())


def judged_lines(judged: JudgedResults) -> tuple[str, ...]:
    """Return a line that counts results by what others said of them; none where nobody was asked, or has to be."""
    if not judged.is_stated:
        return ()
    alone = f"; {judged.by_nobody:,} of the unverified on the critical path or in front of a gate, by nobody"
    return (judged.said + (alone if judged.by_nobody else ""),)
