from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from contracts.modules import Kind, Metrics, Module, ModuleFinding, Observation, RiskParts
from contracts.reports import AreaReport, AuditReport, ModuleRow, Signal
from contracts.surveys import FileChanges, HistorySurvey, ImportSurvey, Links, LintSurvey
from echelon import Handoffs, Previous
from echelon.journal.outputs import OutputStore
from echelon.model.handoff import Missing
from tasks.areas import WORST, merge
from tasks.baseline.comparing import compare
from tasks.baseline.tracking import Scope
from tasks.ranking import rank, rank_hotspots
from tasks.rendering import render
from tasks.scoring import risk_of
from tests.unit.audit.building import handoffs, received
from tests.unit.visibility.building import run_view

NOTHING = RiskParts(complexity=0, size=0, maintainability=0, defects=0, dead_code=0, duplication=0, cycle=0)
METRICS = Metrics(lines=100, code_lines=80, maintainability=50, functions=1, complex_functions=0, worst_complexity=3)
EVAL = Observation(kind=Kind.DEFECTS, text="S307 eval", line=3)


def parts(**values: float) -> RiskParts:
    return NOTHING.model_copy(update=values)


def finding(path: str, *critical: Observation, **values: float) -> ModuleFinding:
    found = parts(**values)
    module = Module(path=path, package=path.rpartition("/")[0] or "root")
    return ModuleFinding(
        module=module, metrics=METRICS, parts=found, risk=risk_of(found), evidence=critical, critical=critical
    )


def row(path: str, **values: float) -> ModuleRow:
    found = parts(**values)
    return ModuleRow(path=path, package="p", lines=100, risk=risk_of(found), parts=found)


def missing(task_id: str) -> Missing:
    return Missing(task_id=task_id, producer=task_id, reason="it does not parse")


def test_an_area_ranks_its_modules_and_keeps_what_is_missing(store: OutputStore) -> None:
    made = {"inspect/a.py": finding("a.py", size=0.1), "inspect/b.py": finding("b.py", EVAL, defects=0.6)}
    area = merge(handoffs(store, made, (missing("inspect/c.py"),))).output

    assert [found.path for found in area.rows] == ["b.py", "a.py"]
    assert area.signals == (Signal(path="b.py", evidence=EVAL),)
    assert area.missing == (missing("inspect/c.py"),)
    assert area.made_from == ("inspect/a.py", "inspect/b.py")
    assert area.lines == 200


def test_larger_areas_keep_every_row_signal_and_gap_but_only_the_worst_in_full(store: OutputStore) -> None:
    areas = {}
    for team in range(3):
        made = {f"inspect/{team}{n}.py": finding(f"{team}{n}.py", EVAL, size=n / 10) for n in range(8)}
        areas[f"team:{team}"] = merge(handoffs(store, made, (missing(f"inspect/gone{team}.py"),))).output
    whole = merge.combiner(handoffs(store, areas, (missing("team:3"),))).output

    assert (len(whole.rows), len(whole.signals), len(whole.missing), len(whole.worst)) == (24, 24, 4, WORST)
    assert whole.made_from == ("team:0", "team:1", "team:2")


def test_the_same_gap_told_twice_is_listed_once(store: OutputStore) -> None:
    area = AreaReport(missing=(missing("inspect/c.py"),))

    assert len(merge.combiner(handoffs(store, {"team:1": area}, (missing("inspect/c.py"),))).output.missing) == 1


@pytest.mark.parametrize(
    ("reach", "commits", "expected"),
    [
        ({}, {}, 0.2),  # 0.5 · 0.4
        ({"m.py": 99, "n.py": 99}, {}, 0.5),
        ({}, {"m.py": 99}, 0.2),
        ({}, {"n.py": 99}, 0.08),  # 0.5 · 0.4 · 0.4
        ({"m.py": 99}, {"m.py": 99}, 0.5),
        ({"m.py": 1}, {}, 0.2867),  # 0.5 · (0.4 + 0.6 · log 2 / log 11): one dependent is not much
    ],
)
def test_a_score_is_risk_times_churn_times_reach(
    reach: dict[str, int], commits: dict[str, int], expected: float
) -> None:
    links = {path: Links(reach=number) for path, number in reach.items()}
    changes = {
        path: FileChanges(commits=number, lines=1, authors=1, days_old=0, days_quiet=0)
        for path, number in commits.items()
    }
    (standing,) = rank([row("m.py", complexity=1.0)], links, changes)

    assert standing.score == pytest.approx(expected, abs=1e-4)


def ranked(
    inspect: Handoffs[Any], survey: Handoffs[Any], previous: Previous[Any] | None = None, **mended: Any
) -> AuditReport:
    given = {"fix": Handoffs(), "recheck": Handoffs()} | mended
    before = Previous() if previous is None else previous
    return rank_hotspots(inspect=inspect, survey=survey, previous=before, path=Path("/code"), **given).output


def audit(store: OutputStore, area: AreaReport, before: AuditReport | None = None, **surveys: Any) -> AuditReport:
    previous = Previous(received(store, "rank/rank_hotspots", before)) if before else Previous()
    inspected = handoffs(store, {"primary": area})
    surveyed = handoffs(store, {f"survey/{name}": survey for name, survey in surveys.items()})
    return ranked(inspected, surveyed, previous)


