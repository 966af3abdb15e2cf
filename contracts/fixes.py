"""Fixes of what an audit found: as they are proposed, as they were checked, and as they were applied."""

from pydantic import Field

from echelon.model.base import Value


class FileFix(Value):
    """A file as it should be."""

    path: str
    """Path below the audited folder, with forward slashes."""
    sha256: str
    """Digest of the file as it was: this fix is for no other one."""
    text: str
    """The file as it should be, with its line ends."""
    patch: str
    """The difference, as unified diff."""


class FixProposal(Value):
    """What the linter can mend safely in the hotspots; nobody has checked it yet."""

    files: tuple[FileFix, ...] = ()
    """The fixes, in order of files."""
    left: dict[str, str] = Field(default_factory=dict[str, str])
    """Hotspots with findings that could not be looked at, each with why."""


class CheckedFixes(Value):
    """The fixes with which nothing gets worse."""

    files: tuple[FileFix, ...] = ()
    """Those that may be applied, in order of files."""
    gone: dict[str, int] = Field(default_factory=dict[str, int])
    """File → findings that are gone with its fix."""
    refused: dict[str, str] = Field(default_factory=dict[str, str])
    """Files that are not to be changed although something could be mended in them, each with why."""

    @property
    def patch(self) -> str:
        """All of them as one unified diff: `git apply` or `patch -p1` in the audited folder applies it."""
        return "".join(one.patch for one in self.files)


class AppliedFixes(Value):
    """Files that were changed."""

    files: dict[str, str] = Field(default_factory=dict[str, str])
    """File → digest of what is in it now."""


class FixReport(Value):
    """What may be changed by an audit, once a person has approved it."""

    nothing: str = ""
    """Why nothing may be changed; empty when something may."""
    gone: dict[str, int] = Field(default_factory=dict[str, int])
    """File → findings that are gone with its fix."""
    refused: dict[str, str] = Field(default_factory=dict[str, str])
    """Files that are not to be changed although something could be mended in them, each with why."""
    patch: str = ""
    """The fixes as one unified diff."""
