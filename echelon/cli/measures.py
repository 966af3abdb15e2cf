"""`echelon measures`: what a run cost and achieved, how that stands, and where every second and token went (M)."""

from typing import Annotated

from cyclopts import Parameter
from cyclopts.validators import Number

from echelon.cli.arguments.configured import read_settings
from echelon.cli.arguments.history import NEWEST, job_history, run_with_earlier
from echelon.cli.arguments.options import AsJson
from echelon.cli.reading import query
from echelon.cli.views.measures import history_document, run_document, show_history, show_measures
from echelon.cli.views.output import out, print_json
from echelon.journal.outputs import OutputStore
from echelon.model.costs.account import CostDimension
from echelon.model.errors import InvalidInput
from echelon.visibility.costs.history import compared

By = Annotated[
    CostDimension | None,
    Parameter(
        help="Show the account by this, too: level of the tree, phase, domain, kind of agent (worker), or model."
    ),
]
History = Annotated[
    str | None, Parameter(help="Name of a job, as `echelon runs` has it: its newest runs beside one another.")
]


def measures(
    run: Annotated[str | None, Parameter(help="Id of a run, or the beginning of one.")] = None,
    /,
    *,
    history: History = None,
    runs: Annotated[int, Parameter(validator=Number(gte=1), help="With --history: how many of them.")] = NEWEST,
    by: By = None,
    as_json: AsJson = False,
) -> int:
    """Show what a run measured, or the newest runs of a job."""
    if (run is None) == (history is None):
        raise InvalidInput("name a run, or give --history with the name of a job: one of the two")
    if history is not None:
        views = query(lambda journal: job_history(journal, history, runs))
        if not views:
            raise InvalidInput(f"no run of a job {history!r} is on record; `echelon runs` names what there is")
        found = compared(views[0], views[1:])
        if as_json:
            print_json(history_document(history, views, found, by))
        else:
            show_history(out(), views, found, by)
        return 0
    outputs = OutputStore(read_settings().outputs_url)
    view, earlier = query(lambda journal: run_with_earlier(journal, outputs, run or ""))
    found = compared(view, earlier)
    if as_json:
        print_json(run_document(view, found, by))
    else:
        show_measures(out(), view, found, by)
    return 0
