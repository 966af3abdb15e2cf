"""Fix many files until a check passes: one fixer a file, round by round, judged by a linter."""

from pathlib import Path

from pydantic import BaseModel

from echelon import Handoffs, Job, Repeat, agent, command


class Code(BaseModel):
    path: Path


class Report(BaseModel):
    mended: int
    left: dict[str, str]


def files(path: Path) -> list[Path]:
    return sorted(path.rglob("*.py"))


# Mends one place at a time.
fix = command(
    ["perl", "-0777", "-pi", "-e", "s/== None/is None/", "--", "{item}"],
    name="fix",
    goal="Mend what the linter finds in this file",
    effect="write",
)
passes = command(["ruff", "check", "--isolated", "--no-cache", "--select=E711", "--", "{item}"], name="passes")


@agent
def report(fix: Handoffs[str]) -> Report:
    """Say what is mended, and what is left to people."""
    return Report(mended=len(fix), left={one.task_id: one.reason for one in fix.missing})


mend = Job("mend", goal="Make the linter pass", inputs=Code)
mend.phase(
    "fix", each=fix, over=files, key=lambda file: "/".join(file.parts[-2:]), repeat=Repeat(until=passes, rounds=6)
)
mend.phase("report", agent=report, needs="fix")
