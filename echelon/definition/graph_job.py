"""What a job is called that comes from a task graph: as the graph, in letters that names of jobs may have."""

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
    return _OTHER.sub("-", graph.name)[:LONGEST_NAME].strip("-_") or "graph"
