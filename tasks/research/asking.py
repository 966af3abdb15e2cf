"""The same work by a model, and the checks of it: what a model quotes must stand in the document, word for word.

Needs the extra `llm`. A model reads the sentences of a document with their lines. What it says is checked by functions
that read the document again; it is told what does not stand there, and has one more try.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from contracts.research import Document, Note, Quotes, Theme
from echelon import EchelonError, Repeat, Resilience, model_agent
from echelon.agents.agent import AgentLike
from echelon.agents.call import Call
from echelon.agents.prompt import prompt_of
from echelon.model.phrasing import listed
from tasks.research.documents import Sentence, sentences
from tasks.research.notes import answer, note
from tasks.research.reading import extract, ranked

if TYPE_CHECKING:
    from pydantic_ai import Agent

T = TypeVar("T")

_GUARD = Resilience(timeout_seconds=120, attempts=3)

#: What a model is given of one document, in characters; of a longer one, the sentences nearest to the question.
MAX_CHARACTERS = 60_000

_READ = (
    "Find the sentences of the document that answer the question of the job, or a part of it. Quote them verbatim, "
    "each with the number of its line. Ten at most; none when the document says nothing about it"
)
_NOTE = (
    "Say in a few sentences what the facts of the item say about the question of the job. Say nothing that is not in "
    "them. `references` are the facts you used, each as document:line"
)
_ANSWER = (
    "Answer the question of the job in a few sentences, by the facts that earlier work delivered and by nothing else. "
    "`references` are the facts you used, each as document:line"
)


@dataclass(frozen=True, kw_only=True)
class Readers:
    """Who reads, notes and answers, and what checks it."""

    read: AgentLike = extract
    """Reads one document."""
    note: AgentLike = note
    """Sums up one theme."""
    answer: AgentLike = answer
    """Answers the question."""
    quoted: Repeat | None = None
    """Checks quotes."""
    noted: Repeat | None = None
    """Checks the references of notes."""


def readers(model: str | None) -> Readers:
    """Return those without a model; or, given the name of one for `pydantic_ai`, such as `openai:gpt-5`, its agents."""
    if not model:
        return Readers()
    return Readers(
        read=model_agent(_model(model, Quotes), name="read", goal=_READ, prompt=_with_document, resilience=_GUARD),
        # The item of a note has all the facts that it is about.
        note=model_agent(_model(model, Note), name="note", goal=_NOTE, by_value_tokens=False, resilience=_GUARD),
        answer=model_agent(_model(model, Note), name="answer", goal=_ANSWER, by_value_tokens=20_000, resilience=_GUARD),
        quoted=Repeat(until=stands_there, rounds=2),
        noted=Repeat(until=rests_on_theme, rounds=2),
    )


def _model(model: str, output: type[T]) -> "Agent[None, T]":
    try:
        from pydantic_ai import Agent
    except ImportError as error:
        raise EchelonError("a model needs an extra: pip install 'echelon[llm]'; or unset RESEARCH_MODEL") from error
    return Agent(model, output_type=output, defer_model_check=True)


def _with_document(call: Call) -> str:
    """Return the prompt with the document: data, as JSON in a block, like all else that others wrote."""
    document = Document.model_validate(call.item)
    inputs = call.inputs.model_dump()
    found = sentences(inputs["folder"], document, inputs["max_bytes"])
    given = _nearest(found, inputs["question"])
    part = "" if len(given) == len(found) else f", {len(given):,} of its {len(found):,} sentences"
    lines = json.dumps([f"{one.line}: {one.text}" for one in given], ensure_ascii=False, indent=0).replace(
        "`", "\\u0060"
    )
    return f"{prompt_of(call)}\n\n# The document, each sentence with its line{part}\n```json\n{lines}\n```"


def _nearest(found: list[Sentence], question: str) -> list[Sentence]:
    """Return as many sentences as a model is given, in their order: those nearest to the question first."""
    order = dict.fromkeys([*ranked(found, question), *found])
    room, kept = MAX_CHARACTERS, list[Sentence]()
    for one in order:
        room -= len(one.text)
        if room < 0:
            break
        kept.append(one)
    return sorted(kept, key=lambda one: one.line)


def stands_there(document: Document, output: Quotes, folder: Path, max_bytes: int) -> str:
    """Say which quotes do not stand in the document, at their line."""
    written: dict[int, str] = {}
    for one in sentences(folder, document, max_bytes):
        written[one.line] = f"{written.get(one.line, '')} {one.text}"
    wrong = [
        f"line {quote.line} does not say {quote.text!r}"
        for quote in output.quotes
        if " ".join(quote.text.split()) not in written.get(quote.line, "")
    ]
    return "; ".join(wrong)


def rests_on_theme(theme: Theme, output: Note) -> str:
    """Say which references of a note are no facts of its theme."""
    known = {fact.reference for fact in theme.facts}
    strange = [one for one in output.references if one not in known]
    if strange:
        return f"no facts are {listed(strange, 10)}; references are document:line of the facts given"
    return "" if output.references else "it has no references; name the facts it rests on, each as document:line"
