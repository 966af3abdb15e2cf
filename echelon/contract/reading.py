"""How an output is read by a consumer whose contract may be another version than the one it was written under (C7)."""

from typing import Any

from pydantic import ValidationError

from echelon.contract.complaint import complaint
from echelon.contract.repair import validate_lenient
from echelon.contract.version import contract_name, stated_in, type_name, version_of
from echelon.journal.outputs import OutputStore
from echelon.model.adapter import adapter_of
from echelon.model.edges import OutputType
from echelon.model.errors import ContractViolation
from echelon.model.handoff import OutputReference

#: Types that take whatever there is.
_ANYTHING = (Any, object)


def read_output(store: OutputStore, reference: OutputReference, contract: OutputType) -> object:
    """Read an output; another minor version leniently, fields that the reader does not know left out.

    Raise `ContractViolation` for another major version: it is never loaded, whoever made it must make it again.
    """
    if any(contract is one for one in _ANYTHING) or reference.contract == contract_name(contract):
        return store.get(reference, contract)
    written = stated_in(reference.contract)
    if written is None or written.type_name != type_name(contract):
        return store.get(reference, contract)
    wanted = version_of(contract)
    if written.version.major != wanted.major:
        raise ContractViolation(
            f"output {reference.location} was written as {written.type_name} {written.version}, its reader is built "
            f"for {wanted}; run its producer again"
        )
    try:
        return validate_lenient(store.get(reference, object), adapter_of(contract)).value
    except ValidationError as error:
        raise ContractViolation(complaint(error, f"output {reference.location}, {reference.contract},")) from error