def test_a_hotspot_has_its_evidence_a_reason_and_a_first_action(store: OutputStore) -> None:
    fact = Observation(kind=Kind.COMPLEXITY, text="Flow.run() has complexity 41", line=7)
    area = AreaReport(rows=(row("m.py", complexity=1.0, size=0.5).model_copy(update={"evidence": (fact,)}),))
    changes = FileChanges(commits=37, lines=900, authors=5, days_old=90, days_quiet=1, together_with=("n.py",))
    history = HistorySurvey(modules={"m.py": changes}, commits=200)
    imports = ImportSurvey(modules={"m.py": Links(reach=61, imported_by=9)})
    (spot,) = audit(store, area, history=history, imports=imports).hotspots

    assert [fact.text for fact in spot.evidence] == [
        "Flow.run() has complexity 41",
        "changed in 37 of 200 commits by 5 authors, usually together with n.py",
        "61 modules depend on it, 9 directly",
    ]
    assert (
        spot.reason == "Risk 0.57, mainly complexity and size; 37 commits by 5 authors; 61 modules may break with it."
    )
    assert spot.action == "Write tests that pin what Flow.run() does today, then split it along its branches."


def test_harmless_modules_are_no_hotspots(store: OutputStore) -> None:
    report = audit(store, AreaReport(rows=(row("m.py", dead_code=0.1),)))

    assert report.hotspots == ()
    assert "No module is risky enough" in report.verdict[1]


def test_a_tree_without_python_says_so(store: OutputStore) -> None:
    report = ranked(Handoffs(), Handoffs())

    assert report.verdict == ("There are no Python files below /code, so there is nothing to audit.",)


def test_surveys_that_failed_are_told_in_notes_and_among_the_missing(store: OutputStore) -> None:
    surveyed = handoffs(store, {"survey/lint": LintSurvey()}, (missing("survey/imports"),))
    report = ranked(Handoffs(), surveyed)

    assert "The imports survey is missing: risks are judged without it." in report.notes
    assert any("Without history" in note for note in report.notes)
    assert report.missing == (missing("survey/imports"),)
    assert ("imports", "no answer: it does not parse") in [(tool.tool, tool.said) for tool in report.tools]


def test_a_run_is_compared_with_the_one_before(store: OutputStore) -> None:
    then = AreaReport(
        rows=(row("worse.py"), row("better.py", size=1.0), row("same.py", size=0.5), row("gone.py")),
        signals=(Signal(path="better.py", evidence=EVAL), Signal(path="same.py", evidence=EVAL)),
    )
    moved = EVAL.model_copy(update={"line": 99})
    now = AreaReport(
        rows=(row("worse.py", defects=0.6), row("better.py"), row("same.py", size=0.52), row("new.py")),
        signals=(Signal(path="worse.py", evidence=EVAL), Signal(path="same.py", evidence=moved)),
    )
    comparison = audit(store, now, before=audit(store, then)).comparison

    assert comparison is not None
    assert [(change.path, change.before, change.now, change.most) for change in comparison.worse] == [
        ("worse.py", 0.0, 0.3, Kind.DEFECTS)
    ]
    assert [change.path for change in comparison.better] == ["better.py"]
    assert (comparison.new, comparison.gone) == (("new.py",), ("gone.py",))
    assert [signal.path for signal in comparison.new_signals] == ["worse.py"]
    assert [signal.path for signal in comparison.ended_signals] == ["better.py"]


def test_the_first_run_is_compared_with_nothing() -> None:
    assert compare(AreaReport(), None, Scope(inspected=(), listed=())) is None


HOSTILE = "<img src=x onerror=alert(1)>\"'`|\n# x"


def page(store: OutputStore, **changes: Any) -> dict[str, Any]:
    area = AreaReport(rows=(row(HOSTILE, complexity=1.0),), signals=(Signal(path=HOSTILE, evidence=EVAL),))
    before = audit(store, AreaReport(rows=(row("gone.py"),)))
    report = audit(store, area, before=before)
    return render(run_view(output=report.model_dump(mode="json"), text=HOSTILE, **changes))


def test_hostile_names_and_messages_stay_text(store: OutputStore) -> None:
    files = page(store)

    assert "<img" not in files["report.html"]
    assert "<img" not in files["report.md"]
    assert not any(line.startswith("# x") for line in files["report.md"].splitlines())


def test_the_page_needs_nothing_from_outside(store: OutputStore) -> None:
    html = page(store)["report.html"].replace("http://www.w3.org/2000/svg", "")

    assert "default-src &#39;none&#39;" in html or "default-src 'none'" in html
    assert not any(word in html for word in ("http://", "https://", "<script", "<link", "@import", "url("))


def test_the_page_shows_every_part_of_the_audit(store: OutputStore) -> None:
    html = page(store)["report.html"]
    sections = ["hotspots", "map", "critical", "changes", "packages", "concerns", "missing", "tools", "organisation"]

    assert [name for name in sections if f'id="{name}"' not in html] == []
    assert html.count("<svg") == 3  # treemap, structure, timeline


def test_a_run_without_a_result_is_reported_all_the_same() -> None:
    assert "There is none." in str(render(run_view(output=None))["report.html"])


def test_a_long_run_is_drawn_to_scale() -> None:
    assert "4 h" in str(render(run_view(output=None, lasted=timedelta(hours=5)))["report.html"])


def test_times_are_in_utc() -> None:
    html = str(render(run_view(output=None, started=datetime(2026, 3, 1, 12, tzinfo=UTC)))["report.html"])

    assert "2026-03-01 12:00:00 UTC" in html
