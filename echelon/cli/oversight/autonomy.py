"""`echelon autonomy`: how far each agent of a job may proceed on its own, by its record over the runs (X11)."""

from typing import Annotated

from cyclopts import Parameter

from echelon.cli.arguments.options import AsJson
from echelon.cli.reading import query
from echelon.cli.views.output import out, print_json
from echelon.journal.port import Journal
from echelon.model.autonomy.decisions import AgentAutonomy
from echelon.runlog.judging.autonomy import autonomy_over_runs
from echelon.visibility.autonomy import autonomy_lines


def autonomy(
    job: Annotated[str, Parameter(help="Name of the job, as `echelon runs` has it.")], /, *, as_json: AsJson = False
) -> int:
    """Say how far each agent of a job may proceed on its own, with its record, and what the last run changed."""

    async def ask(journal: Journal) -> tuple[AgentAutonomy, ...]:
        return autonomy_over_runs(await journal.autonomy_decided(job), await journal.concerns(job=job))

    agents = query(ask)
    if as_json:
        print_json({"job": job, "agents": agents})
    elif agents:
        for line in autonomy_lines(agents):
            out().print(line)
    else:
        out().print(
            f"no run of {job!r} keeps a record of its agents: Job(oversight=Oversight(autonomy=Autonomy())) asks for it"
        )
    return 0
