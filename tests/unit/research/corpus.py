"""A folder of documents: many that answer, many that do not, and some that break readers."""

from pathlib import Path

QUESTION = "What does a refund of an order cost?"

#: What is asked for stands in these, and where: document → line.
ANSWERS = {
    "policy.md": 3,
    "faq/refunds.html": 4,
    "faq/orders.rst": 4,
    "old/latin.txt": 1,
    "old/utf16.txt": 1,
    "old/bom.md": 1,
    "old/one-line.txt": 1,
    "ünï/модуль.md": 1,
    "with blank.md": 1,
}

#: These cannot be read.
BROKEN = {"broken/binary.md", "broken/huge.txt", "broken/link.md", "broken/utf16.txt"}

MAX_BYTES = 300_000


def corpus(folder: Path, *, plain: int = 40, broken: bool = True) -> Path:
    """Make it: `plain` documents that say nothing about the question, and 15 others, 4 of which cannot be read."""
    texts: dict[str, str | bytes] = {f"plain/{number:02}.md": _plain(number) for number in range(plain)}
    texts |= {
        "policy.md": "# Policy\n\nA refund of an order costs the customer nothing, and the shop two euros.\n",
        "faq/refunds.html": "<!doctype html><title>Shop</title>\n"
        "<script>var refund = 'order';</script>\n<style>order {}</style>\n"
        "<p>A refund of an <b>order</b> takes\nfive days.</p><p>Ask &lt;us&gt;.</p>",
        "faq/orders.rst": "Orders\n======\n\nAn order is sent the same day; a refund of it\nis paid by\nthe bank.\n",
        "old/latin.txt": "Die Gebühr: the refund of an order costs £2.".encode("latin-1"),
        "old/utf16.txt": "A refund of an order was free.".encode("utf-16"),
        "old/bom.md": b"\xef\xbb\xbfEvery refund of an order is written down.\n",
        "old/one-line.txt": "word " * 40_000 + "refund order " + "word " * 10_000,
        "ünï/модуль.md": "Возврат: refund, order.\n",
        "with blank.md": "The refund of the order <script>alert(1)</script> costs nothing.\n",
        "empty.md": "",
        "blank.txt": " \n\n\t\n",
        "broken/binary.md": b"\x7fELF\0\0refund order",
        "broken/huge.txt": "refund order. " * 30_000,
        "broken/utf16.txt": b"\xff\xfe\x00\xd8",
        "image.png": b"\x89PNG refund order",
        ".hidden/secret.md": "refund order",
    }
    for name, text in texts.items():
        if name in BROKEN and not broken:
            continue
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(text if isinstance(text, bytes) else text.encode())
    if broken:
        (folder / "broken/link.md").symlink_to(folder / "policy.md")
    return folder


def _plain(number: int) -> str:
    return f"# Note {number}\n\nThe weather of day {number} was fine. Nobody asked for a refund.\n"
