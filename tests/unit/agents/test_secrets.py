from types import SimpleNamespace

import pytest

from echelon.agents.secrets import REDACTED, redacted


@pytest.mark.parametrize(
    "text",
    [
        "Incorrect API key provided: sk-proj-abcdefghijklmnop.",
        "header was Authorization: Bearer eyJhbGciOiJIUzI1NiJ9.e30.x",
        "token ghp_0123456789abcdef is revoked",
    ],
)
def test_what_looks_like_a_key_is_left_out(text: str) -> None:
    assert REDACTED in redacted(text)
    assert not any(part in redacted(text) for part in ("proj-abc", "eyJhbGci", "0123456789abcdef"))


def test_the_key_of_the_client_is_left_out_wherever_it_hides() -> None:
    leaf = SimpleNamespace(client=SimpleNamespace(api_key="plain-words-1"))
    model = SimpleNamespace(models=[SimpleNamespace(wrapped=leaf)])

    assert redacted("you sent plain-words-1", model) == f"you sent {REDACTED}"


def test_secrets_of_the_environment_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_PROVIDER_API_KEY", "hunter2hunter2")
    monkeypatch.setenv("SHORT_TOKEN", "abc")

    assert redacted("abc: hunter2hunter2") == f"abc: {REDACTED}"


def test_other_text_is_left_as_it_is() -> None:
    assert (
        redacted("the task-runner broke: risk-assessment at 10:00") == "the task-runner broke: risk-assessment at 10:00"
    )
