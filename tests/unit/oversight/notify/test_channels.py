"""What a channel may be: nothing that cannot work, and nothing that would put a secret on record (O8)."""

import json
from typing import Any

import pytest
from pydantic import ValidationError

from echelon import Job, Notify
from echelon.cli.arguments.configured import read_settings
from echelon.model.errors import InvalidInput, InvalidJob

MAIL: dict[str, Any] = {"to": "mia@example.org", "smtp": "smtp://mail:25", "sender": "ops@example.org"}


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: Notify.command([]), "at least 1 item"),
        (lambda: Notify.command([" "]), "needs the name of a program"),
        (lambda: Notify.command(["page", "a\0b"]), "zero byte"),
        (lambda: Notify.command(["page"], env=["KEY=1"]), "no name of an environment variable"),
        (Notify.webhook, "give url=, or url_env="),
        (lambda: Notify.webhook("https://a.example", url_env="B"), "give url=, or url_env="),
        (lambda: Notify.webhook("ftp://a.example"), "begin with http:// or https://"),
        (lambda: Notify.webhook("https://"), "name a host"),
        (lambda: Notify.webhook("https://a.example:port"), "a port is a number"),
        (lambda: Notify.webhook("https://a.example/\r\nHost: b"), "blanks or control characters"),
        (lambda: Notify.webhook("https://mia:word@a.example"), "holds a name or a password"),
        (lambda: Notify.webhook("https://hooks.slack.com/services/T0/B0/x"), "this address is a secret"),
        (lambda: Notify.webhook("https://a.example", shape="teams"), "'json', 'slack' or 'github'"),  # type: ignore[arg-type]
        (lambda: Notify.webhook("https://a.example", headers_env={"X\r\nY": "B"}), "no name of a header"),
        (lambda: Notify.webhook("https://a.example", headers_env={"Authorization": "Bearer x"}), "no name of an env"),
        (lambda: Notify.email(**{**MAIL, "to": "mia@example.org\nBcc: eve@example.org"}), "no address of one person"),
        (lambda: Notify.email(**{**MAIL, "to": "mia@example.org, tom@example.org"}), "no address of one person"),
        (lambda: Notify.email(**{**MAIL, "smtp": "mail:25"}), "begin with smtp:// or smtps://"),
        (lambda: Notify.email(**{**MAIL, "smtp": "smtp://mia:word@mail"}), "holds a name or a password"),
        (lambda: Notify.email(**MAIL, user_env="MIA"), "a name and a password"),
        (lambda: Notify.email(**MAIL, user_env="A", password_env="B", encryption="none"), "not sent in clear"),
        (lambda: Notify.prefect("ops"), "slack-webhook/ops"),
        (lambda: Notify.webhook("https://a.example", timeout_seconds=0), "greater than 0"),
    ],
)
def test_what_cannot_work_or_shows_a_secret_is_refused(make, said) -> None:
    with pytest.raises(ValidationError, match=said):
        make()


def test_a_command_is_a_list_since_no_shell_takes_it_apart() -> None:
    with pytest.raises(TypeError, match="argv is a list of texts"):
        Notify.command("page mia")


@pytest.mark.parametrize(
    ("notify", "said"),
    [
        (Notify.command(["page"]), "notify= takes a list"),
        (["page"], "takes what Notify makes"),
        ([Notify.command(["page"]), Notify.command(["page"])], "has command page twice"),
        ([Notify.webhook("https://a.example/?token=abcdefgh")], "shows a secret"),
        ([Notify.command(["page", "--key", "ghp_abcdefghijklmnop"])], "shows a secret"),
    ],
)
def test_a_job_says_what_is_wrong_with_its_channels_when_it_is_defined(notify, said) -> None:
    with pytest.raises(InvalidJob, match=said):
        Job("pay", goal="Pay", notify=notify)


def test_a_machine_has_channels_for_jobs_that_say_nothing(monkeypatch) -> None:
    monkeypatch.setenv("ECHELON_NOTIFY", json.dumps([{"kind": "command", "argv": ["page"]}]))

    assert read_settings().notify == (Notify.command(["page"]),)
    assert Job("pay", goal="Pay").notify is None
    assert Job("pay", goal="Pay", notify=[]).notify == ()


@pytest.mark.parametrize(
    "value",
    [
        "page",
        '{"kind": "command"}',
        '[{"kind": "pigeon"}]',
        '[{"kind": "webhook", "url": "https://mia:w0rd@a.example"}]',
    ],
)
def test_channels_of_a_machine_that_cannot_be_used_are_named_without_what_they_hold(value, monkeypatch) -> None:
    monkeypatch.setenv("ECHELON_NOTIFY", value)

    with pytest.raises(InvalidInput, match=r"^ECHELON_NOTIFY cannot be used") as caught:
        read_settings()

    assert "w0rd" not in str(caught.value)
