"""What items and domains are called on record: any text that a job comes up with, made fit for databases and lines."""

import re

from echelon.contract.complaint import legible
from echelon.journal.digest import digest_of
from echelon.model.phrasing import HALVES, truncate

#: Half of a surrogate pair, which no encoding has.
_HALF = re.compile(f"[{HALVES}]")

#: The longest name that is kept as it is, in characters.
MAX_NAME = 200

#: What is kept of one that is not, so that people know it: its beginning, and hex digits of its digest.
SHOWN_OF_NAME, DIGEST_OF_NAME = 60, 12


def recordable_name(name: str) -> str:
    r"""Return a name that every database keeps and every line shows: what is too long or unprintable gets a digest.

    >>> recordable_name("a/b.py"), recordable_name("a\x00b")
    ('a/b.py', 'a\\x00b-7c4a5be2ee37')
    """
    if (name.isprintable() and len(name) <= MAX_NAME) or _HALF.search(name):
        return name  # half a character is refused as it is, with its place
    shown = legible(name)
    return f"{truncate(shown, SHOWN_OF_NAME)}-{digest_of(name)[:DIGEST_OF_NAME]}"
