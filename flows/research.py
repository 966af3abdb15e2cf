"""Research: what a folder of documents says about a question, with references.

    echelon run flows/research.py:research --param folder=docs --param question="What does a retry cost?"

One agent reads each document. Themes are found in the facts, on the way; each is summed up; then all is one report.
Without a model, sentences are found by the words they share with the question, and quoted. RESEARCH_MODEL=openai:gpt-5
lets that model read, note and answer, and every quote is checked against its document.

    echelon run flows/research.py:research --param folder=docs --param question="…" --param publish=answers

waits until a person has seen the answer, and writes it into that folder then.
"""

import os
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, DirectoryPath, Field, ValidationInfo, field_validator

from echelon import Job, Resilience
from tasks.research.asking import readers
from tasks.research.documents import documents
from tasks.research.notes import answered
from tasks.research.publishing import check_place, name_of, places, publish_answer
from tasks.research.reading import collect
from tasks.research.reporting import render, report
from tasks.research.themes import themes
from tasks.research.words import question


class ResearchInputs(BaseModel):
    """What is asked, and of which documents."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    folder: Annotated[DirectoryPath, AfterValidator(Path.resolve)]
    """Folder with the documents: Markdown, text, reStructuredText and HTML."""
    question: Annotated[str, AfterValidator(question)]
    """What is asked, in the words that documents would use."""
    max_bytes: int = Field(default=2_000_000, gt=0)
    """The largest document to read, in bytes; larger ones are reported as missing."""
    publish: Annotated[Path, AfterValidator(Path.resolve)] | None = None
    """Folder to write the answer into, once a person has approved it; none: it is in the report of the run only."""

    @field_validator("publish")
    @classmethod
    def _elsewhere(cls, publish: Path | None, info: ValidationInfo) -> Path | None:
        return publish if publish is None or "folder" not in info.data else check_place(publish, info.data["folder"])


by = readers(os.environ.get("RESEARCH_MODEL"))

research = Job(
    "research",
    goal="Answer a question from a folder of documents",
    inputs=ResearchInputs,
    defaults=Resilience(attempts=2),
    constraints=("Only what stands in a document is said, with where it stands.",),
    report=render,
)
research.phase(
    "read",
    each=by.read,
    over=documents,
    domain=lambda document: document.area,
    items=(1, 1000),
    repeat=by.quoted,
    integrate=collect,
)
research.phase("note", each=by.note, over=themes, needs="read", when=answered, repeat=by.noted)
research.phase("answer", agent=by.answer, needs={"read": None, "note": "loose"}, when=answered)
research.phase(
    "publish",
    each=publish_answer,
    over=places,
    key=name_of,
    items=(0, 1),
    needs={"read": None, "note": "loose", "answer": "loose"},
    when=answered,
)
research.phase("report", agent=report, needs={"read": None, "note": "loose", "answer": "loose"})
