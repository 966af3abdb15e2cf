"""What is to be said of checks before anything runs: shared blind spots, and many rounds (O3, X12)."""

from collections.abc import Iterator, Sequence

from echelon.agents.agent import Agent
from echelon.definition.definition import JobDefinition
from echelon.definition.facts import model_name
from echelon.definition.rolling.repeat import Repetition
from echelon.model.phrasing import count
from echelon.model.plan import Finding, FindingLevel

#: More rounds are noted: what does not pass by then hardly ever does, and each of them costs as much as the first.
MANY_ROUNDS = 10


def check_findings(job: JobDefinition) -> tuple[Finding, ...]:
    """Return what should be changed about the checks of a job (O3, X12)."""
    phases = [(one.name, one.repetition, one.agents) for one in job.phases.values() if one.repetition is not None]
    loops = [
        (loop.name, loop.repetition, [agent for name in loop.members for agent in job.phases[name].agents])
        for loop in job.loops
    ]
    verified = (
        _not_independent(one.name, verifier, one.agents)
        for one in job.phases.values()
        for verifier in one.success.verifiers
    )
    repeated = (_of(where, repetition, who) for where, repetition, who in (*phases, *loops))
    return tuple(finding for found in (*repeated, *verified) for finding in found)


def _of(where: str, repetition: Repetition, who: Sequence[Agent]) -> Iterator[Finding]:
    yield from _not_independent(where, repetition.check, who)
    if repetition.rounds > MANY_ROUNDS:
        yield Finding(
            rule="X12",
            level=FindingLevel.INFO,
            where=where,
            message=f"up to {count(repetition.rounds, 'round')} of it are made, each as dear as the first",
            fix=f"allow {MANY_ROUNDS} or fewer, and let the check say what is missing",
        )


def _not_independent(where: str, judge: Agent, who: Sequence[Agent]) -> Iterator[Finding]:
    """Yield that a check is made with the model whose work it checks (O3)."""
    check, model = judge.name, model_name(judge)
    alike = next((one.name for one in who if model is not None and model_name(one) == model), None)
    if alike is not None:
        yield Finding(
            rule="O3",
            level=FindingLevel.WARNING,
            where=where,
            message=f"{check!r} checks {alike!r} with the same model {model!r}: it is not independent, since both have "
            "the same blind spots",
            fix="check with a function, a command or another model",
        )
