"""What is known about one module: where it is, what was measured in it, how risky it is and why."""

from enum import StrEnum
from pathlib import PurePosixPath

from pydantic import Field

from echelon.model.base import Value


class Module(Value):
    """A Python file of the tree under audit."""

    path: str
    """Path below the audited folder, with forward slashes."""
    package: str
    """Dotted name of its package; of its folder when it is in none."""

    @property
    def is_test(self) -> bool:
        """Is it a test? What is a risk in production code, such as a password, is none there."""
        path = PurePosixPath(self.path)
        return path.name.startswith(("test_", "conftest")) or not {"tests", "test"}.isdisjoint(path.parent.parts)


class Severity(StrEnum):
    """How bad something found in a line of code is (C3)."""

    LOW = "low"  #: worth tidying when the code is touched anyway
    MEDIUM = "medium"  #: likely to cause a defect one day
    HIGH = "high"  #: a defect, or nearly one
    CRITICAL = "critical"  #: lets somebody else run or read what they must not


class Kind(StrEnum):
    """What a piece of evidence is about; the parts of the risk have the same names (C3)."""

    COMPLEXITY = "complexity"  #: hard to follow
    SIZE = "size"  #: more than one reader can hold
    MAINTAINABILITY = "maintainability"  #: expensive to change
    DEFECTS = "defects"  #: lint and security findings
    DEAD_CODE = "dead_code"  #: used by nobody
    DUPLICATION = "duplication"  #: the same code elsewhere
    CYCLE = "cycle"  #: part of an import cycle
    CHURN = "churn"  #: changes often
    REACH = "reach"  #: many modules depend on it


class Observation(Value):
    """A fact that somebody can check."""

    kind: Kind
    """What it is about."""
    text: str
    """The fact, in a few words."""
    line: int | None = Field(default=None, ge=1)
    """Where in the module it is."""


class CodeFinding(Value):
    """Something in a module that somebody can act on, known again in the next run."""

    path: str
    """The module."""
    rule: str
    """Code of the rule that it breaks, such as S307, or the name of a measure."""
    title: str
    """What the rule is called."""
    kind: Kind
    """What it is about."""
    severity: Severity
    """How bad it is."""
    text: str
    """The fact, in a few words."""
    line: int = Field(default=1, ge=1)
    """Where in the module it is."""
    fingerprint: str
    """The same as long as the finding is: wherever its line goes, and whatever its file is called."""


class Metrics(Value):
    """What was measured in one module."""

    lines: int = Field(ge=0)
    """Lines of the file."""
    code_lines: int = Field(ge=0)
    """Lines that are code: neither blank nor comment nor docstring."""
    maintainability: float = Field(ge=0, le=100)
    """Maintainability index, 0 to 100; higher is better."""
    functions: int = Field(ge=0)
    """Functions and methods."""
    complex_functions: int = Field(ge=0)
    """Of those, how many have a cyclomatic complexity above 10."""
    worst_complexity: int = Field(ge=0)
    """The highest cyclomatic complexity."""
    worst_function: str = ""
    """Who has it."""
    worst_line: int | None = None
    """Where that one begins."""


class RiskParts(Value):
    """The parts of a risk, each 0 (no concern) to 1 (as bad as it gets)."""

    complexity: float = Field(ge=0, le=1)
    """Hard to follow."""
    size: float = Field(ge=0, le=1)
    """Too much in one place."""
    maintainability: float = Field(ge=0, le=1)
    """Expensive to change."""
    defects: float = Field(ge=0, le=1)
    """Lint and security findings, by severity."""
    dead_code: float = Field(ge=0, le=1)
    """Used by nobody."""
    duplication: float = Field(ge=0, le=1)
    """The same code elsewhere."""
    cycle: float = Field(ge=0, le=1)
    """Part of an import cycle."""


class ModuleFinding(Value):
    """What the inspection of one module found."""

    module: Module
    """The module."""
    metrics: Metrics
    """What was measured in it."""
    parts: RiskParts
    """Parts of its risk."""
    risk: float = Field(ge=0, le=1)
    """How risky it is to change, 0 to 1."""
    evidence: tuple[Observation, ...]
    """What the risk rests on, the weightiest first."""
    critical: tuple[Observation, ...] = ()
    """Findings so serious that no aggregate may swallow them (X8)."""
    findings: tuple[CodeFinding, ...] = ()
    """Everything that can be acted on, one by one."""
