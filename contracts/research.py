"""What is handed on when a folder of documents is searched for an answer: quotes, themes, notes, and the report."""

from pathlib import PurePosixPath

from pydantic import Field

from echelon.model.base import Value
from echelon.model.handoff import Missing


class Document(Value):
    """A document of the folder."""

    path: str
    """Path below the folder, with forward slashes."""

    def __str__(self) -> str:
        """Return its path, which names its task."""
        return self.path

    @property
    def area(self) -> str:
        """The folder it is in, as a dotted name; that of the top is `top`."""
        return ".".join(PurePosixPath(self.path).parent.parts) or "top"


class Quote(Value):
    """A sentence of a document."""

    line: int = Field(ge=1)
    """Where it begins."""
    text: str = Field(min_length=1, max_length=400)
    """The sentence, word for word; blanks and line breaks are one blank each."""


class Quotes(Value):
    """What one document says about the question."""

    quotes: tuple[Quote, ...] = Field(default=(), max_length=10)
    """The sentences that answer it, or a part of it; none when it does not."""


class Fact(Value):
    """A quote with its document."""

    document: str
    """Path of the document."""
    line: int = Field(ge=1)
    """Where in it."""
    quote: str
    """What it says, word for word."""
    also: tuple[str, ...] = ()
    """Where else the same stands, each as document:line."""

    @property
    def reference(self) -> str:
        """Where it stands, as document:line."""
        return f"{self.document}:{self.line}"


class FactCollection(Value):
    """The facts of many documents."""

    documents: int = Field(default=0, ge=0)
    """Documents that were read."""
    answering: int = Field(default=0, ge=0)
    """Those of them that say something about the question."""
    facts: tuple[Fact, ...] = ()
    """What they say, each once, in order of documents and lines."""
    missing: tuple[Missing, ...] = ()
    """Documents that could not be read, and why."""


class Theme(Value):
    """Facts that share a word."""

    name: str
    """The word that they share."""
    facts: tuple[Fact, ...]
    """The facts, the weightiest first."""

    def __str__(self) -> str:
        """Return its name, which names its task."""
        return self.name


class Note(Value):
    """What facts come to, with references."""

    text: str
    """A few sentences."""
    references: tuple[str, ...] = ()
    """The facts it rests on, each as document:line."""


class ReportSection(Value):
    """A theme in the report."""

    title: str
    """The theme."""
    text: str
    """What its facts come to."""
    facts: tuple[Fact, ...]
    """Those it rests on."""


class Publication(Value):
    """An answer that was written where others read it."""

    path: str
    """The file."""
    sha256: str
    """Digest of what is in it."""


class ResearchReport(Value):
    """The answer to a question, with references."""

    question: str
    """What was asked."""
    answer: Note
    """What the documents say, or that none of them answers."""
    answered: bool
    """Does any document say something about it?"""
    sections: tuple[ReportSection, ...] = ()
    """Theme by theme, in the order in which they were found."""
    documents: int = Field(ge=0)
    """Documents that were read."""
    answering: int = Field(ge=0)
    """Those of them that say something about the question."""
    missing: tuple[Missing, ...] = ()
    """What could not be read or summed up, and why."""
