"""Contracts that promise something, and integrations that keep it, as tests of audits need them."""

from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import BaseModel, Field

from echelon import Complete, Concern, Key
from echelon.oversight.audit.examining import AuditedPart, AuditedWhole


class Risk(BaseModel):
    """A finding with a key of two fields."""

    file: Annotated[str, Key()]
    line: Annotated[int, Key()]
    severity: Literal["low", "high"] = "low"
    notes: list[str] = Field(default_factory=list[str])


class Found(BaseModel):
    """What one agent made of its item."""

    item: Annotated[str, Key()] = "a"
    risks: list[Risk] = Field(default_factory=list[Risk])
    concerns: list[Concern] = Field(default_factory=list[Concern])


class Ranked(BaseModel):
    """A finding as an integration puts it: of another type, with the same key."""

    file: Annotated[str, Key()]
    line: Annotated[int, Key()]
    rank: int = 1


class Summary(BaseModel):
    """An integration that promises everything that can be promised."""

    risks: Annotated[list[Risk], Complete()] = Field(default_factory=list[Risk])
    ranked: list[Ranked] = Field(default_factory=list[Ranked])
    concerns: list[Concern] = Field(default_factory=list[Concern])
    whole: Annotated[bool, Complete()] = False


def risk(line: int, severity: Literal["low", "high"] = "low", file: str = "a.py", **more: list[str]) -> Risk:
    return Risk(file=file, line=line, severity=severity, **more)


def worry(message: str = "the lock is taken twice") -> Concern:
    return Concern(about="locks.py", message=message, confidence=0.4, impact=0.9)


def part(output: object, task: str = "look/a", **changes: object) -> AuditedPart:
    values = {"task_id": task, "output": output, "used": "v1", "newest": "v1", "item": task.partition("/")[2]}
    return AuditedPart(**{**values, **changes})  # pyright: ignore[reportArgumentType] - of a test


def whole(output: object, *parts: AuditedPart, missing: Sequence[str] = (), **words: Sequence[str]) -> AuditedWhole:
    return AuditedWhole(output=output, parts=parts, missing=tuple(missing), vocabularies=words)
