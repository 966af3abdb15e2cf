"""What a CI system takes: SARIF for code scanning, and a summary in Markdown."""

import json
import re
from typing import Any

import pytest

from contracts.findings import FindingState, TrackedFinding
from contracts.modules import Kind, Severity
from contracts.reports import AuditReport, ChangeReport
from echelon.model.handoff import Missing
from tasks.rendering import render
from tasks.sarif import MAX_RESULTS, sarif
from tests.unit.visibility.building import run_view

HOSTILE = "<img src=x onerror=alert(1)>\"'`|\n# x [click](http://evil) {0}"


def tracked(state: FindingState = FindingState.OPEN, **changed: Any) -> TrackedFinding:
    values = {
        "path": "app/m.py",
        "rule": "S307",
        "title": "suspicious-eval-usage",
        "kind": Kind.DEFECTS,
        "severity": Severity.CRITICAL,
        "text": "eval is used",
        "line": 3,
        "fingerprint": "0123456789abcdef",
    }
    return TrackedFinding(**{**values, "state": state, **changed})


def report(*findings: TrackedFinding, **changed: Any) -> AuditReport:
    values = {"root": "/code", "verdict": ("One module was inspected.",), "comparison": ChangeReport()}
    return AuditReport(**{**values, "findings": findings, **changed})


def log_of(made: AuditReport, *missing: Missing) -> dict[str, Any]:
    (run,) = check(json.loads(sarif(made, missing, "1.2.3")))["runs"]
    return run


def check(log: dict[str, Any]) -> dict[str, Any]:
    """Hold a log against what SARIF 2.1.0 requires of the parts that it has, and code scanning beside it."""
    assert log["version"] == "2.1.0"
    assert log["$schema"].endswith("sarif-2.1.0.json")
    for run in log["runs"]:
        rules = run["tool"]["driver"]["rules"]
        assert run["tool"]["driver"]["name"]
        assert len({rule["id"] for rule in rules}) == len(rules), "ids of rules are unique"
        for rule in rules:
            assert rule["shortDescription"]["text"]
            assert rule["defaultConfiguration"]["level"] in {"none", "note", "warning", "error"}
            assert len(set(rule["properties"]["tags"])) == len(rule["properties"]["tags"])
            assert 0 < float(rule["properties"].get("security-severity", "1")) <= 10
        for invocation in run["invocations"]:
            assert isinstance(invocation["executionSuccessful"], bool)
            assert all(note["message"]["text"] for note in invocation["toolExecutionNotifications"])
        for result in run["results"]:
            assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
            assert result["level"] in {"none", "note", "warning", "error"}
            assert result["message"]["text"]
            assert result.get("baselineState", "new") in {"new", "unchanged", "updated", "absent"}
            assert all(isinstance(value, str) for value in result["partialFingerprints"].values())
            (location,) = result["locations"]
            place = location["physicalLocation"]
            assert place["region"]["startLine"] >= 1
            assert place["artifactLocation"]["uriBaseId"] in run["originalUriBaseIds"]
            assert re.fullmatch(r"(?!/)([\w.~/-]|%[0-9A-F]{2})+", place["artifactLocation"]["uri"], re.ASCII)
    return log


@pytest.mark.parametrize(
    ("severity", "level"),
    [(Severity.CRITICAL, "error"), (Severity.HIGH, "error"), (Severity.MEDIUM, "warning"), (Severity.LOW, "note")],
)
def test_each_severity_has_a_level(severity: Severity, level: str) -> None:
    (result,) = log_of(report(tracked(severity=severity)))["results"]

    assert (result["level"], result["properties"]["severity"]) == (level, severity.value)


def test_paths_begin_at_the_root_of_the_repository() -> None:
    (result,) = log_of(report(tracked(path="app/ü m.py"), prefix="src/"))["results"]

    assert result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "src/app/%C3%BC%20m.py"


def test_what_was_not_looked_at_stays_and_what_is_closed_goes() -> None:
    """A result that is left out is closed by code scanning: an audit of a part must not close the rest."""
    states = {state: log_of(report(tracked(state)))["results"] for state in FindingState}

    assert {state.value: [one["baselineState"] for one in found] for state, found in states.items()} == {
        "new": ["new"],
        "open": ["unchanged"],
        "kept": ["unchanged"],
        "out of scope": ["unchanged"],
        "closed": [],
    }


