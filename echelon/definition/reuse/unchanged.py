"""`Unchanged`: work is kept from an earlier run where nothing that it was made from has changed since.

Code, contract, goal, constraints, inputs and everything received are compared by the engine. What an agent reads beside
those, a file above all, only the job can name: an item that says no more than a path would be kept whatever became of
the file.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, is_dataclass
from enum import Enum
from pathlib import PurePath
from typing import Any, Literal, TypeAlias, cast

from pydantic import BaseModel

from echelon.agents.agent import Agent, OfKind
from echelon.agents.binding import bind_item_and_inputs
from echelon.journal.digest import digest_of
from echelon.model.errors import InvalidJob
from echelon.model.graph import WorkerKind

#: Where an item says what it was made from, the first of them that it has.
STATED_IN = ("digest", "sha256", "version")

#: Types whose values cannot say it.
_SAYS_NOTHING = (str, int, float, bytes, PurePath, Enum)


@dataclass(frozen=True, kw_only=True)
class Unchanged:
    """Keep what an earlier run made where nothing that it was made from has changed since.

    `by` is a function of the item, or of the item and the inputs (of the inputs alone in a phase without items); it
    returns a text, bytes or a digest that stands for everything the agent reads for this item. Without it the item
    says so itself, in `digest`, `sha256` or `version`. Where it returns nothing, the item is done again. `inputs` names
    those inputs of the job that matter to this phase; None: all of them.
    """

    by: Callable[..., str | bytes | int | None] | None = None
    """Says what an item is made from."""
    inputs: Sequence[str] | None = None
    """The inputs that matter."""


ReuseLike: TypeAlias = Literal["unchanged"] | Unchanged


@dataclass(frozen=True, kw_only=True)
class Reuse:
    """An `Unchanged` as part of a phase."""

    made_from: Callable[[object, BaseModel], object] | None
    """Says what an item is made from; None: the item does, or what a phase without items is handed on."""
    inputs: tuple[str, ...] | None
    """The inputs of the job that matter; None: all of them."""

    def check_item(self, phase: str, key: str, item: object) -> None:
        """Raise `InvalidJob` for an item that would be kept although what it names has changed."""
        if self.made_from is None and _stated_in(item) is None:
            raise _says_nothing(phase, f"item {key!r}")

    def state_of(self, item: object, inputs: BaseModel) -> str:
        """Return a text that stands for what an item is made from; empty when that is not known.

        It calls code of the job, which may take its time, and raise anything.
        """
        if self.made_from is not None:
            said = self.made_from(item, inputs)
            if said is not None and not isinstance(said, str | bytes | int):
                raise TypeError(f"it returned {type(said).__name__}; return a text, bytes or a digest")
        else:
            said = "" if item is None else _stated_in(item)
            if item is None:
                return "nothing of its own"
        return "" if said in (None, "", b"") else digest_of(said.hex() if isinstance(said, bytes) else str(said))

    def inputs_digest(self, inputs: BaseModel) -> str:
        """Return the identity of the inputs that matter."""
        return digest_of(inputs if self.inputs is None else {name: getattr(inputs, name) for name in self.inputs})


def reuse_of(
    phase: str,
    reuse: ReuseLike,
    who: Sequence[Agent],
    inputs_type: type[BaseModel],
    *,
    item_type: object = None,
    receives: bool = False,
) -> Reuse:
    """Return what a phase keeps of earlier runs; `InvalidJob` where that would make no sense.

    `item_type` is what its agent takes as its item, None in a phase without items; `receives` says whether it is handed
    on anything.
    """
    if isinstance(reuse, str) and reuse != "unchanged":
        raise InvalidJob(f'phase {phase!r}: reuse={reuse!r} is not known; use "unchanged" or Unchanged(by=function)')
    stated = Unchanged() if isinstance(reuse, str) else reuse
    for one in who:
        if isinstance(one, OfKind) and one.kind is WorkerKind.JOB:
            raise InvalidJob(
                f"phase {phase!r}: {one.name!r} is a job, which keeps what its own phases may keep; give those reuse="
            )
        if one.effect != "read":
            raise InvalidJob(
                f"phase {phase!r}: {one.name!r} changes the world outside, which no record of an earlier run stands "
                "for; leave out reuse="
            )
    unknown = [name for name in stated.inputs or () if name not in inputs_type.model_fields]
    if unknown:
        known = ", ".join(inputs_type.model_fields) or "none"
        raise InvalidJob(f"phase {phase!r}: reuse names {unknown[0]!r}, which is no input of the job (inputs: {known})")
    if stated.by is None and item_type is None and not receives:
        raise InvalidJob(
            f"phase {phase!r}: it has no items and receives nothing, so that nothing says what its work is made from; "
            "say it: reuse=Unchanged(by=function of the inputs)"
        )
    if stated.by is None and item_type is not None and _cannot_say(item_type):
        raise _says_nothing(phase, f"an item of type {getattr(item_type, '__name__', item_type)}")
    return Reuse(
        made_from=_bound(phase, stated.by, inputs_type, takes_item=item_type is not None),
        inputs=None if stated.inputs is None else tuple(stated.inputs),
    )


def _bound(
    phase: str, by: Callable[..., object] | None, inputs_type: type[BaseModel], *, takes_item: bool
) -> Callable[[object, BaseModel], object] | None:
    if by is None:
        return None
    arguments = bind_item_and_inputs(by, f"{phase}: by", inputs_type, takes_item=takes_item)
    return lambda item, inputs: by(**arguments(item, inputs))


def _cannot_say(item_type: object) -> bool:
    """Say whether no value of a type can say what it was made from; False where that is not known."""
    if not isinstance(item_type, type):
        return False
    kind = cast("type[object]", item_type)
    if issubclass(kind, _SAYS_NOTHING):
        return True
    # Members of the classes of others may be made when they are asked for.
    declared = issubclass(kind, BaseModel) or is_dataclass(kind)
    members = {*dir(kind), *getattr(kind, "model_fields", ()), *getattr(kind, "__dataclass_fields__", ())}
    return declared and members.isdisjoint(STATED_IN)


def _stated_in(item: object) -> str | bytes | int | None:
    """Return what an item says it was made from; None where it has no word for it, empty where it does not know."""
    for name in STATED_IN:
        if isinstance(item, Mapping):
            found: object = cast("Mapping[str, Any]", item).get(name, _ABSENT)
        else:
            found = getattr(item, name, _ABSENT)
        if found is None or isinstance(found, str | bytes | int):
            return "" if found is None else found
    return None


#: What an item has that does not have a field: no text, so that it is not taken for one.
_ABSENT = object()


def _says_nothing(phase: str, what: str) -> InvalidJob:
    return InvalidJob(
        f'phase {phase!r}: reuse="unchanged" cannot tell whether {what} is unchanged: it has no `digest`, `sha256` or '
        "`version`; give it one of these, or say what stands for everything its agent reads: "
        "reuse=Unchanged(by=function of the item)"
    )
