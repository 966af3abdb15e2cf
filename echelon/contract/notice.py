"""Notices of contracts that have changed since an earlier run, as the coupling of their consumers asks (C8). Pure.

Tight consumers change together with what they read: the plan is refused until they do. Medium ones are named in a
warning, loose ones are free. Nobody has to be told of a change that a reader of the older contract need not know.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import NamedTuple

from echelon.contract.shape import changed_fields
from echelon.contract.version import stated_in, without_digest
from echelon.model.graph import Coupling
from echelon.model.phrasing import listed
from echelon.model.plan import Finding, FindingLevel, Plan
from echelon.model.terms import Terms

#: Changes, and consumers, that a notice names; the others are counted.
NAMED = 5

#: What a notice is for whom: others are free.
_LEVELS = {Coupling.TIGHT: FindingLevel.ERROR, Coupling.MEDIUM: FindingLevel.WARNING}

#: What becomes of those who read a changed contract as it was.
_MEANS = {
    FindingLevel.ERROR: "cannot do without it, and {is_as_it_was}: the job is not run until {they} too",
    FindingLevel.WARNING: "read{s} it, and {is_as_it_was}",
}

_FIX = (
    "change what reads it too, or take the change back; where it may read the new one as it is, say so by raising the "
    "major version: @contract(version={version!r})"
)


class Consumer(NamedTuple):
    """An agent that reads what another phase hands on."""

    phase: str
    agent: str


class _Change(NamedTuple):
    level: FindingLevel
    needs: str
    before: str
    now: str
    said: tuple[str, ...]
    consumer: Consumer


def contract_notices(before: Plan, now: Plan, changed: Mapping[Consumer, bool], run_id: str) -> tuple[Finding, ...]:
    """Return a finding for each contract that has changed: an error where it stands in the way of a run.

    `before` is the plan of run `run_id`, `changed` says of whose code it is known that it is another one since then.
    """
    found = sorted(_changes(before, now, changed), key=lambda one: one[:4])
    return tuple(_finding(list(alike), run_id) for _, alike in groupby(found, key=lambda one: one[:4]))


def _changes(before: Plan, now: Plan, changed: Mapping[Consumer, bool]) -> Iterator[_Change]:
    known = {(one.phase, one.consumer, one.needs): one for one in before.terms}
    for terms in now.terms:
        level, earlier = _LEVELS.get(terms.coupling or Coupling.LOOSE), known.get(_place(terms))
        consumer = Consumer(terms.phase, terms.consumer)
        if level is None or earlier is None or terms.needs is None:
            continue
        if changed.get(consumer) or earlier.delivers != terms.delivers:
            continue
        for old, new in _pairs(earlier.contracts, terms.contracts):
            said = _said(before.contracts.get(old), now.contracts.get(new))
            if said and not _is_raised(old, new):
                yield _Change(level, terms.needs, old, new, said, consumer)


def _place(terms: Terms) -> tuple[str, str, str | None]:
    return terms.phase, terms.consumer, terms.needs


def _pairs(before: Sequence[str], now: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Yield each contract that is another one now: by the name of its type, and a single one by its place."""
    left = [one for one in before if one not in now]
    new = {_type_of(one): one for one in now if one not in before}
    for old in left:
        other = new.get(_type_of(old)) or (next(iter(new.values())) if len(left) == len(new) == 1 else None)
        if other is not None:
            yield old, other


def _type_of(name: str) -> str:
    stated = stated_in(name)
    return stated.type_name if stated else name


def _is_raised(before: str, now: str) -> bool:
    """Say whether the major version is a higher one; who is built for another one is refused anyway (C7)."""
    old, new = stated_in(before), stated_in(now)
    return old is not None and new is not None and new.version.major > old.version.major


def _said(before: Mapping[str, str] | None, now: Mapping[str, str] | None) -> tuple[str, ...]:
    if before is None or now is None:
        return ("its fields before are not on record",)
    return tuple(map(str, changed_fields(before, now)))


def _finding(alike: Sequence[_Change], run_id: str) -> Finding:
    first, several = alike[0], len(alike) > 1
    consumers = listed([f"{one.consumer.agent} of phase {one.consumer.phase!r}" for one in alike], NAMED)
    means = _MEANS[first.level].format(
        s="" if several else "s",
        is_as_it_was="are as they were" if several else "is as it was",
        they="they change" if several else "it changes",
    )
    name, new = without_digest(first.before), without_digest(first.now)
    called = f"contract {name}" if name == new else f"contract {name} (now {new})"
    stated = stated_in(first.now)
    version = f"{stated.version.major + 1 if stated else 2}.0"
    return Finding(
        rule="C8",
        level=first.level,
        where=first.needs,
        message=(
            f"{called} of phase {first.needs!r} has changed since run {run_id}: "
            f"{listed(first.said, NAMED, between='; ')}. {consumers} {means}"
        ),
        fix=_FIX.format(version=version),
    )
