"""`echelon measures`: what a run cost and achieved, beside what was planned."""

from echelon.cli.arguments.configured import read_settings
from echelon.cli.arguments.options import AsJson, RunId
from echelon.cli.reading import query
from echelon.cli.views.output import out, print_json, table
from echelon.journal.outputs import OutputStore
from echelon.visibility.history import view_run
from echelon.visibility.report import measure_rows


def measures(run: RunId, /, *, as_json: AsJson = False) -> int:
    """Show what a run measured."""
    outputs = OutputStore(read_settings().outputs_url)
    view = query(lambda journal: view_run(journal, outputs, run))
    if as_json:
        print_json({"run_id": view.record.run_id, "status": view.record.status, "measures": view.measures})
        return 0
    rows = table("measure", "measured", "planned or wanted", title=view.record.run_id)
    for name, measured, expected in measure_rows(view):
        rows.add_row(name, measured, expected)
    out().print(rows)
    return 0