def test_a_first_run_says_nothing_of_a_baseline() -> None:
    (result,) = log_of(report(tracked(), comparison=None))["results"]

    assert "baselineState" not in result


def test_a_finding_is_known_again_wherever_its_line_goes() -> None:
    prints = [log_of(report(tracked(line=line)))["results"][0]["partialFingerprints"] for line in (3, 99)]

    assert prints[0] == prints[1]
    assert prints[0]["primaryLocationLineHash"] == "0123456789abcdef:1"


def test_a_security_rule_says_how_severe_it_is_and_others_do_not() -> None:
    size = tracked(rule="size", kind=Kind.SIZE, severity=Severity.LOW, fingerprint="1")
    rules = {rule["id"]: rule for rule in log_of(report(tracked(), size))["tool"]["driver"]["rules"]}

    assert rules["S307"]["properties"] == {"tags": ["defects", "security"], "security-severity": "9.5"}
    assert rules["size"]["properties"] == {"tags": ["size"]}
    assert rules["S307"]["helpUri"].endswith("/suspicious-eval-usage/")
    assert "helpUri" not in rules["size"]


def test_what_is_missing_is_said_and_the_run_is_no_success() -> None:
    lacking = Missing(task_id="inspect/m.py", producer="inspect", reason="it does not parse")
    whole, partial = (log_of(report(), *missing)["invocations"][0] for missing in ((), (lacking,)))

    assert whole == {"executionSuccessful": True, "toolExecutionNotifications": []}
    assert not partial["executionSuccessful"]
    assert partial["toolExecutionNotifications"][0]["message"]["text"] == "inspect/m.py: it does not parse"


def test_of_too_many_findings_the_most_severe_are_written_and_it_is_said() -> None:
    low = [tracked(severity=Severity.LOW, fingerprint=str(n)) for n in range(MAX_RESULTS)]
    run = log_of(report(*low, tracked()))

    assert len(run["results"]) == MAX_RESULTS
    assert run["results"][0]["level"] == "error"
    assert run["invocations"][0]["toolExecutionNotifications"][0]["message"]["text"].startswith("1 findings")


def test_hostile_text_is_text_in_sarif() -> None:
    """In messages brackets make links, and braces are places to fill."""
    (result,) = log_of(report(tracked(text=HOSTILE, path=HOSTILE)))["results"]

    assert "\\[click\\](http://evil) {{0}}" in result["message"]["text"]
    assert "\n" not in result["message"]["text"]


def summary(made: AuditReport) -> str:
    found = render(run_view(output=made.model_dump(mode="json"), text=HOSTILE))["summary.md"]
    assert isinstance(found, str)
    return found


def test_a_summary_counts_what_was_launched_and_how_findings_stand() -> None:
    counted = [FindingState.NEW, FindingState.NEW, FindingState.CLOSED, FindingState.KEPT]
    text = summary(report(*(tracked(state, fingerprint=str(n)) for n, state in enumerate(counted))))

    assert re.search(r"\d+ launched, \d+ returned, \d+ missing\.", text)
    assert "| 2 | 1 | 0 | 1 | 0 |" in text
    assert text.index("### New") < text.index("### Closed") < text.index("### Missing")


def test_a_summary_names_ten_and_counts_the_rest() -> None:
    text = summary(report(*(tracked(FindingState.NEW, fingerprint=str(n), line=n + 1) for n in range(13))))

    assert text.count("`app/m.py:") == 10
    assert "- and 3 more" in text


def test_hostile_text_is_text_in_a_summary() -> None:
    text = summary(report(tracked(FindingState.NEW, text=HOSTILE, path=HOSTILE)))

    assert "<img" not in text
    assert "[click]" not in text
    assert not any(line.startswith("# x") for line in text.splitlines())


def test_a_run_without_a_result_has_a_summary_and_no_sarif() -> None:
    """An empty log would close every alert that there is."""
    files = render(run_view(output=None))

    assert "There is no report" in str(files["summary.md"])
    assert "audit.sarif" not in files
