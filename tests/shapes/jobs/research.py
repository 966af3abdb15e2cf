"""Research many sources: facts of each, a note for each theme that turns up, and a report of the notes."""

from pathlib import Path

from pydantic import BaseModel
from pydantic_ai import Agent

from echelon import Handoffs, Job, Resilience, model_agent


class Library(BaseModel):
    path: Path


class Source(BaseModel):
    name: str
    text: str


class Fact(BaseModel):
    theme: str
    claim: str


class Facts(BaseModel):
    facts: list[Fact]


class Theme(BaseModel):
    name: str
    claims: list[str]


def sources(path: Path) -> list[Source]:
    return [Source(name=file.name, text=file.read_text()) for file in sorted(path.glob("*.md"))]


def themes(read: Handoffs[Facts]) -> list[Theme]:
    """Sort what was found by theme, each claim with its source."""
    found: dict[str, list[str]] = {}
    for source in read:
        for fact in source.load().facts:
            found.setdefault(fact.theme, []).append(f"{fact.claim} [{source.task_id.removeprefix('read/')}]")
    return [Theme(name=name, claims=claims) for name, claims in sorted(found.items())]


MODEL = "openai-chat:gpt-5"
reader = Agent(MODEL, name="reader", output_type=Facts, instructions="List the facts of a source, each with a theme.")
writer = Agent(MODEL, name="writer", output_type=str, instructions="Write a note on a theme; keep the [references].")
editor = Agent(MODEL, name="editor", output_type=str, instructions="Write a report of notes, and say what is missing.")

research = Job("research", goal="Say what is known", inputs=Library, defaults=Resilience(breaker="provider"))
research.phase("read", each=reader, over=sources, key=lambda source: source.name)
# Its theme holds the claims, so a writer needs no other facts.
note = model_agent(writer, by_value_tokens=False)
research.phase("note", each=note, over=themes, key=lambda theme: theme.name, needs="read")
research.phase("report", agent=model_agent(editor, by_value_tokens=20_000), needs="note")
