"""`echelon diagnose`: what was wrong with a run, and what to change."""

from typing import Annotated

from cyclopts import Parameter

from echelon.cli.arguments.options import AsJson
from echelon.cli.reading import query
from echelon.cli.views.output import facts, out, print_json
from echelon.model.diagnosis.diagnosis import Diagnosis
from echelon.model.phrasing import count, listed
from echelon.visibility.diagnosis.diagnose import diagnose as diagnosed
from echelon.visibility.diagnosis.reading import read_case

#: Places of a finding that are named.
ROWS_SHOWN = 5


def diagnose(
    name: Annotated[str, Parameter(help="Id of a run, or the name of a job: its newest run.")],
    /,
    *,
    as_json: AsJson = False,
) -> int:
    """Say which failure modes a run shows, with the evidence, the cause and what to change; and what bound it."""
    case = query(lambda journal: read_case(journal, name))
    found, bound = diagnosed(case.facts, case.earlier), case.facts.bound
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
    facts(out(), [("bound by", bound.said), ("compared with", _compared(len(case.earlier)))])
    for one in found:
        _show(one)
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
