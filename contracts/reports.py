"""What is reported upwards: areas first, then the whole (X8)."""

from pydantic import Field

from contracts.findings import TrackedFinding
from contracts.fixes import FixReport
from contracts.modules import CodeFinding, Kind, Module, ModuleFinding, Observation, RiskParts
from echelon.model.base import Value
from echelon.model.handoff import Missing


class ModuleRow(Value):
    """A module in one line of a table."""

    path: str
    """The module."""
    package: str
    """Its package."""
    lines: int = Field(ge=0)
    """Lines of the file."""
    risk: float = Field(ge=0, le=1)
    """How risky it is to change."""
    parts: RiskParts
    """Parts of the risk."""
    evidence: tuple[Observation, ...] = ()
    """The weightiest facts."""


class Signal(Value):
    """Something so serious that no aggregate may swallow it (X8)."""

    path: str
    """The module."""
    evidence: Observation
    """The fact."""


class AreaReport(Value):
    """What is known about a part of the tree: a team's modules, a package, or all of it."""

    rows: tuple[ModuleRow, ...] = ()
    """Every module inspected, the riskiest first."""
    worst: tuple[ModuleFinding, ...] = ()
    """Full findings of the riskiest few."""
    signals: tuple[Signal, ...] = ()
    """Critical findings, all of them."""
    findings: tuple[CodeFinding, ...] = ()
    """Everything that can be acted on, in order of modules."""
    missing: tuple[Missing, ...] = ()
    """What could not be inspected, and why."""
    made_from: tuple[str, ...] = ()
    """Tasks and integrations this was made from."""

    @property
    def lines(self) -> int:
        """Lines of all modules inspected."""
        return sum(row.lines for row in self.rows)


class Hotspot(Value):
    """A module that deserves attention first."""

    path: str
    """The module."""
    package: str
    """Its package."""
    lines: int = Field(ge=0)
    """Lines of the file."""
    score: float = Field(ge=0, le=1)
    """Risk × churn × reach, see `tasks.ranking`."""
    risk: float = Field(ge=0, le=1)
    """How risky it is to change."""
    churn: float | None = Field(default=None, ge=0, le=1)
    """How often it changes, relative to the others; None without history."""
    reach: float = Field(ge=0, le=1)
    """How much depends on it, relative to the others."""
    reason: str
    """Why it ranks where it does, in one sentence."""
    action: str
    """What to do first."""
    evidence: tuple[Observation, ...]
    """What this rests on."""


class PackageRow(Value):
    """A package in one line of a table."""

    package: str
    """The package."""
    modules: int
    """Modules inspected in it."""
    lines: int
    """Their lines."""
    risk: float
    """Mean risk, weighted by lines."""
    worst: str
    """Its riskiest module."""
    imports: int
    """Packages it imports."""
    imported_by: int
    """Packages that import it."""


class Tile(Value):
    """A module in the picture of the tree."""

    module: Module
    """The module."""
    lines: int
    """Its area."""
    risk: float
    """How risky it is to change."""
    score: float
    """Its colour: the hotspot score."""


class Change(Value):
    """A module that got better or worse since the last run."""

    path: str
    """The module."""
    before: float
    """Risk then."""
    now: float
    """Risk now."""
    most: Kind
    """The part that changed most."""


class ChangeReport(Value):
    """What changed since the last run on the same inputs."""

    worse: tuple[Change, ...] = ()
    """Risk went up, the most first."""
    better: tuple[Change, ...] = ()
    """Risk went down, the most first."""
    new: tuple[str, ...] = ()
    """Modules that were not there."""
    gone: tuple[str, ...] = ()
    """Modules that are not there any more."""
    moved: dict[str, str] = Field(default_factory=dict)
    """What a module was called → what it is called now."""
    not_looked_at: int = Field(default=0, ge=0)
    """Modules of the last report that this run says nothing about: not changed, excluded, or not to be inspected."""
    new_signals: tuple[Signal, ...] = ()
    """Critical findings that were not there."""
    ended_signals: tuple[Signal, ...] = ()
    """Critical findings that are not there any more."""


class ToolRow(Value):
    """What one tool said."""

    tool: str
    """Name of the survey."""
    said: str
    """In one sentence."""


class AuditReport(Value):
    """What is risky in a code base, in order."""

    root: str
    """The folder that was audited."""
    verdict: tuple[str, ...]
    """The result, in at most three sentences."""
    hotspots: tuple[Hotspot, ...] = ()
    """What deserves attention, first things first."""
    tiles: tuple[Tile, ...] = ()
    """Every module inspected."""
    parts: dict[str, RiskParts] = Field(default_factory=dict)
    """Module → parts of its risk, to compare the next run with; of those not looked at, what the last run said."""
    findings: tuple[TrackedFinding, ...] = ()
    """Everything that can be acted on, with how it stands against the last run."""
    files: dict[str, str] = Field(default_factory=dict)
    """Module → digest of its file, so that the next run knows one that was renamed."""
    commit: str = ""
    """The commit that was audited; empty without git."""
    prefix: str = ""
    """The audited folder in its repository, with a slash at its end."""
    since: str = ""
    """The commit that changes are counted from, when only those were inspected."""
    packages: tuple[PackageRow, ...] = ()
    """Every package, the riskiest first."""
    cycles: tuple[tuple[str, ...], ...] = ()
    """Import cycles, the largest first."""
    signals: tuple[Signal, ...] = ()
    """Critical findings, all of them."""
    comparison: ChangeReport | None = None
    """Against the last run; None when this is the first."""
    tools: tuple[ToolRow, ...] = ()
    """What the tools said."""
    notes: tuple[str, ...] = ()
    """What to keep in mind when reading this."""
    fixes: FixReport | None = None
    """What may be changed, once a person has approved it; None when nothing was to be mended."""
    missing: tuple[Missing, ...] = ()
    """What could not be inspected, and why."""
