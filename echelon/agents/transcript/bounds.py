"""How much of a text, a message and a conversation is kept. Pure."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

#: What is read beyond a bound before secrets are taken out, in bytes: none of them is that long, so none is cut in two.
MARGIN_BYTES = 8 * 1024


class Bounded(NamedTuple):
    """A text without secrets, as much of it as may be kept."""

    data: bytes
    """Its beginning, as UTF-8."""
    beyond: int
    """Bytes that are left out behind it."""

    def cut(self, limit: int) -> "Bounded":
        """Return what fits into so many bytes; no character is cut in two."""
        kept = self.data[:limit].decode(errors="ignore").encode()
        return Bounded(kept, self.beyond + len(self.data) - len(kept))


def bounded(text: str, limit: int, clean: Callable[[str], str]) -> Bounded:
    """Return what is kept of a text in at most `limit` bytes; `clean` takes out what must not be kept.

    It is cleaned before it is cut: half a secret is not recognised.
    """
    whole = text.encode("utf-8", "backslashreplace")  # halves of characters have no other form
    read = whole[: limit + MARGIN_BYTES]
    cleaned = clean(read.decode(errors="ignore")).encode()
    beyond = len(whole) - len(read)
    if beyond:  # a secret may be cut in two at this end, and what was taken out before it has moved it forward
        beyond += len(cleaned[-MARGIN_BYTES:])
        cleaned = cleaned[:-MARGIN_BYTES]
    return Bounded(cleaned, beyond).cut(limit)


def shares(wanted: Sequence[int], total: int) -> list[int]:
    """Share a total: who wants less than an equal share gets all of it, and the others get what that leaves.

    >>> shares([10, 500, 300], 210)
    [10, 100, 100]
    """
    given = [0] * len(wanted)
    by_size = sorted(range(len(wanted)), key=wanted.__getitem__)
    for place, index in enumerate(by_size):
        given[index] = min(wanted[index], total // (len(wanted) - place))
        total -= given[index]
    return given


def first_kept(sizes: Sequence[int], total: int) -> int:
    """Return from which message on a conversation is kept, behind its first one, which always is.

    1 when nothing is left out: the beginning says what was asked, the end what came of it.
    """
    left, kept = total - sum(sizes[:1]), len(sizes)
    while kept > 1 and sizes[kept - 1] <= left:
        kept -= 1
        left -= sizes[kept]
    return max(1, kept)
