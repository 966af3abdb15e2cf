"""Does what one agent makes fit what another is built for? Decided from the types, before anything runs (C7). Pure."""

import types
from typing import Any, Union, get_args, get_origin

from echelon.contract.version import contract_name, states_version, type_name, version_of
from echelon.model.edges import OutputType

_UNIONS = (Union, types.UnionType)


def arms_of(contract: OutputType) -> tuple[OutputType, ...]:
    """Return what a type is a choice of; itself where it is none."""
    return get_args(contract) if get_origin(contract) in _UNIONS else (contract,)


def unfit(made: OutputType, wanted: OutputType) -> str | None:
    """Say why a consumer of `wanted` cannot take what is `made`; None when it can.

    It can take the same type, a subclass, and another minor version of the same name; of a choice, every arm must be
    wanted.
    """
    if Any in (made, wanted) or made == wanted:
        return None
    if get_origin(made) in _UNIONS:
        return next((why for arm in get_args(made) if (why := unfit(arm, wanted))), None)
    if get_origin(wanted) in _UNIONS:
        reasons = [unfit(made, arm) for arm in get_args(wanted)]
        return None if None in reasons else _closest(reasons, made, wanted)
    if get_args(made) and get_args(wanted):
        return _unfit_containers(made, wanted)
    if not (isinstance(made, type) and isinstance(wanted, type)) or get_args(made) or get_args(wanted):
        return _another(made, wanted)
    return None if issubclass(made, wanted) else _unfit_classes(made, wanted)


def is_other_version(made: OutputType, wanted: OutputType) -> bool:
    """Say whether a consumer is built for another version of what is made, so that it must be read as that."""
    return made is not wanted and made != wanted and type_name(made) == type_name(wanted)


def _unfit_containers(made: OutputType, wanted: OutputType) -> str | None:
    ours, theirs = get_args(made), get_args(wanted)
    if get_origin(made) is not get_origin(wanted) or len(ours) != len(theirs):
        return _another(made, wanted)
    return next((why for one, other in zip(ours, theirs, strict=True) if (why := unfit(one, other))), None)


def _unfit_classes(made: type, wanted: type) -> str | None:
    if made.__name__ != wanted.__name__:
        return _another(made, wanted)
    theirs, ours = version_of(made), version_of(wanted)
    if not states_version(made) and not states_version(wanted):
        # Nobody promised anything: two types of one name are the same contract only when they say the same.
        return None if contract_name(made) == contract_name(wanted) else _another_module(made, wanted)
    if theirs.major == ours.major:
        return None
    return (
        f"{made.__name__} {theirs} (of {made.__module__}), but it is built for {wanted.__name__} {ours} "
        f"(of {wanted.__module__}), another major version"
    )


def _another_module(made: type, wanted: type) -> str:
    return (
        f"{made.__name__} of {made.__module__}, but it is built for the {wanted.__name__} of {wanted.__module__}; "
        "state the versions of both with @contract, or use one"
    )


def _closest(reasons: list[str | None], made: OutputType, wanted: OutputType) -> str:
    return next((why for why in reasons if why and "another major version" in why), _another(made, wanted))


def _another(made: OutputType, wanted: OutputType) -> str:
    return f"{type_name(made)}, but it is built for {type_name(wanted)}"
