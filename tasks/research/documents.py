"""Which documents there are, and what is written in them: sentences with their lines, or why they cannot be read."""

import codecs
import os
import re
import stat
from collections.abc import Iterable, Iterator
from html.parser import HTMLParser
from itertools import accumulate
from pathlib import Path
from typing import NamedTuple

from contracts.research import Document
from echelon import AgentFailed

#: What is read.
SUFFIXES = (".md", ".txt", ".rst", ".html", ".htm")

#: The longest sentence, in characters; what is longer is cut between words.
MAX_SENTENCE = 400

_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # begins like that of UTF-16
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)

#: What begins a paragraph of its own: headings, items of lists, quotations, rows of tables.
_BEGINS = re.compile(r"\s*(#{1,6}\s|[-*+>|]\s|\d{1,3}[.)]\s)\s*")
#: What only decorates: rules, underlines of headings, fences.
_DECORATION = re.compile(r"\s*([-=~^*_#`+|:.\"'])\1{2,}[-=~^*_#`+|:.\"'\s\w]{0,40}$")
#: Possessive, and not begun within itself: a document of a million dots takes no longer than another one.
_END = re.compile(r"(?<![.!?])[.!?]++[\"'”’)\]]*+\s++(?=[^\sa-z])|[。！？]+")


class TextPiece(NamedTuple):
    """A piece of text, with the blanks around it; the empty one ends a paragraph."""

    number: int
    text: str


class Sentence(NamedTuple):
    """A sentence, and the line that it begins in."""

    line: int
    text: str


def documents(folder: Path) -> list[Document]:
    """List every document below a folder, in order. Links to folders and names that begin with a dot are left out."""
    found: list[str] = []
    for place, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        here = Path(place).relative_to(folder)
        kept = [name for name in names if name.lower().endswith(SUFFIXES) and not name.startswith(".")]
        found += [(here / name).as_posix() for name in kept]
    return [Document(path=_printable(path)) for path in sorted(found)]


def _printable(path: str) -> str:
    return path.encode(errors="surrogateescape").decode(errors="replace")


def sentences(folder: Path, document: Document, max_bytes: int) -> list[Sentence]:
    """Return what is written in a document; `AgentFailed` says why it cannot be read."""
    text = _read(folder / document.path, document.path, max_bytes)
    is_html = document.path.lower().endswith((".html", ".htm"))
    lines = _html_lines(text) if is_html else _plain_lines(text)
    return [sentence for block in _blocks(lines) for sentence in _sentences(block)]


def _read(path: Path, name: str, max_bytes: int) -> str:
    try:
        found = path.lstat()
        if not stat.S_ISREG(found.st_mode):
            raise AgentFailed(f"{name} is not read: it is a link or no file; put a copy into the folder")
        if found.st_size > max_bytes:
            raise AgentFailed(
                f"{name} is not read: it has {found.st_size:,} bytes, the limit is {max_bytes:,}; raise max_bytes"
            )
        return _decoded(path.read_bytes(), name)
    except OSError as error:
        raise AgentFailed(f"{name} cannot be read: {error.strerror}; see to its name and permissions") from error


def _decoded(raw: bytes, name: str) -> str:
    """Return the text: what a byte order mark says, else UTF-8, else Windows-1252, which most older files are in."""
    marked = next((encoding for mark, encoding in _BOMS if raw.startswith(mark)), None)
    if marked is None and b"\0" in raw:
        raise AgentFailed(f"{name} cannot be read: it is binary, no text; take it out, or save it as text")
    for encoding in (marked,) if marked else ("utf-8", "windows-1252"):
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise AgentFailed(f"{name} cannot be read: its encoding is not known; save it as UTF-8")


def _plain_lines(text: str) -> Iterator[TextPiece]:
    for number, line in enumerate(re.split(r"\r\n|\r|\n", text), start=1):
        begins = _BEGINS.match(line)
        nothing = not line.strip() or _DECORATION.match(line) is not None
        if begins or nothing:
            yield TextPiece(number, "")
        if not nothing:
            yield TextPiece(number, f"{line[begins.end() :] if begins else line} ")
        if line.lstrip().startswith("#"):
            yield TextPiece(number, "")


class _Text(HTMLParser):
    """Collects what is to be read on a page."""

    _SILENT = ("script", "style", "template", "noscript", "svg")
    _WITHIN = ("a", "b", "i", "em", "strong", "code", "span", "abbr", "sub", "sup", "small", "mark", "q", "u", "cite")

    def __init__(self) -> None:
        super().__init__()
        self.pieces: list[TextPiece] = []
        self._silent = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002 - as it is called
        self._silent += tag in self._SILENT
        self._part(tag)

    def handle_endtag(self, tag: str) -> None:
        self._silent = max(0, self._silent - (tag in self._SILENT))
        self._part(tag)

    def handle_data(self, data: str) -> None:
        if not self._silent:
            first = self.getpos()[0]
            self.pieces += [TextPiece(first + number, f"{line} ") for number, line in enumerate(data.split("\n"))]
            self.pieces[-1] = TextPiece(self.pieces[-1].number, self.pieces[-1].text[:-1] or " ")  # a tag is no blank

    def _part(self, tag: str) -> None:
        if tag not in self._WITHIN:
            self.pieces.append(TextPiece(self.getpos()[0], ""))


def _html_lines(text: str) -> list[TextPiece]:
    page = _Text()
    page.feed(text)
    page.close()
    return page.pieces


def _blocks(pieces: Iterable[TextPiece]) -> Iterator[list[TextPiece]]:
    block: list[TextPiece] = []
    for piece in pieces:
        if piece.text.strip() or (piece.text and block):
            block.append(piece)
        elif block:
            yield block
            block = []
    if block:
        yield block


def _sentences(block: list[TextPiece]) -> Iterator[Sentence]:
    """Part a paragraph into sentences; each knows the line that it begins in."""
    texts = [re.sub(r"\s+", " ", piece.text) for piece in block]
    starts, joined = [0, *accumulate(map(len, texts))][:-1], "".join(texts)
    begin, at = 0, 0
    for end in (*(found.end() for found in _END.finditer(joined)), len(joined)):
        for offset, text in _cut(joined[begin:end]):
            while at + 1 < len(starts) and starts[at + 1] <= begin + offset:
                at += 1
            yield Sentence(block[at].number, text)
        begin = end


def _cut(text: str) -> Iterator[tuple[int, str]]:
    """Yield the pieces of a sentence that are not too long, with where they begin."""
    begin = 0
    while begin < len(text):
        end = len(text)
        if end - begin > MAX_SENTENCE:
            blank = text.rfind(" ", begin + 1, begin + MAX_SENTENCE)
            end = blank if blank > 0 else begin + MAX_SENTENCE
        words = text[begin:end].split()
        if words:
            yield begin + len(text[begin:end]) - len(text[begin:end].lstrip()), " ".join(words)
        begin = end if end == len(text) or text[end] != " " else end + 1
