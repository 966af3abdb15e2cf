"""`echelon plan`: how a job would be organised. Nothing is run."""

from typing import Annotated

from cyclopts import Parameter

from echelon.cli.arguments.learnt import adjusted_now, learnt_now
from echelon.cli.arguments.notices import known_notices
from echelon.cli.arguments.options import (
    Agents,
    AsJson,
    MaxConcurrency,
    Params,
    Priority,
    SourceName,
    Span,
    inputs_of,
    typed_agents,
)
from echelon.cli.arguments.source import load_job
from echelon.cli.arguments.standing import standing_now
from echelon.cli.views.output import out, print_json
from echelon.cli.views.plan import show_plan
from echelon.planning.dependency_prices import dearest_dependencies
from echelon.planning.drawing import mermaid as drawn
from echelon.visibility.standing import window_documents, window_lines

NoHistory = Annotated[
    bool,
    Parameter(negative="", help="Forecast by what is stated and assumed alone, not by what earlier runs measured."),
]


def plan(
    source: SourceName,
    /,
    *,
    param: Params = None,
    span: Span = None,
    priority: Priority = None,
    agent: Agents = None,
    max_concurrency: MaxConcurrency = None,
    no_history: NoHistory = False,
    mermaid: Annotated[bool, Parameter(help="Print the tree as a Mermaid flowchart.")] = False,
    as_json: AsJson = False,
) -> int:
    """Show how a job would be organised: structure, phases, owners, forecast and findings."""
    job = adjusted_now(load_job(source, span, typed_agents(agent)))
    inputs = inputs_of(job, param)
    made = job.plan_for(inputs, priority, max_concurrency, None if no_history else learnt_now(job.name))
    made = made.model_copy(update={"findings": (*made.findings, *known_notices(job, made))})
    standing = standing_now(made)
    expected = job.range_for(inputs, priority, max_concurrency)
    if as_json:
        dearest = [one.model_dump(mode="json") for one in dearest_dependencies(made)]
        windows = {"windows": window_documents(*standing)}
        drawing = {"mermaid": drawn(made)} if mermaid else {}
        print_json(made.model_dump(mode="json") | {"expected": expected, "dependencies": dearest} | windows | drawing)
    elif mermaid:
        out().print(drawn(made), end="", soft_wrap=True)
    else:
        show_plan(out(), made, expected, window_lines(*standing))
    return 0
