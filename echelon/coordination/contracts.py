"""Validators of the contracts of a run, made once each since making one is slow."""

from typing import Any

from pydantic import TypeAdapter

from echelon.model.adapter import adapter_of


class Contracts:
    """Makes and keeps validators."""

    def __init__(self) -> None:
        self._adapters: dict[int, tuple[Any, TypeAdapter[Any]]] = {}

    def adapter(self, contract: Any) -> TypeAdapter[Any]:
        """Return the validator of a contract."""
        known = self._adapters.get(id(contract))
        if known is None:
            # The contract is kept too, so that its id is not given to another one.
            known = self._adapters[id(contract)] = (contract, adapter_of(contract))
        return known[1]
