"""The job that SOURCE names, for a command."""

from collections.abc import Mapping

from echelon.cli.arguments.configured import read_settings
from echelon.definition.source import load_job as load
from echelon.job import Job


def load_job(source: str, span: int | None = None, agents: Mapping[str, str] | None = None) -> Job:
    """Return the job that SOURCE names, planned with `span`; `InvalidInput` says why there is none.

    `agents` are those given beside a task graph, by capability.
    """
    read_settings()  # a plan depends on them; what is wrong with one is said here, in one line
    return load(source, Job, span, agents)
