"""What the tools found in the whole tree, by module, so that looking up one module costs nothing."""

from typing import Literal

from pydantic import Field

from contracts.modules import Severity
from echelon.model.base import Value


class Survey(Value):
    """What a tool could not take into account; every survey says it."""

    unread: dict[str, str] = Field(default_factory=dict)
    """Module → why the tool did not see it."""


class LintHit(Value):
    """A rule that a line breaks."""

    rule: str
    """Code of the rule."""
    name: str
    """What the rule is called."""
    line: int = Field(ge=1)
    """Where."""
    message: str
    """What the tool says."""
    severity: Severity
    """How bad it is."""


class LintSurvey(Survey):
    """Lint and security findings."""

    tool: Literal["lint"] = "lint"
    """The agent that made it."""
    modules: dict[str, tuple[LintHit, ...]] = Field(default_factory=dict)
    """Module → what was found, in order of lines."""


class DeadItem(Value):
    """Something that nothing in the tree uses."""

    name: str
    """Its name."""
    what: str
    """Function, class, import, variable, code …"""
    line: int = Field(ge=1)
    """Where it begins."""
    lines: int = Field(ge=1)
    """How long it is."""
    confidence: float = Field(ge=0, le=1)
    """How sure the tool is."""


class DeadCodeSurvey(Survey):
    """Code that can go."""

    tool: Literal["dead_code"] = "dead_code"
    """The agent that made it."""
    modules: dict[str, tuple[DeadItem, ...]] = Field(default_factory=dict)
    """Module → what is not used, in order of lines."""


class Clone(Value):
    """A piece of a module that exists elsewhere too."""

    line: int = Field(ge=1)
    """Where it begins."""
    end_line: int = Field(ge=1)
    """Where it ends."""
    others: tuple[str, ...]
    """Where else: path:line, the first few."""


class DuplicationSurvey(Survey):
    """Code that exists more than once."""

    tool: Literal["duplication"] = "duplication"
    """The agent that made it."""
    modules: dict[str, tuple[Clone, ...]] = Field(default_factory=dict)
    """Module → its pieces that are elsewhere too."""
    percent: float = Field(default=0, ge=0, le=100)
    """Share of all code that is duplicated."""


class Links(Value):
    """How a module hangs together with the others."""

    imports: int = Field(default=0, ge=0)
    """Modules it imports."""
    imported_by: int = Field(default=0, ge=0)
    """Modules that import it."""
    reach: int = Field(default=0, ge=0)
    """Modules that depend on it, directly or through others."""
    cycle: int | None = None
    """Index of the import cycle it is in."""
    uses: tuple[str, ...] = ()
    """The modules it imports, in order."""


class PackageLinks(Value):
    """How a package hangs together with the others."""

    imports: tuple[str, ...] = ()
    """Packages it imports."""
    imported_by: tuple[str, ...] = ()
    """Packages that import it."""


class ImportSurvey(Survey):
    """Who imports whom."""

    tool: Literal["imports"] = "imports"
    """The agent that made it."""
    modules: dict[str, Links] = Field(default_factory=dict)
    """Module → its links."""
    packages: dict[str, PackageLinks] = Field(default_factory=dict)
    """Package → its links."""
    cycles: tuple[tuple[str, ...], ...] = ()
    """Import cycles, the largest first: each a set of modules of which every one reaches every other."""


class FileChanges(Value):
    """How a module changed."""

    commits: int = Field(ge=0)
    """Commits that touched it."""
    lines: int = Field(ge=0)
    """Lines added and removed."""
    authors: int = Field(ge=0)
    """People who did."""
    days_old: int = Field(ge=0)
    """Days between its first change looked at and the newest commit."""
    days_quiet: int = Field(ge=0)
    """Days between its last change and the newest commit."""
    together_with: tuple[str, ...] = ()
    """Modules that change with it more often than not."""


class HistorySurvey(Survey):
    """How the tree changed."""

    tool: Literal["history"] = "history"
    """The agent that made it."""
    modules: dict[str, FileChanges] = Field(default_factory=dict)
    """Module → how it changed."""
    commits: int = 0
    """Commits looked at."""
    note: str = ""
    """Why there is no history, when there is none."""


class File(Value):
    """A module as it lay there when the audit began."""

    package: str
    """Dotted name of its package; of its folder when it is in none."""
    sha256: str
    """Digest of its bytes, or of why they cannot be read."""
    changed: bool = True
    """Has it changed since the commit that the audit looks back to? True when it looks back to none."""


class InventorySurvey(Survey):
    """Which modules there are, and which of them are to be inspected."""

    tool: Literal["inventory"] = "inventory"
    """The agent that made it."""
    modules: dict[str, File] = Field(default_factory=dict)
    """Module → what it is."""
    since: str = ""
    """The commit that changes are counted from; empty when everything is inspected."""
    commit: str = ""
    """The commit that is checked out; empty without git."""
    prefix: str = ""
    """The audited folder in its repository, with a slash at its end; empty for its root, and without git."""


#: What the survey phase delivers.
AnySurvey = InventorySurvey | LintSurvey | DeadCodeSurvey | DuplicationSurvey | ImportSurvey | HistorySurvey
