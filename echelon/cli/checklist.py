"""`echelon checklist`: what a job has of all that many agents need, with proof. Nothing is run."""

from collections import Counter

from echelon.cli.arguments.options import AsJson, Params, Priority, SourceName, Span, inputs_of
from echelon.cli.arguments.source import load_job
from echelon.cli.reading import query
from echelon.cli.views.checklist import show_checklist
from echelon.cli.views.output import out, print_json
from echelon.definition.checklist_facts import evidence_of
from echelon.definition.graphs.graph_job import rehearsal_name
from echelon.definition.rehearsal import REHEARSAL_SOURCE
from echelon.visibility.checklist.answers import ItemState
from echelon.visibility.checklist.items import checklist as answered
from echelon.visibility.history import view_runs

#: Runs of the job that are looked at, the newest.
RUNS_READ = 10


def checklist(
    source: SourceName,
    /,
    *,
    param: Params = None,
    span: Span = None,
    priority: Priority = None,
    as_json: AsJson = False,
) -> int:
    """Answer the implementation checklist for a job, item by item, from its plan, its definition and its runs."""
    job = load_job(source, span)
    inputs = inputs_of(job, param)
    rehearsal = rehearsal_name(job.name)
    history = query(lambda journal: view_runs(journal, job.name, rehearsal, REHEARSAL_SOURCE, RUNS_READ))
    evidence = evidence_of(job, job.plan_for(inputs, priority), history.runs, history.rehearsals)
    items = answered(evidence)
    if as_json:
        found = Counter(item.state for item in items)
        print_json(
            {
                "job": job.name,
                "runs": [run.record.run_id for run in evidence.tried],
                "counts": {state: found[state] for state in ItemState},
                "items": items,
            }
        )
    else:
        show_checklist(out(), items)
    return 0
