"""Review each file that a branch changes, then sum up: what is changed is found on the way."""

import re
from pathlib import Path
from typing import Literal

from pydantic import BaseModel
from pydantic_ai import Agent

from echelon import Handoffs, Job, Resilience, command, integrator, model_agent


class Branch(BaseModel):
    repository: Path
    base: str = "main"


class Change(BaseModel):
    path: str
    diff: str


class Review(BaseModel):
    risk: Literal["low", "high"]
    remark: str


class Summary(BaseModel):
    files: int
    risky: list[str]


diff = command(
    ["git", "-C", "{repository}", "diff", "--no-ext-diff", "--src-prefix=a/", "--dst-prefix=b/", "{base}...HEAD"],
    name="diff",
)


def changes(diff: Handoffs[str]) -> list[Change]:
    parts = re.split(r"^diff --git a/.* b/(.*)$", diff.outputs()[0], flags=re.MULTILINE)[1:]
    return [Change(path=path, diff=text) for path, text in zip(parts[::2], parts[1::2], strict=True)]


def folder(change: Change) -> str:
    return change.path.partition("/")[0]


reviewer = Agent("openai-chat:gpt-5", name="reviewer", output_type=Review, instructions="You review one change.")
editor = model_agent(
    Agent("openai-chat:gpt-5", name="editor", output_type=Summary, instructions="You get reviews, or their summaries."),
    goal="Say how many files were reviewed, and which changes are risky",
    by_value_tokens=20_000,
)

review = Job("review", goal="Review what this branch changes", inputs=Branch, defaults=Resilience(breaker="provider"))
review.phase("diff", agent=diff)
review.phase(
    "review",
    each=reviewer,
    over=changes,
    key=lambda change: change.path,
    domain=folder,
    needs="diff",
    integrate=integrator(editor).combine(editor),
)
