"""What is wrong with an integration, by what contracts promise and versions on record say (O4). Pure.

Nothing is guessed: an output that keeps what its contract promises is never rejected here, however odd it looks.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from itertools import chain

from pydantic import BaseModel

from echelon.contract.canonical import says_same
from echelon.contract.claims import claiming_fields
from echelon.contract.keys import Keyed, keyed_values
from echelon.contract.promises import promises_in
from echelon.model.audit.audit import AuditFinding, AuditKind
from echelon.model.concern import Concern
from echelon.model.edges import is_listing, is_object
from echelon.model.phrasing import listed

#: What a sentence names at most.
_NAMED = 3

#: Types of what holds one thing.
_PLAIN = (str, int, float, bool, Enum)


@dataclass(frozen=True, kw_only=True)
class AuditedPart:
    """One output that an integration was made from."""

    task_id: str
    """The task, or what the integration below is recorded as."""
    output: object
    """What was made."""
    used: str
    """Version that the integration used."""
    newest: str
    """The newest version on record."""
    item: str = ""
    """The key of its item; empty where it has none."""
    alike: tuple[str, ...] = ()
    """Keys of other items of which the very same output is on record."""


@dataclass(frozen=True, kw_only=True)
class AuditedWhole:
    """An integration, with what it was made from."""

    output: object
    """What came of it."""
    parts: Sequence[AuditedPart]
    """What it was made from."""
    missing: tuple[str, ...] = ()
    """Tasks that should have been a part of it, and were not there."""
    vocabularies: Mapping[str, Sequence[str]] = field(default_factory=dict[str, Sequence[str]])
    """Words that the contracts of its parts declare, by what their fields are called (C3)."""


def examine(whole: AuditedWhole, *, is_stated: bool = True) -> tuple[AuditFinding, ...]:
    """Return everything that is wrong with an integration.

    Where no audit `is_stated` it is held to marks and versions alone, and not to what follows from the names and types
    of its fields.
    """
    checks = (*BY_PROMISE, *BY_CONTRACT) if is_stated else BY_PROMISE
    return tuple(chain.from_iterable(check(whole) for check in checks))


def find_gaps(whole: AuditedWhole) -> Iterator[AuditFinding]:
    """Yield the keys that are in a part, and not in what says that it has all of them."""
    for promised in promises_in(whole.output):
        for part in whole.parts if promised.of else ():
            own = (one for one in keyed_values(part.output) if issubclass(one.kind, promised.of))
            lost = {_name(one) for one in own if not promised.has(one)}
            for name in sorted(lost):
                said = f"{promised.path} lacks {name}, which {part.task_id} has"
                yield AuditFinding(kind=AuditKind.GAP, where=promised.path, said=said)


def find_contradictions(whole: AuditedWhole) -> Iterator[AuditFinding]:
    """Yield the keys of which it says what none of its parts says, although some of them speak of it.

    Only plain fields count: what is in a list is put together from several parts, and each field by itself, since it
    may follow one part in this and another one in that. Of a field of which no part knows anything it may say what it
    wants, and need not say what a part does: what is None contradicts nothing.
    """
    known: defaultdict[tuple[type, tuple[str, ...]], list[Mapping[str, object]]] = defaultdict(list)
    for part in whole.parts:
        for one in keyed_values(part.output):
            known[one.kind, one.keys].append(_claimed_fields(one.value))
    for one in keyed_values(whole.output):
        said = known.get((one.kind, one.keys))
        if not said or one.value is whole.output:
            continue
        wrong = [name for name, value in _claimed_fields(one.value).items() if _says_none_of(value, name, said)]
        if wrong:
            of = f"{listed(wrong, _NAMED)} of {_name(one)}"
            yield AuditFinding(
                kind=AuditKind.CONTRADICTION, where=one.path, said=f"{one.path} says in {of} what no part says"
            )


def find_two_answers(whole: AuditedWhole) -> Iterator[AuditFinding]:
    """Yield the keys of which it says two different things itself."""
    known: defaultdict[tuple[type, tuple[str, ...]], list[tuple[str, Mapping[str, object]]]] = defaultdict(list)
    for one in keyed_values(whole.output):
        before, own = known[one.kind, one.keys], _claimed_fields(one.value)
        if any(_says_none_of(value, name, [said for _, said in before]) for name, value in own.items()):
            said = f"{before[0][0]} and {one.path} say different things of {_name(one)}"
            yield AuditFinding(kind=AuditKind.TWO_ANSWERS, where=one.path, said=said)
        before.append((one.path, own))


def find_dropped_concerns(whole: AuditedWhole) -> Iterator[AuditFinding]:
    """Yield concerns in outputs of parts that are not in its own, where its contract has a place for them (O1)."""
    if not carries_concerns(type(whole.output)):
        return
    kept = {(one.about, one.message) for one in concerns_in(whole.output)}
    for part in whole.parts:
        for one in concerns_in(part.output):
            if (one.about, one.message) not in kept:
                said = f"a concern of {part.task_id} is not in it: {one.about}: {one.message}"
                yield AuditFinding(kind=AuditKind.DROPPED_CONCERN, where=part.task_id, said=said)


def find_wrong_words(whole: AuditedWhole) -> Iterator[AuditFinding]:
    """Yield words that are not in the vocabulary of their field, in what no contract looks into (C3)."""
    for path, name, word in _loose_words(whole.output, "", ""):
        words = whole.vocabularies.get(field_name(name))
        if words and word not in words:
            said = f"{path} is {word!r}, which is no word of {name} ({listed(list(words), _NAMED)})"
            yield AuditFinding(kind=AuditKind.WRONG_WORD, where=path, said=said)


def find_stale_inputs(whole: AuditedWhole) -> Iterator[AuditFinding]:
    """Yield the parts of which a newer version is on record than the one it was made from (X4)."""
    for part in whole.parts:
        if part.used != part.newest:
            said = f"it was made from {part.task_id} as it was before; a newer version is on record"
            yield AuditFinding(kind=AuditKind.STALE_INPUT, where=part.task_id, said=said)


def find_copies(whole: AuditedWhole) -> Iterator[AuditFinding]:
    """Yield the parts that are, byte for byte, what was made for another item, and name that one as their subject."""
    for part in whole.parts:
        keys = {one.key for one in keyed_values(part.output) if one.value is part.output} if part.alike else set[str]()
        for key in sorted(keys.intersection(part.alike) - {part.item}):
            said = f"{part.task_id} is what was made for {key!r}, and says so itself"
            yield AuditFinding(kind=AuditKind.COPIED, where=part.task_id, said=said)


def find_false_completeness(whole: AuditedWhole) -> Iterator[AuditFinding]:
    """Yield the flags by which it says that nothing was missing, where something was."""
    for promised in promises_in(whole.output):
        if not promised.of and whole.missing:
            said = f"{promised.path} says that nothing is missing, and it lacks {listed(list(whole.missing), _NAMED)}"
            yield AuditFinding(kind=AuditKind.CLAIMS_COMPLETE, where=promised.path, said=said)


_Check = Callable[[AuditedWhole], Iterator[AuditFinding]]

#: What is found by marks in contracts, and by versions on record; a new kind is a row.
BY_PROMISE: tuple[_Check, ...] = (
    find_gaps,
    find_contradictions,
    find_two_answers,
    find_stale_inputs,
    find_copies,
    find_false_completeness,
)

#: What follows from fields of contracts that nobody has marked for it.
BY_CONTRACT: tuple[_Check, ...] = (find_dropped_concerns, find_wrong_words)


def concerns_in(output: object) -> Iterator[Concern]:
    """Yield the concerns that an output carries, wherever they stand."""
    if isinstance(output, Concern):
        yield output
    elif isinstance(output, BaseModel):
        for name in type(output).model_fields:
            yield from concerns_in(getattr(output, name))
    elif is_listing(output):
        for inner in output:
            yield from concerns_in(inner)
    elif is_object(output):
        for inner in output.values():
            yield from concerns_in(inner)


def field_name(name: str) -> str:
    """Return what a field is called, whatever way it is written: schemas write `error_kind` as `Error Kind`."""
    return name.replace("_", "").replace(" ", "").casefold()


def carries_concerns(contract: object) -> bool:
    """Say whether a contract has a place for concerns at its top."""
    fields = contract.model_fields if isinstance(contract, type) and issubclass(contract, BaseModel) else {}
    return any("Concern" in str(one.annotation) and _holds_concerns(one.annotation) for one in fields.values())


def _holds_concerns(annotation: object) -> bool:
    arms = getattr(annotation, "__args__", ())
    return annotation is Concern or any(map(_holds_concerns, arms))


def _loose_words(value: object, path: str, name: str) -> Iterator[tuple[str, str, str]]:
    """Yield the texts in tables that no contract has given fields, each with its path and its name."""
    if is_object(value):
        for key, inner in value.items():
            where = f"{path}.{key}" if path else str(key)
            if isinstance(inner, str):
                yield where, str(key), inner
            else:
                yield from _loose_words(inner, where, str(key))
    elif isinstance(value, BaseModel):
        for own in type(value).model_fields:
            yield from _loose_words(getattr(value, own), f"{path}.{own}" if path else own, own)
    elif is_listing(value):
        for number, inner in enumerate(value):
            yield from _loose_words(inner, f"{path}[{number}]", name)


def _claimed_fields(value: object) -> dict[str, object]:
    """Return what a keyed value claims in fields that hold one thing: a text, a number, a word."""
    said = ((name, getattr(value, name)) for name in claiming_fields(type(value)))
    return {name: one for name, one in said if isinstance(one, _PLAIN)}


def _says_none_of(value: object, name: str, known: Iterable[Mapping[str, object]]) -> bool:
    """Say whether others say something of a field, and all of them something else."""
    said = [one[name] for one in known if name in one]
    return bool(said) and not any(says_same(value, one) for one in said)


def _name(one: Keyed) -> str:
    return f"{one.kind.__name__} {one.key!r}"
