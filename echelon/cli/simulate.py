"""`echelon simulate`: throughput against the number of agents, flat and structured (S, L1, M7). Nothing is run."""

import re
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from cyclopts.validators import Number

from echelon.cli.arguments.history import job_history
from echelon.cli.arguments.measured_points import read_points
from echelon.cli.arguments.options import AsJson
from echelon.cli.reading import query
from echelon.cli.views.output import out, print_json
from echelon.cli.views.plot_file import check_plot_file, write_plot
from echelon.cli.views.simulate import document, show
from echelon.cli.views.simulate_plot import TITLE, drawn
from echelon.model.errors import InvalidInput
from echelon.model.phrasing import count
from echelon.planning.regime import DEFAULT_SPAN, MINIMUM_SPAN
from echelon.runlog.costs.trend import points_of
from echelon.scaling.comparison import CurveComparison, Shown, compare
from echelon.scaling.history import MeasuredScaling, measured_scaling
from echelon.scaling.scalability import MOST_AGENTS
from echelon.scaling.simulation import DEFAULT_TASKS_PER_SYNC
from echelon.visibility.costs.history import figures

DEFAULT_AGENTS = "1:200"
#: The newest runs of a job that the law is fitted to.
RUNS_FITTED = 50
_RANGE = re.compile(r"(\d{1,40})(?::(\d{1,40})(?::(\d{1,40}))?)?", re.ASCII)


def simulate(
    *,
    agents: Annotated[str, Parameter(help="Numbers of agents: 1:200, 10:1000:10 (in steps), or one number.")] = (
        DEFAULT_AGENTS
    ),
    flat: Annotated[bool, Parameter(help="Only flat: one orchestrator that everything goes through.")] = False,
    structured: Annotated[bool, Parameter(help="Only structured: a tree, with sync points.")] = False,
    points: Annotated[
        Path | None,
        Parameter(help="Your own measurements under one coordinator: JSON [{agents, throughput}] or CSV."),
    ] = None,
    history: Annotated[
        str | None,
        Parameter(help="Name of a job: fit the law to its own runs, and name the ceiling that they found."),
    ] = None,
    span: Annotated[
        int, Parameter(validator=Number(gte=MINIMUM_SPAN), help="Maximum number of direct reports per coordinator.")
    ] = DEFAULT_SPAN,
    tasks_per_sync: Annotated[
        int, Parameter(validator=Number(gte=1), help="Tasks of each agent between two sync points.")
    ] = DEFAULT_TASKS_PER_SYNC,
    plot: Annotated[Path | None, Parameter(help="Draw the curves to this file: .svg, .html or .png.")] = None,
    as_json: AsJson = False,
) -> int:
    """Show how throughput grows with the number of agents, flat and structured, and where it stops."""
    if flat and structured:
        raise InvalidInput("--flat and --structured each show one curve only: give one of them, or none for both")
    if history is not None and points is not None:
        raise InvalidInput("--history and --points both say what was measured: give one of them")
    numbers = read_agents(agents)
    if plot is not None:
        check_plot_file(plot)
    shown: Shown = "flat" if flat else "structured" if structured else "both"
    scaling = _of_history(history) if history is not None else None
    measured = scaling.points if scaling is not None and scaling.fit else read_points(points) if points else None
    found = compare(numbers, shown, measured, span, tasks_per_sync)
    if plot is not None:
        write_plot(plot, TITLE, drawn(found))
    _tell(found, plot, scaling, as_json=as_json)
    return 0


def _of_history(job: str) -> MeasuredScaling:
    views = query(lambda journal: job_history(journal, job, RUNS_FITTED))
    if not views:
        raise InvalidInput(f"no run of a job {job!r} is on record; `echelon runs` names what there is")
    return measured_scaling(points_of([figures(view) for view in views]))


def read_agents(text: str) -> range:
    """Return the numbers of agents that a text names; `InvalidInput` when it names none."""
    match = _RANGE.fullmatch(text.strip())
    if match is None:
        raise InvalidInput(f"--agents takes A:B, A:B:STEP or one number, not {text!r}; as in --agents 1:200")
    first = int(match[1])
    last, step = int(match[2] or first), int(match[3] or 1)
    if not 1 <= first <= last <= MOST_AGENTS or step < 1:
        raise InvalidInput(
            f"--agents {text}: from 1 to {MOST_AGENTS:,} agents can be simulated, the smaller number first, in steps "
            "of 1 or more; as in --agents 1:200"
        )
    return range(first, last + 1, step)


def _tell(found: CurveComparison, plot: Path | None, scaling: MeasuredScaling | None, *, as_json: bool) -> None:
    if as_json:
        print_json({**document(found, plot), "history": scaling})
        return
    if scaling is not None:
        whose = "" if scaling.fit else "; what follows is the known example, not this job"
        out().print(f"{count(len(scaling.points), 'run')}: {scaling.said}{whose}", soft_wrap=True)
        out().print()
    show(out(), found, plot)
