"""When an item asks for something at all: its size, something to do, a run on record. Wrappers around checks."""

from collections.abc import Callable

from echelon.model.phrasing import count
from echelon.model.run import RunView
from echelon.visibility.checklist.answers import Check, ItemAnswer, not_applicable, not_done
from echelon.visibility.checklist.evidence import JobEvidence

RUN_ONCE = "run it once: echelon run SOURCE"
WRITE_JOB = "give the task graph agents (`agents` in it, or --agent) or write the job in Python, then run it"
COMBINE = "give the phase an integrator with `combine`"
SEE_FAILURE = "run it once with an input that one of its agents cannot do"
TRY_FAILURES = "try it before it happens: echelon run SOURCE --rehearse --failure-rate 0.2"
RAISE = "let agents say what they are unsure about: return Outcome(output=…, concerns=[Concern(…)])"


def from_agents(least: int, why: str) -> Callable[[Check], Check]:
    """Ask only from so many agents on; `why` says what fewer do not need."""

    def decorate(check: Check) -> Check:
        def checked(evidence: JobEvidence) -> ItemAnswer:
            if evidence.plan.n_agents < least:
                agents = count(evidence.plan.n_agents, "agent")
                return not_applicable(f"{agents}: {why} from {least} agents on")
            return check(evidence)

        return checked

    return decorate


#: One agent has nobody to coordinate with.
for_several = from_agents(2, "there is something to coordinate")


def with_work(check: Check) -> Check:
    """Ask only where there is something to do: an empty plan is no proof of anything."""

    def checked(evidence: JobEvidence) -> ItemAnswer:
        if not evidence.plan.tasks:
            return not_done("there is nothing to do for these inputs", "check the inputs, and what finds the items")
        return check(evidence)

    return checked


def with_run(check: Callable[[JobEvidence, RunView], ItemAnswer]) -> Check:
    """Answer from the last run that delivered something; without one the item is not done."""

    def checked(evidence: JobEvidence) -> ItemAnswer:
        if evidence.last is not None:
            return check(evidence, evidence.last)
        if not evidence.runs:
            return _never_run(evidence)
        newest = evidence.runs[0].record
        runs = count(len(evidence.runs), "run")
        found = f"{runs} on record, none delivered a result; the last is {newest.run_id}"
        return not_done(found, f"see why: echelon show {newest.run_id}")

    return checked


def with_runs(check: Check) -> Check:
    """Answer from all runs on record, however they ended; without one the item is not done."""

    def checked(evidence: JobEvidence) -> ItemAnswer:
        return check(evidence) if evidence.runs else _never_run(evidence)

    return checked


def with_trials(check: Check) -> Check:
    """Answer from all runs and rehearsals on record; without one the item is not done."""

    def checked(evidence: JobEvidence) -> ItemAnswer:
        if not evidence.tried:
            return not_done("neither a run nor a rehearsal of this job is on record", TRY_FAILURES)
        return check(evidence)

    return checked


def from_run(check: Callable[[RunView], ItemAnswer]) -> Check:
    """Answer from the last run that delivered something, and from nothing else."""
    return with_run(lambda _evidence, run: check(run))


def from_steps(check: Callable[[RunView], ItemAnswer]) -> Check:
    """Answer from the last run that delivered something and has steps: an empty record proves nothing."""

    def checked(run: RunView) -> ItemAnswer:
        if not run.steps:
            found = f"run {run.record.run_id} has no step on record"
            return not_done(found, f"look at what its phases found to do: echelon show {run.record.run_id}")
        return check(run)

    return from_run(checked)


def _never_run(evidence: JobEvidence) -> ItemAnswer:
    return not_done("no run of this job is on record", RUN_ONCE if evidence.calls else WRITE_JOB)
