"""Tokens: who has one can answer the gate or concern that it was made for, once (O8).

A token names what it is for, and has 128 random bits behind that. The journal has nothing but its SHA-256.
"""

import hashlib
import secrets

#: Random bytes of a token.
TOKEN_BYTES = 16

_DOT = "."


def new_token(subject_id: str) -> str:
    """Return a token for a gate or concern; letters, digits and what its id consists of."""
    return f"{subject_id}{_DOT}{secrets.token_hex(TOKEN_BYTES)}"


def digest_of_token(token: str) -> str:
    """Return what is on record of a token."""
    return hashlib.sha256(token.encode()).hexdigest()


def subject_of_token(token: str) -> str:
    """Return the id of the gate or concern that a token names; empty for a text that is no token."""
    subject_id, dot, random = token.strip().rpartition(_DOT)
    is_token = bool(dot) and len(random) == 2 * TOKEN_BYTES and set(random) <= set("0123456789abcdef")
    return subject_id if is_token else ""
