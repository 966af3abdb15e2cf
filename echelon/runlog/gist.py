"""What a message says, whatever it says it of: names, ids and numbers are left out. Pure.

Messages may be anybody's text, so this takes time in proportion to their length, whatever is in them.
"""

import re
from collections.abc import Iterable

#: Stands for whatever differs: a name may be a number, too.
VARIES = "#"

#: Numbers that say what went wrong, behind words that announce them.
_CODES = r"(?:\w*code|status|errno|exit|signal|http)\b\W{0,3}\d{1,3}\b|error\b\W{0,3}[45]\d\d\b"

#: Such a number; or a word, where ids and numbers are some.
_WORD = re.compile(rf"\b(?P<code>{_CODES})|[\w-]+", re.IGNORECASE)

#: An id without a digit in it: hexadecimal, or of a temporary file.
_ID = re.compile(r"[0-9a-f]{8,}|tmp\w{6,}", re.IGNORECASE)

#: What one quantity is written as: 12:13:18, 29.4 s, 1 min 5 s.
_JOINED = re.compile(rf"{VARIES}(?:[.,:]{VARIES})+")
_QUANTITY = re.compile(rf"{VARIES} (?:ms|s|min|h|d)\b(?: {VARIES} (?:ms|s|min|h|d)\b)*")

#: How much of a message is looked at, in characters: what is alike so far is alike.
LOOKED_AT = 600


def gist_of(message: str, names: Iterable[str] = ()) -> str:
    """Return a message without what differs between things that failed alike; `names` are those it is about.

    Numbers that say what went wrong stay: exit codes, HTTP statuses, signals.

    >>> gist_of("w/5: 429 for req_0a9b, next try in 1 min 5 s", ["w/5"])
    '#: # for #, next try in # s'
    >>> gist_of("exit code 127 after 3.5 s")
    'exit code 127 after # s'
    """
    message = message[:LOOKED_AT]
    for name in sorted({name for name in names if name in message}, key=len, reverse=True):
        message = _without_name(message, name)
    found = _JOINED.sub(VARIES, _WORD.sub(_without_id, message))
    return " ".join(_QUANTITY.sub(f"{VARIES} s", found).split())


def _without_name(message: str, name: str) -> str:
    """Take a name out, where it is no part of a word; a pattern for each name would cost more than all the rest."""
    first, *rest = message.split(name)
    made = first
    for part in rest:
        whole = not (_is_word(made[-1:]) and _is_word(name[:1])) and not (_is_word(name[-1:]) and _is_word(part[:1]))
        made += (VARIES if whole else name) + part
    return made


def _is_word(character: str) -> bool:
    return character.isalnum() or character == "_"


def _without_id(word: re.Match[str]) -> str:
    text = word[0]
    varies = any(map(str.isdigit, text)) or _ID.fullmatch(text)
    return VARIES if varies and word["code"] is None else text
