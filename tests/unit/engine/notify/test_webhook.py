"""A message is posted to a real server, whatever that answers (O8)."""

import time

import pytest

from echelon import Notify
from echelon.engine.notify.sending import send
from echelon.model.errors import NotDelivered
from echelon.oversight.notify.message import PersonMessage
from echelon.testing.receivers import HttpAnswer, HttpReceiver

pytestmark = pytest.mark.anyio

MESSAGE = PersonMessage(key="k1", topic="gate", job="pay", run_id="r1", title="pay: transfer waits for an answer")


async def refused(url: str, tmp_path, **options) -> NotDelivered:
    with pytest.raises(NotDelivered) as caught:
        await send(Notify.webhook(url, **options), MESSAGE, tmp_path)
    return caught.value


async def test_the_message_arrives_with_its_idempotency_key(tmp_path) -> None:
    with HttpReceiver() as receiver:
        await send(Notify.webhook(receiver.url), MESSAGE, tmp_path)

    (message,) = receiver.messages
    assert (message.key, message.body["title"], message.body["key"]) == ("k1", MESSAGE.title, "k1")
    assert message.body["text"].startswith(MESSAGE.title)


@pytest.mark.parametrize(("shape", "has"), [("json", "parts"), ("slack", "blocks"), ("github", "body")])
async def test_each_receiver_gets_its_shape(shape, has, tmp_path) -> None:
    with HttpReceiver() as receiver:
        await send(Notify.webhook(receiver.url, shape=shape), MESSAGE, tmp_path)

    assert has in receiver.messages[0].body


@pytest.mark.parametrize(
    ("status", "passes"),
    [(500, True), (503, True), (429, True), (408, True), (400, False), (401, False), (404, False), (410, False)],
)
async def test_it_is_known_which_refusals_may_pass(status, passes, tmp_path) -> None:
    with HttpReceiver(HttpAnswer(status=status, body=b"no\x1b[2J")) as receiver:
        error = await refused(receiver.url, tmp_path)

    assert (str(error), error.passing) == (f"127.0.0.1 answered with HTTP status {status}: no\\x1b[2J", passes)


async def test_how_long_a_receiver_wants_to_be_left_alone_is_kept(tmp_path) -> None:
    with HttpReceiver(HttpAnswer(status=429, headers={"Retry-After": "7"})) as receiver:
        error = await refused(receiver.url, tmp_path)

    assert error.headers["retry-after"] == "7"


async def test_a_receiver_that_does_not_answer_is_not_waited_for(tmp_path) -> None:
    began = time.monotonic()
    with HttpReceiver(HttpAnswer(hangs=True)) as receiver:
        error = await refused(receiver.url, tmp_path, timeout_seconds=0.3)

    assert error.passing
    assert "within 0.3 s" in str(error)
    assert time.monotonic() - began < 10


async def test_a_receiver_that_is_not_there_may_come_back(tmp_path) -> None:
    with HttpReceiver() as receiver:
        url = receiver.url

    error = await refused(url, tmp_path)

    assert error.passing
    assert "127.0.0.1 cannot be reached" in str(error)


async def test_of_a_long_answer_only_the_beginning_is_read(tmp_path) -> None:
    with HttpReceiver(HttpAnswer(status=400, body=b"x" * 50_000_000)) as receiver:
        error = await refused(receiver.url, tmp_path)

    assert len(str(error)) < 400


async def test_a_redirect_on_the_same_host_is_followed(tmp_path) -> None:
    with HttpReceiver(HttpAnswer(status=307, headers={"Location": "/there"}), HttpAnswer()) as receiver:
        await send(Notify.webhook(receiver.url), MESSAGE, tmp_path)

    assert [message.path for message in receiver.messages] == ["/hook", "/there"]
    assert receiver.messages[1].body["key"] == "k1"


async def test_a_redirect_to_another_host_is_refused_and_nothing_is_sent_there(tmp_path) -> None:
    with HttpReceiver() as other, HttpReceiver(HttpAnswer(status=308, headers={"Location": other.url})) as receiver:
        error = await refused(receiver.url, tmp_path)

    assert (other.messages, error.passing) == ([], False)
    assert "to another host" in str(error)


@pytest.mark.parametrize("status", [301, 302, 303])
async def test_a_redirect_that_makes_no_post_of_it_is_refused(status, tmp_path) -> None:
    with HttpReceiver(HttpAnswer(status=status, headers={"Location": "/there"})) as receiver:
        error = await refused(receiver.url, tmp_path)

    assert f"HTTP status {status}" in str(error)
    assert len(receiver.messages) == 1


async def test_a_receiver_that_redirects_in_circles_is_left(tmp_path) -> None:
    with HttpReceiver(HttpAnswer(status=307, headers={"Location": "/hook"})) as receiver:
        error = await refused(receiver.url, tmp_path)

    assert "redirects more than 3 times" in str(error)


async def test_an_address_and_a_header_of_the_environment_are_used_and_never_shown(tmp_path, monkeypatch) -> None:
    with HttpReceiver(HttpAnswer(), HttpAnswer(status=403, body=b"what is s3cr3t-address and s3cr3t-header?")) as got:
        monkeypatch.setenv("HOOK", f"{got.url}/s3cr3t-address")
        monkeypatch.setenv("HOOK_AUTH", "Bearer s3cr3t-header")
        channel = Notify.webhook(url_env="HOOK", headers_env={"Authorization": "HOOK_AUTH"}, shape="github")
        await send(channel, MESSAGE, tmp_path)
        with pytest.raises(NotDelivered) as caught:
            await send(channel, MESSAGE, tmp_path)

    assert (got.messages[0].path, got.messages[0].headers["authorization"]) == (
        "/hook/s3cr3t-address",
        "Bearer s3cr3t-header",
    )
    assert channel.label == "webhook $HOOK"
    assert "/s3cr3t" not in str(caught.value)


@pytest.mark.parametrize(("value", "said"), [("", "HOOK is not set"), ("file:///etc/passwd", "no address that begins")])
async def test_a_variable_that_holds_no_address_is_named(value, said, tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("HOOK", value)

    error = await refused("", tmp_path, url_env="HOOK")

    assert said in str(error)
    assert not error.passing
