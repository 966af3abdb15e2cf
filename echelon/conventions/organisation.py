"""What people are told of how a run is organised: who leads, what is handed on, when, and when that changes (K)."""

from collections.abc import Iterator
from itertools import pairwise

from echelon.conventions import plan
from echelon.conventions.facts import AGENTS, Facts
from echelon.conventions.people import COORDINATION, in_a_phase, in_plan, of_plan, several, to_people
from echelon.conventions.row import Aspect, Row
from echelon.conventions.words import COORDINATION_SHARE, WAITING_SHARE
from echelon.model.markdown import names
from echelon.model.organisation import Structure
from echelon.model.phrasing import percent
from echelon.planning.regime import DEFAULT_SPAN, STRUCTURES


def next_structure(agents: int) -> tuple[int, Structure] | None:
    """Return the number of agents that the next structure begins with, None behind the last (R1)."""
    for (last, _), (_, following) in pairwise(STRUCTURES):
        if last is not None and agents <= last:
            return last + 1, following
    return None


def _next(facts: Facts) -> Iterator[str]:
    later = next_structure(facts.agents)
    if later is not None:
        yield f"From {later[0]:,} agents on the structure is {later[1].replace('_', '-')}."


def _outgrown(facts: Facts) -> Iterator[str]:
    then = "phases that have not begun go by another one" if facts.job.adapt == "apply" else "a change is proposed"
    yield (
        f"The structure is outgrown when more than {percent(COORDINATION_SHARE)} of what a coordinator and those below "
        f"it use is coordination, again and again; when work waits for coordinators longer than "
        f"{percent(WAITING_SHARE)} of the time of its tasks; or when integrations get worse while single outputs stay "
        f"good. Where a sync point shows that, {then}."
    )


def _kept(facts: Facts) -> Iterator[str]:
    kept = names(facts.job.kept)
    yield f"Not done again where nothing that it is made from has changed since an earlier run: {kept}."


def _flat(facts: Facts) -> Iterator[str]:
    yield (
        f"Behind the sync point of {names(facts.job.flat)} everybody who decides is given all open concerns, "
        "unfiltered, whoever raised them."
    )


def _early(facts: Facts) -> Iterator[str]:
    yield (
        f"In {names(facts.job.early)} a team or a domain is put together as soon as its tasks have ended, once, while "
        "the others are still at work."
    )


def _taken(facts: Facts) -> Iterator[str]:
    for one in facts.takers:
        yield (
            f"Tasks that agents of {names(one.after)} propose are taken or declined for {names([one.phase])}, each "
            "with a reason on record."
        )


_STRUCTURE = (
    to_people(
        "structure.single",
        Aspect.STRUCTURE,
        "One agent does all of it.",
        "echelon.planning.regime.structure_for",
        lambda facts: not facts.are_several,
    ),
    to_people(
        "structure.leads",
        Aspect.STRUCTURE,
        of_plan(plan.leads),
        "echelon.planning.tree.build_tree",
        lambda facts: facts.plan is not None and facts.are_several,
    ),
    to_people(
        "structure.span",
        Aspect.STRUCTURE,
        f"One coordinator leads all agents where they are {DEFAULT_SPAN} or fewer; else leads stand in between, and no "
        f"one leads more than {DEFAULT_SPAN}.",
        "echelon.planning.tree.build_tree",
        lambda facts: facts.plan is None and facts.are_several,
    ),
)

_INFORMATION = (
    to_people(
        "information.handoffs",
        Aspect.INFORMATION,
        "Agents exchange no messages: each is given what was handed on to it, and hands on one output.",
        f"{COORDINATION}.step.inbox.inbox_of_phase",
        several,
    ),
    to_people(
        "information.exceptions",
        Aspect.INFORMATION,
        "Reported by the run itself, with the place it came from: what failed, is blocked, was tried again, or was "
        "delivered in part. The rest is read on demand: `echelon show RUN AGENT`.",
        f"{COORDINATION}.step.envelope.deviation",
    ),
)

