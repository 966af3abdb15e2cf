"""Options that several commands share, with their help, and how their values are read."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from cyclopts.validators import Number
from pydantic import BaseModel

from echelon.definition.inputs import read_typed_inputs
from echelon.job import Job
from echelon.model.errors import InvalidInput
from echelon.planning.regime import MINIMUM_SPAN
from echelon.planning.regime import Priority as PlanningPriority

#: The input that `--changed-since` sets.
CHANGED_SINCE = "changed_since"

AsJson = Annotated[bool, Parameter(name="--json", help="Print one JSON document; logs go to stderr.")]
SOURCE = Parameter(
    name="source",
    help="The job: flows/audit.py:audit or package.module:job, which is imported, so that its code must be trusted; or "
    "a task graph (graph.json, .yaml), which is only read, but for the agents that it names.",
)
SourceName = Annotated[str, SOURCE]
RunId = Annotated[str, Parameter(name="run", help="Id of a run, or the beginning of one.")]
Params = Annotated[
    list[str] | None,
    Parameter(name="--param", help="An input of the job as name=value; may be given several times."),
]
ChangedSince = Annotated[
    str | None,
    Parameter(
        name="--changed-since",
        help="Work only on what changed since this commit, a branch or tag: for jobs with an input `changed_since`.",
    ),
]
Agents = Annotated[
    list[str] | None,
    Parameter(
        name="--agent",
        help="Who does tasks of a task graph, as capability=module:agent or capability=file.py:agent, with * for all "
        "capabilities that are not named; may be given several times. It is imported: its code must be trusted.",
    ),
]
Secrets = Annotated[
    list[str] | None,
    Parameter(name="--param", help="A secret input of the run as name=value: secrets are not on record."),
]
Sample = Annotated[
    int | None,
    Parameter(
        validator=Number(gte=1),
        help="Do so many tasks of each phase that has more, foresee the rest from them, and wait.",
    ),
]
Span = Annotated[
    int | None,
    Parameter(
        name="--span", validator=Number(gte=MINIMUM_SPAN), help="Maximum number of direct reports per coordinator."
    ),
]
Priority = Annotated[
    PlanningPriority | None,
    Parameter(name="--priority", help="What the structure is chosen for when it cannot have everything."),
]
TrustFolder = Annotated[
    bool,
    Parameter(
        name="--trust-folder", negative="", help="Let files in this folder name the Prefect server, now and later."
    ),
]
MaxConcurrency = Annotated[
    int | None,
    Parameter(name="--max-concurrency", validator=Number(gte=1), help="Agents at work at one time at most."),
]


def inputs_of(job: Job, params: Sequence[str] | None) -> BaseModel:
    """Return the inputs of a job from `name=value` texts; `InvalidInput` says which one does not fit.

    Paths become absolute, so that the run means the same folder when it is resumed from elsewhere.
    """
    inputs = read_typed_inputs(job.inputs_type, typed_params(params))
    paths = {name: value.absolute() for name, value in inputs if isinstance(value, Path)}
    return inputs.model_copy(update=paths) if paths else inputs


def with_changed_since(job: Job, params: Sequence[str] | None, ref: str | None) -> Sequence[str] | None:
    """Return the parameters with what `--changed-since` sets; `InvalidInput` when the job has no such input."""
    if ref is None:
        return params
    if CHANGED_SINCE not in job.inputs_type.model_fields:
        known = ", ".join(job.inputs_type.model_fields) or "none"
        raise InvalidInput(
            f"--changed-since: job {job.name!r} has no input {CHANGED_SINCE!r} (inputs: {known}); leave it out"
        )
    return [*(params or ()), f"{CHANGED_SINCE}={ref}"]


def typed_agents(agents: Sequence[str] | None) -> dict[str, str]:
    """Return `capability=module:agent` texts by capability; `InvalidInput` says which one is none."""
    typed: dict[str, str] = {}
    for text in agents or ():
        capability, equals, source = text.rpartition("=")  # a capability may be any text
        if not (capability and equals and source):
            raise InvalidInput(
                f"--agent takes capability=module:agent, not {text!r}; as in --agent '*=tasks.agents:work'"
            )
        if capability in typed:
            raise InvalidInput(f"--agent is given twice for the capability {capability!r}; give it once")
        typed[capability] = source
    return typed


def typed_params(params: Sequence[str] | None) -> dict[str, str]:
    """Return `name=value` texts by name; `InvalidInput` says which one is none."""
    typed: dict[str, str] = {}
    for text in params or ():
        name, equals, value = text.partition("=")
        if not equals or not name:
            raise InvalidInput(f"--param takes name=value, not {text!r}; as in --param path=src")
        if name in typed:
            raise InvalidInput(f'parameter {name!r} is given twice; give it once, lists as JSON: {name}=\'["a","b"]\'')
        typed[name] = value
    return typed
