"""What is chosen against errors: who looks again, and where work waits; tables as in `choices` (O3, O5)."""

from echelon.advice.rules import Choices, When, always
from echelon.advice.values import Pauses, Verification
from echelon.planning.infrastructure import INFRASTRUCTURE_FROM

PAUSES_ABOVE = 30  # agents; from there on nobody hears everything in time (R4)

VERIFICATION: Choices[Verification] = (
    When(
        lambda c: c.agents >= INFRASTRUCTURE_FROM,
        "dedicated",
        "O3",
        "no agent can look at everything, so dedicated agents audit and verify",
    ),
    When(
        lambda c: c.agents > 10,
        "audited",
        "O4",
        "reports pass several levels: beside a second look, integrations are sampled and concerns are logged",
    ),
    When(lambda c: c.agents > 3, "independent", "O3", "authority begins to silence doubts: a second agent reviews"),
    When(
        lambda c: c.alone and c.catastrophic,
        "independent",
        "O3",
        "an error may do damage that stays: a person or another agent looks again",
    ),
    When(lambda c: c.catastrophic, "independent", "O3", "an error may do lasting damage: a second agent reviews"),
    When(lambda c: c.agents > 1, "escalation", "O1", "with so few, a plain way to raise a concern is enough"),
    When(always, "none", "O3", "there is no handoff in which information could be lost"),
)

PAUSES: Choices[Pauses] = (
    When(
        lambda c: c.alone and c.catastrophic,
        "mandatory",
        "O5",
        "an error may do damage that stays: a person confirms before it can happen, at points set in advance",
    ),
    When(
        lambda c: c.alone and c.asked.error_consequence == "significant",
        "before_irreversible",
        "O5",
        "rework is expensive, so a person confirms before what cannot be undone",
    ),
    When(
        lambda c: c.catastrophic,
        "mandatory",
        "O5",
        "an error may do damage that stays: all confirm before it can happen, and pauses are set in advance",
    ),
    When(
        lambda c: c.agents > PAUSES_ABOVE,
        "mandatory",
        "O5",
        "no path upwards is sure to work at this size, so pauses are set in advance for concerns to surface",
    ),
    When(
        lambda c: c.asked.error_consequence == "significant",
        "before_irreversible",
        "O5",
        "rework is expensive, so all confirm before what cannot be undone",
    ),
    When(always, "none", "O5", "no error is stated to be expensive; an irreversible step still waits at its gate"),
)
