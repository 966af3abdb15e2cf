"""An output is read by what its reader is built for: minor versions are taken, major ones never loaded (C7)."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel, ConfigDict

from echelon.agents.handoffs import Handoffs, Previous, Received
from echelon.contract.version import contract, contract_name
from echelon.journal.outputs import OutputStore
from echelon.model.errors import ContractViolation
from echelon.model.handoff import Handoff, Missing, Passed
from echelon.model.status import Status


def finding(version: str, annotations: dict[str, Any], **fields: Any) -> type[BaseModel]:
    namespace = {"__annotations__": annotations, "model_config": ConfigDict(extra="forbid"), "__module__": __name__}
    return contract(version=version)(type("Finding", (BaseModel,), namespace | fields))


OLD = finding("1.0", {"path": str})
NEW = finding("1.1", {"path": str, "line": int}, line=0)
NEXT = finding("2.0", {"path": str})
BROKEN = finding("1.2", {"path": str, "owner": str})


def received(home: Path, output: BaseModel, read_as: Any) -> Received[Any]:
    store = OutputStore(str(home))
    reference = store.put("run", "ab", output.model_dump(mode="json"), contract_name(type(output)))
    handoff = Handoff(
        task_id="t",
        status=Status.COMPLETED,
        summary="süß",
        producer="a",
        assignment_id="t#1",
        output_location=reference,
    )
    return Received(handoff, store, type(output)).read_as(read_as)


@pytest.mark.parametrize(
    ("written", "reader", "read"),
    [
        (OLD(path="a"), OLD, OLD(path="a")),
        (OLD(path="a"), NEW, NEW(path="a", line=0)),  # what is new has its default
        (NEW(path="a", line=3), OLD, OLD(path="a")),  # what the reader does not know is left out
        (NEW(path="a", line=3), Any, NEW(path="a", line=3)),
    ],
)
def test_another_minor_version_is_read_as_its_reader_is_built(
    tmp_path: Path, written: Any, reader: Any, read: Any
) -> None:
    assert received(tmp_path, written, reader).load() == read


@pytest.mark.parametrize(
    ("reader", "said"),
    [
        (NEXT, "was written as Finding 1.0, its reader is built for 2.0; run its producer again"),
        (BROKEN, "owner: Field required"),
    ],
    ids=["C7-major", "C7-minor-that-is-none"],
)
def test_what_a_reader_is_not_built_for_is_never_loaded(tmp_path: Path, reader: Any, said: str) -> None:
    one = received(tmp_path, OLD(path="a"), reader)
    with pytest.raises(ContractViolation, match=said):
        one.load()

    assert Previous(one).load() is None


def test_handoffs_are_read_by_what_their_consumer_is_built_for(tmp_path: Path) -> None:
    one = received(tmp_path, OLD(path="a"), OLD)
    handoffs = Handoffs([one], [Missing(task_id="u", producer="u", reason="no")])

    assert handoffs.read_as(NEW).outputs() == [NEW(path="a")]
    assert handoffs.read_as(NEW).missing == handoffs.missing
    assert handoffs.read_as(OLD) is handoffs.read_as(Any) is handoffs


def test_what_handoffs_pass_is_counted_in_bytes_and_tokens(tmp_path: Path) -> None:
    one = received(tmp_path, OLD(path="a"), OLD)
    handoffs = Handoffs([one, one], [Missing(task_id="u", producer="u", reason="no")])

    # 2 x "süß" is 10 bytes, "u: no" 5; '{"path":"a"}' is 12 bytes, twice.
    assert handoffs.passed == Passed(bytes_by_value=15, bytes_by_reference=24)
    assert (handoffs.passed.tokens_by_value, handoffs.passed.tokens_by_reference) == (4, 6)
