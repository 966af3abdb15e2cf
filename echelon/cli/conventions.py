"""`echelon conventions`: what agents keep to, for a job or for a number of agents. Nothing is run."""

from typing import Annotated

from cyclopts import Parameter
from cyclopts.validators import Number

from echelon.cli.arguments.options import SOURCE, AsJson, Params, Priority, Span, inputs_of
from echelon.cli.arguments.source import load_job
from echelon.cli.views.output import print_json, print_text
from echelon.conventions.facts import facts_of
from echelon.conventions.page import conventions as conventions_of
from echelon.conventions.page import conventions_for
from echelon.definition.conventions import job_facts
from echelon.model.errors import InvalidInput
from echelon.planning.regime import structure_for


def conventions(
    source: Annotated[str | None, SOURCE] = None,
    /,
    *,
    agents: Annotated[
        int | None, Parameter(validator=Number(gte=1), help="The number of agents, when there is no job yet.")
    ] = None,
    param: Params = None,
    span: Span = None,
    priority: Priority = None,
    as_json: AsJson = False,
) -> int:
    """Print what is kept in runs of a job, or of so many agents, and what its agents are told, as Markdown."""
    page = _page(source, agents, param, span, priority)
    if as_json:
        print_json(page)
    else:
        print_text(str(page["markdown"]))  # as it is: a console would break its lines
    return 0


def _page(
    source: str | None, agents: int | None, param: list[str] | None, span: Span, priority: Priority
) -> dict[str, object]:
    if source is not None and agents is None:
        job = load_job(source, span)
        made = job.plan_for(inputs_of(job, param), priority)
        return {
            "markdown": conventions_of(facts_of(made, job_facts(job))),
            "agents": made.n_agents,
            "structure": made.structure,
        }
    if agents is not None and source is None:
        _refuse_options_of_a_job({"--param": param, "--span": span})
        structure = structure_for(agents, priority)
        return {"markdown": conventions_for(agents, priority), "agents": agents, "structure": structure}
    raise InvalidInput(
        "conventions are for a job or for a number of agents: give one of SOURCE and --agents, as in --agents 12"
    )


def _refuse_options_of_a_job(given: dict[str, object]) -> None:
    """Refuse what would change nothing, or somebody might think that it did."""
    for option, value in given.items():
        if value is not None:
            raise InvalidInput(f"{option} is about a job; give a SOURCE instead of --agents, or leave {option} out")
