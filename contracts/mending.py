"""What is handed on when a project is mended: flaws by file, fixes, and one patch."""

from pathlib import PurePosixPath

from pydantic import Field

from echelon.model.base import Value


class Flaw(Value):
    """Something that the linter says of a line."""

    rule: str
    """Code of the rule."""
    line: int = Field(ge=1)
    """Where."""
    message: str
    """What it says."""

    def __str__(self) -> str:
        """Say it as linters do."""
        return f"line {self.line}: {self.rule} {self.message}"


class FlawedFile(Value):
    """A file with what the linter says of it."""

    path: str
    """Path below the project, with forward slashes."""
    flaws: tuple[Flaw, ...]
    """In order of lines."""

    def __str__(self) -> str:
        """Return its path, which names its task."""
        return self.path

    @property
    def area(self) -> str:
        """The folder it is in, as a dotted name; that of the top is `top`."""
        return ".".join(PurePosixPath(self.path).parent.parts) or "top"


class Fix(Value):
    """A file as it should be."""

    path: str
    """The file."""
    sha256: str
    """Digest of the file as it was: a patch for another one would be wrong."""
    text: str
    """The file as it should be."""


class Patch(Value):
    """All fixes that pass, as one patch; the project itself is as it was."""

    root: str
    """The project."""
    text: str
    """Unified diff: `git apply` or `patch -p1` in the project applies it."""
    files: tuple[str, ...] = ()
    """Files that it changes."""
    mended: int = Field(default=0, ge=0)
    """Findings that are gone with it."""
    left: dict[str, str] = Field(default_factory=dict[str, str])
    """Files that it does not change although they have findings, each with why."""
