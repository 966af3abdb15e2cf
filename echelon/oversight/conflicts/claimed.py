"""What outputs have claimed so far, so that a contradiction is seen as soon as it is said (X3, X9). Pure."""

from collections.abc import Iterable

from echelon.oversight.conflicts.finding import Statement


class Claimed:
    """What was claimed about each subject, field by field."""

    def __init__(self) -> None:
        self._said: dict[tuple[str, str, str], set[str]] = {}

    def add(self, statements: Iterable[Statement]) -> bool:
        """Take what outputs claim; says whether one of them claims something that nobody has, where others have.

        What was decided not to count claims nothing. What several have contradicted each other about is known already.
        """
        is_new = False
        for one in statements:
            for claim in one.claims:
                if claim.subject not in one.overruled:
                    said = self._said.setdefault((claim.subject, claim.field, claim.of), set())
                    is_new = is_new or bool(said - {claim.digest} and claim.digest not in said)
                    said.add(claim.digest)
        return is_new
