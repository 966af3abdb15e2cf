"""Identity of a step: the same key means the same work on the same inputs, in this run or after a crash (F8). Pure."""

from echelon.journal.digest import digest_of
from echelon.model.run import StepKind


def step_key(
    *, job: str, phase: str, node: str, kind: StepKind, contract: str, inputs_digest: str, upstream_digest: str
) -> str:
    """Return the identity of a step: job, contract, phase, who does it, and everything it is given."""
    return digest_of((job, phase, node, kind.value, contract, inputs_digest, upstream_digest))
