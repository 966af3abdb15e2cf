"""Migrate many files into another folder: each is rewritten, and counts as migrated when a check of it passes."""

import re
from pathlib import Path

from pydantic import BaseModel

from echelon import Handoffs, Job, Repeat, agent, command, integrator


class Folders(BaseModel):
    old: Path
    new: Path


class Move(BaseModel):
    source: Path
    target: Path


class Migrated(BaseModel):
    files: int
    by_hand: dict[str, str]


#: How types were written, and how they are written now.
REWRITES = {
    r"\bOptional\[(\w+)\]": r"\1 | None",
    r"\bList\[": "list[",
    r"\bDict\[": "dict[",
    r"^from typing import .*\n+": "",
}


def moves(old: Path, new: Path) -> list[Move]:
    return [Move(source=file, target=new / file.relative_to(old)) for file in sorted(old.rglob("*.py"))]


@agent(effect="write")
def migrate(move: Move) -> Path:
    """Write a file as it is written today."""
    text = move.source.read_text()
    for before, after in REWRITES.items():
        text = re.sub(before, after, text, flags=re.MULTILINE)
    move.target.parent.mkdir(parents=True, exist_ok=True)
    move.target.write_text(text)
    return move.target


is_modern = command(["ruff", "check", "--isolated", "--no-cache", "--select=UP,F", "--", "{target}"], name="is_modern")


@integrator
def sum_up(migrated: Handoffs[Path]) -> Migrated:
    """Say what is migrated, and what is left to people."""
    return Migrated(files=len(migrated), by_hand={one.task_id: one.reason for one in migrated.missing})


migration = Job("migration", goal="Write types as they are written today", inputs=Folders)
migration.phase(
    "migrate",
    each=migrate,
    over=moves,
    key=lambda move: "/".join(move.source.parts[-2:]),
    repeat=Repeat(until=is_modern, rounds=1),
    integrate=sum_up,
)
