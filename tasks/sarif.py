"""The findings of an audit as SARIF 2.1.0, for code scanning and editors. Pure.

What is closed is left out, and that closes it there, too. What was kept or is out of scope stays in, so that an audit
of a part closes nothing that it did not look at.
"""

import json
from collections.abc import Iterable, Sequence
from typing import Any
from urllib.parse import quote

from contracts.findings import STANDING, FindingState, TrackedFinding
from contracts.modules import Kind, Severity
from contracts.reports import AuditReport
from echelon.model.handoff import Missing
from echelon.model.phrasing import one_line, printable
from tasks.linting import NO_RULE
from tasks.severities import WORST_FIRST

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
#: More than so many results of one run are not shown by code scanning; the most severe ones are written.
MAX_RESULTS = 5_000
#: What paths are relative to: the root of the repository.
_ROOT = "%SRCROOT%"

_LEVELS: dict[Severity, str] = {
    Severity.CRITICAL: "error",
    Severity.HIGH: "error",
    Severity.MEDIUM: "warning",
    Severity.LOW: "note",
}
#: Severity of a security rule → what code scanning counts it as, 0 to 10.
_SECURITY: dict[Severity, str] = {
    Severity.CRITICAL: "9.5",
    Severity.HIGH: "8.0",
    Severity.MEDIUM: "5.5",
    Severity.LOW: "2.0",
}
_BASELINE: dict[FindingState, str] = {
    FindingState.NEW: "new",
    FindingState.OPEN: "unchanged",
    FindingState.KEPT: "unchanged",
    FindingState.OUT_OF_SCOPE: "unchanged",
}
#: Rules whose codes begin so are about security.
_SECURITY_RULES = "S"
_RULE_PAGES = "https://docs.astral.sh/ruff/rules/"


def sarif(report: AuditReport, missing: Sequence[Missing], version: str) -> str:
    """Return a SARIF log of one run; `missing` is what it could not say anything about."""
    standing = sorted(
        (one for one in report.findings if one.state in STANDING),
        key=lambda one: (WORST_FIRST.index(one.severity), one.path, one.line, one.rule, one.fingerprint),
    )
    shown = standing[:MAX_RESULTS]
    rules = _rules(shown)
    index = {rule["id"]: position for position, rule in enumerate(rules)}
    run: dict[str, Any] = {
        "tool": {"driver": {"name": "Echelon audit", "semanticVersion": version, "rules": rules}},
        "automationDetails": {"id": f"echelon-audit/{report.prefix}"},
        "columnKind": "unicodeCodePoints",
        "originalUriBaseIds": {_ROOT: {"description": {"text": "The root of the repository."}}},
        "invocations": [_invocation(missing, len(standing) - len(shown))],
        "results": [
            _result(one, index[one.rule], report.prefix, has_baseline=report.comparison is not None) for one in shown
        ],
    }
    return json.dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2, ensure_ascii=True)


def _rules(findings: Iterable[TrackedFinding]) -> list[dict[str, Any]]:
    """Return the rules that are broken, each as bad as the worst finding of it."""
    worst: dict[str, TrackedFinding] = {}
    for one in findings:  # the worst come first
        worst.setdefault(one.rule, one)
    return [_rule(worst[rule]) for rule in sorted(worst)]


def _rule(finding: TrackedFinding) -> dict[str, Any]:
    about: dict[str, Any] = {"tags": [finding.kind.value.replace("_", "-")]}
    made: dict[str, Any] = {
        "id": finding.rule,
        "name": finding.title,
        "shortDescription": {"text": _message(finding.title)},
        "defaultConfiguration": {"level": _LEVELS[finding.severity]},
        "properties": about,
    }
    if finding.kind is Kind.DEFECTS and finding.title != NO_RULE:
        made["helpUri"] = f"{_RULE_PAGES}{quote(finding.title, safe='')}/"
        if finding.rule.startswith(_SECURITY_RULES):
            about["tags"].append("security")
            about["security-severity"] = _SECURITY[finding.severity]
    return made


def _result(finding: TrackedFinding, rule: int, prefix: str, *, has_baseline: bool) -> dict[str, Any]:
    baseline = {"baselineState": _BASELINE[finding.state]} if has_baseline else {}
    place = {"uri": quote(f"{prefix}{finding.path}", errors="replace"), "uriBaseId": _ROOT}
    return {
        "ruleId": finding.rule,
        "ruleIndex": rule,
        "level": _LEVELS[finding.severity],
        "message": {"text": _message(finding.text)},
        "locations": [
            {"physicalLocation": {"artifactLocation": place, "region": {"startLine": finding.line}}},
        ],
        # By the first of these code scanning knows a finding again; the second says by which rules it was made.
        "partialFingerprints": {
            "primaryLocationLineHash": f"{finding.fingerprint}:1",
            "echelonAudit/v1": finding.fingerprint,
        },
        **baseline,
        "properties": {"severity": finding.severity.value, "state": finding.state.value},
    }


def _invocation(missing: Sequence[Missing], left_out: int) -> dict[str, Any]:
    notes = [{"level": "error", "message": {"text": _message(f"{one.task_id}: {one.reason}")}} for one in missing]
    if left_out:
        text = f"{left_out:,} findings of the lowest severity are left out; the report has all"
        notes.append({"level": "warning", "message": {"text": text}})
    return {"executionSuccessful": not missing, "toolExecutionNotifications": notes}


def _message(text: str) -> str:
    """Return text as a message that means nothing else: brackets would be links, and braces places to fill."""
    shown = printable(one_line(text)).replace("\\", "\\\\").replace("[", "\\[").replace("]", "\\]")
    return shown.replace("{", "{{").replace("}", "}}")
