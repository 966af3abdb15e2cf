"""Publishing an answer: written into a folder where others read it, once a person has seen what would stand where.

What is there already is shown with its digest, so that whoever approves knows what goes. What has changed since then
stays, and nothing is written.
"""

import re
from pathlib import Path

from contracts.research import FactCollection, Note, Publication
from echelon import AgentFailed, Handoffs, Outcome, agent
from tasks.research.reporting import compose, in_words
from tasks.writing import NOTHING, NewContent, content_of, digest_of_bytes, write_files

#: The longest name of a file, without its suffix, in characters: far below what any system allows, in bytes too.
_LONGEST = 60


def places(publish: Path | None) -> list[Path]:
    """List the folders that the answer is to be published in: none, unless one is given."""
    return [] if publish is None else [publish]


def check_place(publish: Path, folder: Path) -> Path:
    """Return a folder to publish in; `ValueError` for one in which the answer would be read as a document."""
    if publish.is_relative_to(folder):
        raise ValueError(f"it is inside of {folder}, so that the next run would read the answer; publish elsewhere")
    if publish.exists() and not publish.is_dir():
        raise ValueError("it is no folder; give the folder that the answer is to be written into")
    return publish


def name_of(publish: Path) -> str:
    """Return what the task that publishes in a folder is called."""
    return publish.name or "root"


def publication(
    publish: Path, read: Handoffs[FactCollection], note: Handoffs[Note], answer: Handoffs[Note], question: str
) -> str:
    """Show what would be written where, and what it would be written over."""
    text = in_words(compose(read, note, answer, question))
    name = file_name(question)
    return shown(publish / name, text, content_of(publish, name))


@agent(effect="irreversible", preview=publication, timeout=60, attempts=1)
def publish_answer(
    publish: Path, read: Handoffs[FactCollection], note: Handoffs[Note], answer: Handoffs[Note], question: str
) -> Outcome[Publication]:
    """Write the answer with its references into a folder."""
    data = in_words(compose(read, note, answer, question)).encode()
    name = file_name(question)
    there = content_of(publish, name)
    try:
        publish.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise AgentFailed(f"nothing was written: {publish} cannot be made: {error.strerror}") from error
    write_files(publish, [NewContent(name, NOTHING if there is None else digest_of_bytes(there), data)])
    path = str(publish / name)
    return Outcome(output=Publication(path=path, sha256=digest_of_bytes(data)), summary=f"published as {path}")


def file_name(question: str) -> str:
    """Return what the file with the answer to a question is called.

    >>> file_name("What does a retry cost?")
    'what-does-a-retry-cost.md'
    """
    words = re.findall(r"[^\W_]+", question.casefold())
    return f"{'-'.join(words)[:_LONGEST].strip('-') or 'answer'}.md"


def shown(path: Path, text: str, there: bytes | None) -> str:
    """Say what would be written, and over what; then the text itself."""
    size = len(text.encode())
    if there is None:
        head = f"new: {path}, {size:,} bytes"
    elif there == text.encode():
        head = f"the same stands there already: {path}, {size:,} bytes"
    else:
        head = f"in place of {len(there):,} bytes with SHA-256 {digest_of_bytes(there)}: {path}, {size:,} bytes"
    return f"{head}\n\n{text}"
