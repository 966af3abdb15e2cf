"""`echelon advise`: how to organise a job before there is one. Nothing is read and nothing is run."""

from typing import Annotated

from cyclopts import Parameter

from echelon.advice.advise import advise as advise_on
from echelon.advice.values import (
    AdviceQuestion,
    ChangeRate,
    Consequence,
    Contracts,
    CouplingNeed,
    DomainCoupling,
    Predictability,
    Situation,
    TaskDuration,
    TimeHorizon,
    WorkKind,
)
from echelon.cli.arguments.options import AsJson
from echelon.cli.views.advice import show_advice
from echelon.cli.views.output import out, print_json
from echelon.planning.regime import Priority


def advise(
    *,
    agents: Annotated[int | None, Parameter(help="How many agents do tasks; a situation has a typical number.")] = None,
    dependent: Annotated[bool, Parameter(help="Tasks need each other.")] = False,
    domains: Annotated[bool, Parameter(help="The work falls into domains by itself.")] = False,
    domain_coupling: Annotated[DomainCoupling | None, Parameter(help="How much the domains need each other.")] = None,
    priority: Annotated[Priority | None, Parameter(help="What matters when not everything can be had.")] = None,
    change_rate: Annotated[ChangeRate | None, Parameter(help="How often what is asked for changes.")] = None,
    error_consequence: Annotated[Consequence | None, Parameter(help="How bad a wrong output is.")] = None,
    situation: Annotated[
        Situation | None, Parameter(help="What the job resembles; fills in what is not given otherwise.")
    ] = None,
    coupling_need: Annotated[CouplingNeed | None, Parameter(help="The coupling that tasks are known to need.")] = None,
    contract_need: Annotated[Contracts | None, Parameter(help="The contracts that the work is known to need.")] = None,
    task_duration: Annotated[TaskDuration | None, Parameter(help="How long one task takes.")] = None,
    time_horizon: Annotated[TimeHorizon | None, Parameter(help="Does the work end?")] = None,
    work: Annotated[
        WorkKind | None, Parameter(help="One piece that must cohere, or something that must stay within constraints.")
    ] = None,
    predictability: Annotated[Predictability | None, Parameter(help="Are the tasks known in advance?")] = None,
    as_json: AsJson = False,
) -> int:
    """Advise how to organise a job: structure, sync, coupling, contracts, checks, each with reason and price."""
    question = AdviceQuestion(
        agents=agents,
        independent=False if dependent else None,
        natural_domains=True if domains else None,
        domain_coupling=domain_coupling,
        priority=priority,
        coupling_need=coupling_need,
        contract_need=contract_need,
        change_rate=change_rate,
        error_consequence=error_consequence,
        situation=situation,
        task_duration=task_duration,
        time_horizon=time_horizon,
        work=work,
        predictability=predictability,
    )
    advice = advise_on(question)
    if as_json:
        print_json(advice.model_dump(mode="json"))
    else:
        show_advice(out(), advice)
    return 0
