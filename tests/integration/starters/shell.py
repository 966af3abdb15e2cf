"""What tests of the flows that people copy share: those flows on the command line, beside a corpus and a project."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[3]


@dataclass(frozen=True)
class Shell:
    """A home, and commands in it."""

    home: Path

    def call(self, *arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
        mine = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("PREFECT_", "ECHELON_", "RESEARCH_"))
        }
        own = {"ECHELON_HOME": str(self.home), "ECHELON_PICTURE": "false"}
        return subprocess.run(
            [sys.executable, "-m", "echelon", *arguments],
            cwd=ROOT,
            env=mine | own | environment,
            capture_output=True,
            text=True,
            timeout=110,
            check=False,
        )

    def document(self, *arguments: str, code: int = 0, **environment: str) -> Any:
        """Return the document that a command prints, when it ends as it should."""
        said = self.call(*arguments, "--json", **environment)
        assert said.returncode == code, f"{said.stdout}\n{said.stderr}"
        return json.loads(said.stdout)

    def last_run(self) -> str:
        return self.document("runs")["runs"][0]["run_id"]


def result(document: Any) -> dict[str, Any]:
    """Return what two runs have in common that ended in the same way; what is missing has no order."""
    missing = sorted((one["task_id"], one["reason"]) for one in document["missing"])
    return {"missing": missing, **{name: document[name] for name in ("status", "output", "launched", "returned")}}
