"""Audit many files with a linter: each file by itself, summed up by package and then for the whole."""

from collections import Counter
from pathlib import Path

from pydantic import BaseModel

from echelon import Handoffs, Job, command, integrator


class Code(BaseModel):
    path: Path


class Finding(BaseModel):
    code: str
    message: str


class Audit(BaseModel):
    files: int
    findings: dict[str, int]
    unknown: list[str]


def files(path: Path) -> list[Path]:
    return sorted(path.rglob("*.py"))


def unreadable(findings: list[Finding]) -> str:
    """A file that cannot be parsed is not clean: nobody knows what is in it."""
    return next((one.message for one in findings if one.code == "invalid-syntax"), "")


lint = command(
    ["ruff", "check", "--isolated", "--no-cache", "--select=E,F,B", "--output-format=json", "--", "{item}"],
    name="lint",
    output=list[Finding],
    ok_exit_codes=(0, 1),
    failed_when=unreadable,
)


@integrator
def sum_up(linted: Handoffs[list[Finding]]) -> Audit:
    """Count what was found."""
    codes = Counter(one.code for findings in linted.outputs() for one in findings)
    return Audit(files=len(linted), findings=dict(codes), unknown=[one.task_id for one in linted.missing])


@sum_up.combine
def add_up(parts: Handoffs[Audit]) -> Audit:
    """Add up what was counted for packages."""
    audits = parts.outputs()
    codes = sum((Counter(one.findings) for one in audits), Counter[str]())
    unknown = [one.task_id for one in parts.missing]
    return Audit(files=sum(one.files for one in audits), findings=dict(codes), unknown=unknown)


audit = Job("audit", goal="Find what a linter finds in this code", inputs=Code)
audit.phase(
    "lint",
    each=lint,
    over=files,
    key=lambda file: "/".join(file.parts[-2:]),
    domain=lambda file: file.parent.name,
    integrate=add_up,
)