_SYNC = (
    to_people(
        "sync.phases",
        Aspect.SYNC,
        of_plan(plan.phases),
        f"{COORDINATION}.job_run.run_phases",
        in_plan(lambda plan: len(plan.tasks) > 1),
    ),
    to_people(
        "sync.points",
        Aspect.SYNC,
        "What a phase makes is handed on when all of it has ended, and is on record by then.",
        f"{COORDINATION}.job_run.run_phases",
        in_plan(lambda plan: len(plan.phases) > 1 and not any(phase.continues for phase in plan.phases)),
    ),
    to_people(
        "sync.waves",
        Aspect.SYNC,
        of_plan(plan.waves),
        f"{COORDINATION}.sync.waves.PhaseInWaves",
        in_a_phase(plan.is_in_waves),
    ),
    to_people(
        "sync.flat",
        Aspect.SYNC,
        _flat,
        f"{COORDINATION}.briefing.flat.hold_flat_moment",
        lambda facts: bool(facts.job.flat),
    ),
    to_people(
        "sync.continued",
        Aspect.SYNC,
        of_plan(plan.continued),
        f"{COORDINATION}.rolling.relay.Relay.receive",
        in_a_phase(lambda phase: phase.continues),
    ),
    to_people(
        "sync.open",
        Aspect.SYNC,
        of_plan(plan.open_phases),
        f"{COORDINATION}.rolling.growth.Growth.extend",
        in_plan(lambda plan: bool(plan.open)),
    ),
    to_people(
        "sync.conditions",
        Aspect.SYNC,
        of_plan(plan.conditions),
        f"{COORDINATION}.rolling.skipping.ask_whether",
        in_a_phase(lambda phase: phase.when),
    ),
    to_people(
        "sync.repeats",
        Aspect.SYNC,
        of_plan(plan.repeats),
        f"{COORDINATION}.rolling.repeating.repeat_task",
        in_a_phase(lambda phase: phase.until),
    ),
    to_people(
        "sync.kept",
        Aspect.SYNC,
        _kept,
        f"{COORDINATION}.reuse.keep.KeepUnchanged",
        lambda facts: bool(facts.job.kept),
    ),
)

_INTEGRATION = (
    to_people(
        "integration.owners",
        Aspect.INTEGRATION,
        of_plan(plan.integrators),
        f"{COORDINATION}.rolling.steps.StepMaker.integration",
        lambda facts: facts.is_integrated,
    ),
    to_people(
        "integration.early",
        Aspect.INTEGRATION,
        _early,
        f"{COORDINATION}.sync.early.EarlyIntegration",
        lambda facts: bool(facts.job.early) and facts.is_integrated,
    ),
    to_people(
        "integration.missing",
        Aspect.INTEGRATION,
        "What did not arrive is passed on as missing, with the reason.",
        "echelon.agents.handoffs.Handoffs",
        several,
    ),
)

_PROPOSALS = (
    to_people(
        "proposals.taken",
        Aspect.PROPOSALS,
        _taken,
        f"{COORDINATION}.rolling.proposing.take_proposals",
        lambda facts: bool(facts.takers),
    ),
    to_people(
        "proposals.declined",
        Aspect.PROPOSALS,
        "Tasks that agents propose and no phase takes are declined at the end of the run, with the reason, and listed.",
        f"{COORDINATION}.rolling.proposing.decline_the_rest",
        lambda facts: facts.plan is not None and not facts.takers and bool(facts.job.speaking & AGENTS),
    ),
)

_CHANGE = (
    to_people(
        "change.next",
        Aspect.CHANGE,
        _next,
        "echelon.planning.regime.structure_for",
        lambda facts: facts.are_several and next_structure(facts.agents) is not None,
    ),
    to_people(
        "change.outgrown",
        Aspect.CHANGE,
        _outgrown,
        f"{COORDINATION}.rolling.adapting.adapt",
        lambda facts: facts.job.adapt != "off" and facts.are_several and facts.is_integrated,
    ),
)

ORGANISATION: tuple[Row, ...] = (*_STRUCTURE, *_INFORMATION, *_SYNC, *_INTEGRATION, *_PROPOSALS, *_CHANGE)
