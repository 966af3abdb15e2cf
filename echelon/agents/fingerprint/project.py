"""What belongs together: the code of one project, whose helpers count as the code of its agents (F8)."""

import sys
import sysconfig
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

#: The framework is a library, also where it lies beside the project that uses it.
_NOT_THEIRS = frozenset({"echelon"})

#: Folders of what is installed: each package there is a project of its own.
_INSTALLED = frozenset({"site-packages", "dist-packages"})

_STANDARD_LIBRARY = sysconfig.get_path("stdlib")


@dataclass(frozen=True)
class Project:
    """A top-level package or script, and the folder in which it lies with its siblings."""

    package: str
    """Name of the package."""
    folder: Path | None
    """The folder; None where that is not known, or full of what others have installed."""

    def has(self, module: str | None) -> bool:
        """Say whether a module is part of it: of the same package, or of one that lies beside it."""
        package = (module or "").partition(".")[0]
        if package == self.package:
            return True
        return self.folder is not None and package not in _NOT_THEIRS and _folder_of(package) == self.folder


def project_of(module: str | None) -> Project:
    """Return the project that a module is part of."""
    package = (module or "").partition(".")[0]
    return Project(package, _folder_of(package))


@lru_cache(maxsize=1024)
def _folder_of(package: str) -> Path | None:
    module = sys.modules.get(package)
    where = getattr(module, "__file__", None)
    if where is None:  # a package without a file, which may be in several places; a built-in module is in none
        places = list(getattr(module, "__path__", ()))
        folder = Path(places[0]).parent if len(places) == 1 else None
    else:
        file = Path(where)
        folder = file.parent.parent if hasattr(module, "__path__") else file.parent
    if folder is None or not _INSTALLED.isdisjoint(folder.parts) or folder.is_relative_to(_STANDARD_LIBRARY):
        return None
    return folder.resolve()
