"""Who is asked about results that were made wrong on purpose: whoever accepted everything so far (O3). Pure."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from echelon.model.audit.probe import VerifierProbe
from echelon.model.run import StepRecord
from echelon.oversight.audit.sampling import draw

#: So many results it must have judged: of fewer, accepting all of them says little.
JUDGED_AT_LEAST = 5

#: Verifiers of one run that are asked at most.
MOST_PROBED = 5


def stamping(
    steps: Iterable[StepRecord], names: Sequence[str], probed: Mapping[str, VerifierProbe]
) -> dict[str, list[StepRecord]]:
    """Return those of the verifiers that accepted everything and were not asked yet, each with what it accepted."""
    accepted: defaultdict[str, list[StepRecord]] = defaultdict(list)
    doubted: set[str] = set()
    for step in steps:
        known = step.handoff.verification
        for report in known.checks if known else ():
            if report.result == "accepted" and step.handoff.done:
                accepted[report.name].append(step)
            else:
                doubted.add(report.name)
    found = [
        name for name in names if len(accepted[name]) >= JUDGED_AT_LEAST and name not in doubted and name not in probed
    ]
    return {name: accepted[name] for name in found[: max(0, MOST_PROBED - len(probed))]}


def drawn(steps: Sequence[StepRecord], seed: str) -> list[StepRecord]:
    """Return steps in an order that a seed draws: the same in every process."""
    return sorted(steps, key=lambda step: draw(seed, step.handoff.task_id))
