"""What an audit costs when nothing has changed since the one before, and when one file has, against the first one.

    python benchmarks/audit_incremental.py [--json] [--rounds 3] [--tree FOLDER]

A round is four audits of a copy of the tree, in a home of its own: the first; another with nothing changed; another
after one file has changed; and at last everything again (`--fresh`), which must find the same hotspots. Wall time of
whole commands, start of the process included. Ratios are taken within a round, so that a busy machine is busy for both
sides; the median of all rounds is printed.
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
LIMIT = 0.4
CLAIM = f"An audit after one changed file takes at most {LIMIT} of the first, and finds what a full one finds"
#: What is copied along although it is no code: the history is a part of the audit.
LEFT_OUT = shutil.ignore_patterns(".venv", "__pycache__", ".*_cache", "node_modules", "audit-report")
#: What is appended to a module: it changes nothing but its digest.
EDIT = "\n# Changed.\n"


def audited(tree: Path, home: Path, *options: str) -> tuple[float, dict[str, Any]]:
    """Return the seconds that an audit takes, and its JSON document."""
    command = [sys.executable, "-m", "echelon", "run", "flows/audit.py:audit", "--param", f"path={tree}", "--json"]
    environment = {**os.environ, "ECHELON_HOME": str(home), "ECHELON_PICTURE": "false"}
    began = time.perf_counter()
    done = subprocess.run([*command, *options], cwd=ROOT, env=environment, capture_output=True, check=False)
    seconds = time.perf_counter() - began
    if done.returncode not in {0, 3}:  # 3: something in the tree cannot be audited
        raise SystemExit(done.stderr.decode(errors="replace"))
    return seconds, json.loads(done.stdout)


def measure(source: Path) -> dict[str, Any]:
    """Do one round."""
    with tempfile.TemporaryDirectory(prefix="audit-", ignore_cleanup_errors=True) as folder:
        tree, home = Path(folder) / "tree", Path(folder) / "home"
        shutil.copytree(source, tree, ignore=LEFT_OUT, symlinks=True)
        first, whole = audited(tree, home)
        unchanged, same = audited(tree, home)
        changed = whole["output"]["hotspots"][0]["path"]
        with (tree / changed).open("a", encoding="utf-8") as file:
            file.write(EDIT)
        one_changed, again = audited(tree, home)
        fresh, full = audited(tree, home, "--fresh")
    if again["output"]["hotspots"] != full["output"]["hotspots"]:
        raise SystemExit("the audit after one changed file found other hotspots than a full one")
    return {
        "modules": len(whole["output"]["files"]),
        "first_seconds": round(first, 2),
        "unchanged_seconds": round(unchanged, 2),
        "one_changed_seconds": round(one_changed, 2),
        "fresh_seconds": round(fresh, 2),
        "unchanged_ratio": round(unchanged / first, 3),
        "one_changed_ratio": round(one_changed / first, 3),
        "inspected_unchanged": inspected(same),
        "inspected_one_changed": inspected(again),
        "hotspots": len(full["output"]["hotspots"]),
        "changed": changed,
    }


def inspected(document: dict[str, Any]) -> int:
    """Count the modules that were inspected in a run, and not kept."""
    items = document["items"]["inspect"]
    return len({*items["new"], *items["done"]} - {*items["kept"]})


def report(points: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the document."""
    middle = {
        f"{name}_ratio": round(statistics.median(point[f"{name}_ratio"] for point in points), 3)
        for name in ("unchanged", "one_changed")
    }
    return {"claim": CLAIM, "points": points, **middle, "ratio": middle["one_changed_ratio"]}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3, help="how often everything is measured")
    parser.add_argument("--tree", type=Path, default=ROOT, help="what is audited; this project, if nothing is said")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    arguments = parser.parse_args()
    result = report([measure(arguments.tree.resolve()) for _ in range(arguments.rounds)])
    if arguments.json:
        print(json.dumps(result, indent=2))
        return
    print(result["claim"])
    for point in result["points"]:
        print(
            f"  {point['modules']:,} modules: first {point['first_seconds']} s; "
            f"unchanged {point['unchanged_seconds']} s, {point['inspected_unchanged']} inspected; "
            f"one changed {point['one_changed_seconds']} s, {point['inspected_one_changed']} inspected"
        )
    print(f"  unchanged: × {result['unchanged_ratio']}; one changed: × {result['one_changed_ratio']} (aim {LIMIT})")


if __name__ == "__main__":
    main()
