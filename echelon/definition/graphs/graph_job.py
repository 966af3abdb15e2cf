"""What a job is called that comes from a task graph, and what its rehearsal is called: names that jobs may have."""

import re

from echelon.model.graph import TaskGraph

LONGEST_NAME = 60  # characters; runs and their folders are named after the job

#: What the name of a job must not have.
_OTHER = re.compile(r"[^\w-]+")


def job_name(graph: TaskGraph) -> str:
    """Return the name for the job of a graph: letters, digits, `-` and `_` only.

    >>> job_name(TaskGraph(name="Montage 2MASS, 0.5°", goal="Map the sky", tasks=()))
    'Montage-2MASS-0-5'
    """
    return _allowed(graph.name)


def rehearsal_name(job: str) -> str:
    """Return the name for the rehearsal of a job, or of the graph that it comes from: both are called the same.

    >>> rehearsal_name("Montage 2MASS, 0.5°") == rehearsal_name("Montage-2MASS-0-5")
    True
    """
    return f"{_allowed(job)}-rehearsal"


def _allowed(name: str) -> str:
    return _OTHER.sub("-", name)[:LONGEST_NAME].strip("-_") or "graph"
