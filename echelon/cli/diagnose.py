"""`echelon diagnose`: what was wrong with a run, and what to change."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated

from cyclopts import Parameter

from echelon.cli.arguments.options import AsJson
from echelon.cli.arguments.user import user_name
from echelon.cli.reading import query
from echelon.cli.views.output import facts, out, print_json
from echelon.model.diagnosis.adjustment import Adjustment
from echelon.model.diagnosis.diagnosis import Diagnosis
from echelon.model.errors import InvalidInput
from echelon.model.phrasing import count, listed
from echelon.runlog.events import AdjustmentsApplied, AdjustmentsReverted
from echelon.visibility.diagnosis.diagnose import diagnose as diagnosed
from echelon.visibility.diagnosis.facts import RunEvidence
from echelon.visibility.diagnosis.reading import read_case

#: Places of a finding that are named.
ROWS_SHOWN = 5


def diagnose(
    name: Annotated[str, Parameter(help="Id of a run, or the name of a job: its newest run.")],
    /,
    *,
    apply: Annotated[bool, Parameter(negative="", help="Have later runs go by the changes that are listed.")] = False,
    revert: Annotated[bool, Parameter(negative="", help="Have later runs go by the job's code again.")] = False,
    by: Annotated[str | None, Parameter(help="Who applies or reverts it; without it the name of the user.")] = None,
    as_json: AsJson = False,
) -> int:
    """Say which failure modes a run shows, with the evidence, the cause and what to change; and what bound it.

    What can be changed without touching the code of the job is listed as `next run`. `--apply` puts that on record:
    later runs of the job are organised so, and their plans say it. `--revert` takes it back.
    """
    if apply and revert:
        raise InvalidInput("--apply and --revert are opposites; give one of them")
    case = query(lambda journal: read_case(journal, name))
    if revert:
        return _revert(case.facts, by or user_name(), as_json=as_json)
    found, bound = diagnosed(case.facts, case.earlier), case.facts.bound
    if apply:
        return _apply(case.facts, found, by or user_name(), as_json=as_json)
    if as_json:
        document = {
            "run_id": case.facts.run_id,
            "job": case.facts.view.record.job,
            "earlier_runs": [one.run_id for one in case.earlier],
            "bound": {"said": bound.said, "seconds": bound.seconds, "chain": bound.links},
            "modes": [_as_json(one) for one in found],
        }
        print_json(document)
        return 0
    out().print(f"{case.facts.run_id}: {_summary(found)}", style="bold")
    applied = case.facts.plan.adjustments if case.facts.state.plan is not None else ()
    rows = [
        ("bound by", bound.said),
        ("compared with", _compared(len(case.earlier))),
        ("organised by", "; ".join(one.said for one in applied)),
    ]
    facts(out(), rows)
    for one in found:
        _show(one)
    return 0


def _apply(facts: RunEvidence, found: Sequence[Diagnosis], by: str, *, as_json: bool) -> int:
    """Put it on record that later runs go by what can be changed from outside."""
    changes = tuple(change for one in found for change in one.changes)
    if not changes:
        raise InvalidInput(f"nothing that {facts.run_id} shows can be changed from outside: change the job's code")
    _record(AdjustmentsApplied(run_id=facts.run_id, at=datetime.now(UTC), adjustments=changes, by=by))
    return _said(facts, changes, "later runs of the job go by:", as_json=as_json)


def _revert(facts: RunEvidence, by: str, *, as_json: bool) -> int:
    """Put it on record that later runs do not go by what was applied behind the diagnosis of a run any more."""
    applied = facts.state.adjusted
    if applied is None:
        raise InvalidInput(f"nothing was applied behind a diagnosis of {facts.run_id}; name the run it was applied to")
    _record(AdjustmentsReverted(run_id=facts.run_id, at=datetime.now(UTC), by=by))
    return _said(facts, applied.adjustments, "taken back, later runs go by the job's code:", as_json=as_json)


def _record(event: AdjustmentsApplied | AdjustmentsReverted) -> None:
    query(lambda journal: journal.append(event))


def _said(facts: RunEvidence, changes: Sequence[Adjustment], heading: str, *, as_json: bool) -> int:
    if as_json:
        job = facts.view.record.job
        print_json({"run_id": facts.run_id, "job": job, "changes": [one.model_dump(mode="json") for one in changes]})
        return 0
    out().print(f"{facts.run_id}: {heading}")
    for one in changes:
        out().print(f"  {one.said}")
    return 0


def _summary(found: tuple[Diagnosis, ...]) -> str:
    return f"{count(len(found), 'failure mode')}" if found else "no failure mode shows"


def _compared(earlier: int) -> str:
    return f"{count(earlier, 'earlier run')} of the job" if earlier else ""


def _show(one: Diagnosis) -> None:
    out().print()
    out().print(f"{one.mode.value} ({one.of_class.value})", style="bold yellow")
    rows = [
        ("evidence", "; ".join(one.evidence)),
        ("seen in", listed(list(one.rows), ROWS_SHOWN)),
        ("cause", one.cause),
        ("contain", one.containment),
        ("change", one.recovery),
        *(("next run", one_change.said) for one_change in one.changes),
        ("explains", ", ".join(mode.value for mode in one.explains)),
    ]
    facts(out(), rows)


def _as_json(one: Diagnosis) -> dict[str, object]:
    """Return a finding with the keys of the command line's contract."""
    said = one.model_dump(mode="json", exclude={"mode", "of_class"})
    return {"id": one.mode.value, "class": one.of_class.value, **said}
