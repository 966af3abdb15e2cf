"""What is stated of success, sorted by who can tell: nobody yet, code, or somebody else's judgement (D11, O3)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self, TypeAlias, TypeVar, cast, get_origin

from echelon.agents.agent import Agent
from echelon.agents.binding import hints_of
from echelon.agents.call import CallShape
from echelon.agents.checks.check import check_of, shape_of_check
from echelon.agents.checks.criterion import Check, Criterion
from echelon.agents.checks.evidence import Evidence
from echelon.agents.command import CommandAgent
from echelon.agents.fingerprint.agent import fingerprint_of, fingerprint_of_all
from echelon.agents.function import FunctionAgent
from echelon.agents.handoffs import Handoffs
from echelon.definition.rolling.repeat import refuse_own_work
from echelon.journal.digest import digest_of
from echelon.model.errors import InvalidJob

Verifiers: TypeAlias = Check | Sequence[Check]

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Criteria:
    """What must be true of a result."""

    texts: tuple[str, ...] = ()
    """In words: told to whoever does the work, and checked by whoever verifies it."""
    evidence: tuple[Evidence, ...] = ()
    """What the work must leave behind."""
    functions: tuple[FunctionAgent[..., object], ...] = ()
    """Checks in Python, bound to what they are called with."""
    commands: tuple[CommandAgent[object], ...] = ()
    """Checks by their exit code."""
    verifiers: tuple[Agent, ...] = ()
    """Whose judgement is a step of its own, behind that of the work."""

    def __add__(self, more: "Criteria") -> "Criteria":
        """Return both together; what stands in both is there once."""
        if self is NOTHING_STATED or more is NOTHING_STATED:  # that is so for most results
            return more if self is NOTHING_STATED else self
        return Criteria(
            texts=_union(self.texts, more.texts),
            evidence=_union(self.evidence, more.evidence),
            functions=_union(self.functions, more.functions),
            commands=_union(self.commands, more.commands),
            verifiers=_union(self.verifiers, more.verifiers),
        )

    @property
    def of_result(self) -> Self:
        """What holds of the result, whoever made it: without evidence of how somebody worked."""
        return replace(self, evidence=())

    @property
    def are_stated(self) -> bool:
        """Is anything stated?"""
        return bool(self.names)

    @property
    def are_made_with_work(self) -> bool:
        """Is anything checked together with the work?"""
        return bool(self.evidence or self.functions or self.commands)

    @property
    def are_words_only(self) -> bool:
        """Is something stated, and nothing of it can be checked?"""
        return bool(self.texts) and not (self.are_made_with_work or self.verifiers)

    @property
    def checks(self) -> tuple[Agent, ...]:
        """The checks that are made with the work, the cheap and certain ones first."""
        return (*self.functions, *self.commands)

    @property
    def names(self) -> tuple[str, ...]:
        """What is stated, as plans and reports say it."""
        return (*self.said, *(one.name for one in self.verifiers))

    @property
    def said(self) -> tuple[str, ...]:
        """What is stated, without those who verify it."""
        return (*self.texts, *(one.name for one in self.evidence), *(one.name for one in self.checks))

    @property
    def need_trace(self) -> bool:
        """Does a check look at what the work left behind?"""
        return bool(self.evidence) or any(one.binding and one.binding.takes_trace for one in self.functions)

    @property
    def code(self) -> str:
        """Fingerprint of the checks that are made with the work: changes with their code (F8)."""
        stated = digest_of([*(one.name for one in self.evidence), *(one.name for one in self.checks)])[:10]
        return f"{fingerprint_of_all(self.checks)}.{stated}" if self.checks or self.evidence else ""

    @property
    def judges(self) -> tuple[tuple[str, str], ...]:
        """Those who verify, with the fingerprint of each."""
        return tuple((one.name, fingerprint_of(one)) for one in self.verifiers)

    def check_names(self, where: str) -> Self:
        """Return itself; `InvalidJob` when two different checks have one name."""
        names = [one.name for one in (*self.checks, *self.verifiers)]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise InvalidJob(f"{where}: two checks are called {twice[0]!r}; give one of them a name of its own")
        return self


NOTHING_STATED = Criteria()


@dataclass(frozen=True, kw_only=True)
class CheckBinder:
    """Binds what is stated to what checks are called with: the work of `phase`, done by one of `who`."""

    phase: str
    who: tuple[Agent, ...]
    """Everybody who may do the work; nobody of them checks it."""
    shape: CallShape
    """What calls of the work carry."""
    where: str = ""
    """Where it is stated, as messages name it; empty: in the phase."""

    @property
    def place(self) -> str:
        """Where it is stated."""
        return self.where or f"phase {self.phase!r}"

    def criteria(self, stated: Sequence[Criterion], output_type: object, verify: Verifiers | None = None) -> Criteria:
        """Return what is stated of results of a type; `InvalidJob` says which check cannot be made."""
        seen = shape_of_check(self.shape, self.phase, output_type)
        given = [one for one in stated if not isinstance(one, str | Evidence)]
        checks = [self._bound(one, seen) for one in given]
        verifiers = [self._bound(one, seen) for one in several(verify)]
        judges = [one for one in checks if not isinstance(one, FunctionAgent | CommandAgent)]
        return Criteria(
            texts=tuple(one for one in stated if isinstance(one, str)),
            evidence=tuple(one for one in stated if isinstance(one, Evidence)),
            functions=tuple(
                cast("FunctionAgent[..., object]", one) for one in checks if isinstance(one, FunctionAgent)
            ),
            commands=tuple(cast("CommandAgent[object]", one) for one in checks if isinstance(one, CommandAgent)),
            verifiers=(*judges, *verifiers),
        ).check_names(self.place)

    def whole(self, given: Check, output_type: object) -> Agent:
        """Return a check of what was made from the outputs of a phase, which it may see as well."""
        return self._by_another(given).bind(shape_of_check(self.shape, self.phase, output_type))

    def _bound(self, given: Check, shape: CallShape) -> Agent:
        check = self._by_another(given)
        _refuse_whole(self.place, check)
        return check.bind(shape)

    def _by_another(self, given: Check) -> Agent:
        """Return a check; `InvalidJob` where whoever makes it did the work, under this name or another (O3)."""
        check = check_of(self.place, given)
        refuse_own_work(self.place, check, self.who)
        return check


def several(verify: Verifiers | None) -> tuple[Any, ...]:
    """Return those who verify, of one or several."""
    if verify is None:
        return ()
    return tuple(cast("Sequence[Any]", verify)) if isinstance(verify, list | tuple) else (verify,)


def _refuse_whole(where: str, check: Agent) -> None:
    """Refuse a check that judges more than a single result."""
    if isinstance(check, FunctionAgent):
        function = cast("FunctionAgent[..., object]", check)
        hints = hints_of(function.function, function.name)
        whole = [name for name, hint in hints.items() if (get_origin(hint) or hint) is Handoffs and name != "return"]
        if whole:
            raise InvalidJob(
                f"{where}: {check.name!r} asks for Handoffs[...] in {whole[0]!r} and so judges the phase as a "
                "whole; success= judges each result by itself. Ask for `output`, or move it to constraints= or repeat="
            )


def _union(first: tuple[T, ...], more: tuple[T, ...]) -> tuple[T, ...]:
    return (*first, *_without(more, first)) if first and more else first or more


def _without(more: tuple[T, ...], known: tuple[T, ...]) -> Iterator[T]:
    return (one for one in more if not any(_is_same(one, other) for other in known))


def _is_same(one: object, other: object) -> bool:
    """Say whether two criteria are one that was stated twice; a function is bound anew in every place."""
    if isinstance(one, FunctionAgent) and isinstance(other, FunctionAgent):
        mine, theirs = cast("FunctionAgent[..., object]", one), cast("FunctionAgent[..., object]", other)
        return mine.function is theirs.function and mine.name == theirs.name
    return one is other or (isinstance(one, str | Evidence | CommandAgent) and one == other)
