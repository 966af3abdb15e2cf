"""What a wheel carries beside the package: the jobs that `echelon init` starts a project with, as files.

A checkout that is installed in place has them beside the package. They are never importable by their own names:
`flows` and `tasks` belong to the project that uses Echelon.
"""

from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

STARTER = ("flows", "tasks", "contracts", "deployments")


class StarterHook(BuildHookInterface[Any]):
    """Puts the starter into wheels, and not into installations of a checkout."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Add the folders to what is built."""
        if version != "editable":
            build_data["force_include"].update({folder: f"echelon/starter/{folder}" for folder in STARTER})
