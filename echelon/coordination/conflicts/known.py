"""What outputs claim, each read once however often it is compared (X9)."""

from dataclasses import dataclass, field

from echelon.contract.claims import FieldClaim


@dataclass(frozen=True)
class KnownClaims:
    """What is known of the claims of the outputs of one run, by digest and contract."""

    found: dict[tuple[str, str], tuple[FieldClaim, ...]] = field(
        default_factory=dict[tuple[str, str], tuple[FieldClaim, ...]]
    )
