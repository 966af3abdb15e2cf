"""What a part says, as text: files are named, data is JSON, and nothing is in base64."""

import base64
from dataclasses import dataclass
from typing import Any

import pytest
from pydantic import BaseModel, SecretStr
from pydantic_ai.messages import BinaryContent, CachePoint, DocumentUrl, ImageUrl, TextContent, UploadedFile

from echelon.agents.transcript.content import data_text, prompt_text

IMAGE = BinaryContent(b"\x89PNG" * 3_000, media_type="image/png", identifier="plan.png")
URI = f"data:image/png;base64,{base64.b64encode(b'x' * 3_000).decode()}"


class Page(BaseModel):
    title: str
    scan: bytes = b"\xff" * 500
    secret: SecretStr = SecretStr("hush-hush-hush")


PAGE = '{"title": "one", "scan": "[500 bytes of binary data]", "secret": "**********"}'


@dataclass
class Row:
    page: Page
    cells: tuple[bytes, ...]


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (None, "null"),
        ("plain", "plain"),
        (["a", 1, None, 2.5], '["a", 1, null, 2.5]'),
        ({"größe": {1}}, '{"größe": [1]}'),
        (IMAGE, "[image/png plan.png, 12 KB]"),
        ({"pages": [IMAGE]}, '{"pages": ["[image/png plan.png, 12 KB]"]}'),
        (memoryview(b"abc"), "[3 bytes of binary data]"),
        (Page(title="one"), PAGE),
        (
            Row(Page(title="one"), (b"a",)),
            f'{{"page": {PAGE}, "cells": ["[1 byte of binary data]"]}}',
        ),
        (f'<img src="{URI}">', '<img src="[image/png, 3 KB]">'),
        ({"link": URI}, '{"link": "[image/png, 3 KB]"}'),
        ("see data:text/html,<b> and ;base64, alone", "see data:text/html,<b> and ;base64, alone"),
        (ImageUrl(url=URI), "[image-url [image/png, 3 KB]]"),
        (DocumentUrl(url="https://example.org/a.pdf"), "[document-url https://example.org/a.pdf]"),
        (UploadedFile(file_id="file-1", provider_name="openai"), "[uploaded file file-1]"),
        (range(3), "range(0, 3)"),
    ],
)
def test_data_is_json_with_its_files_named(content: Any, text: str) -> None:
    assert data_text(content) == text


def test_what_a_user_says_is_read_as_one_text() -> None:
    assert prompt_text("only this") == "only this"
    assert prompt_text(["look", IMAGE, TextContent("here"), CachePoint()]) == (
        "look\n[image/png plan.png, 12 KB]\nhere\n[cache point]"
    )
