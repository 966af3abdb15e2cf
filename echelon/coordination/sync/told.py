"""What those who do tasks are told, in versions: at the sync point it is seen who worked on an older one (X4). Pure."""

from functools import lru_cache

from echelon.contract.declared import vocabularies_in
from echelon.coordination.step.step import Step
from echelon.journal.digest import digest_of
from echelon.model.assignment import Assignment
from echelon.model.edges import OutputType
from echelon.model.run import StepKind
from echelon.model.sync.seen import ToldVersions

#: Characters of a version: they are compared within one run only.
VERSION_CHARACTERS = 12


def versions_told(step: Step) -> ToldVersions | None:
    """Return the versions of what a step was told; None for what is no task, or is done in the place of its agent."""
    if step.kind is not StepKind.TASK or step.fallback is not None:
        return None
    brief = step.call.brief
    return ToldVersions(
        assignment=version_of_assignment(brief.assignment),
        brief=version_of_summary(brief.summary),
        parts=versions_of_parts(brief.assignment, step.agent.output_type),
    )


def version_of_assignment(assignment: Assignment) -> str:
    """Return the version of what is asked: the goals, the success and the constraints; budgets only bound it (D8)."""
    intent = assignment.intent
    return _version((intent.job, intent.domain, intent.task, assignment.success, assignment.constraints))


def versions_of_parts(assignment: Assignment, contract: OutputType) -> dict[str, str]:
    """Return the version of each part of what is asked; an output names its contract itself."""
    intent = assignment.intent
    return {
        "instruction": _version((intent.job, intent.domain, intent.task)),
        "success criteria": _version(assignment.success),
        "constraints": _version(assignment.constraints),
        "vocabulary": _version_of_words(contract),
    }


def _version_of_words(contract: OutputType) -> str:
    try:
        return _known_words(contract)
    except TypeError:  # an unhashable annotation
        return _known_words.__wrapped__(contract)


@lru_cache(maxsize=256)
def _known_words(contract: OutputType) -> str:
    return digest_of(vocabularies_in(contract))[:VERSION_CHARACTERS]


def version_of_summary(summary: str) -> str:
    """Return the version of what is known of the job."""
    return _version((summary,))


@lru_cache(maxsize=4096)  # most tasks of a phase are told the same
def _version(told: tuple[str | tuple[str, ...] | None, ...]) -> str:
    return digest_of(told)[:VERSION_CHARACTERS]
