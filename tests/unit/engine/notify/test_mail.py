"""A message is handed over to a real mail server (O8)."""

from datetime import UTC, datetime, timedelta
from ipaddress import ip_address

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from echelon import Notify
from echelon.engine.notify.sending import send
from echelon.model.errors import NotDelivered
from echelon.oversight.notify.message import NoticePart, PersonMessage
from echelon.testing.receivers import MailReceiver

pytestmark = pytest.mark.anyio

MESSAGE = PersonMessage(
    key="k1",
    topic="gate",
    job="pay",
    run_id="r1",
    title="pay: überweisen waits for an answer",
    parts=(NoticePart(title="What it would do", block="+ 1\n.\n- 2"),),
)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory) -> str:
    """A file with a certificate for the loopback and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "here")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    file = tmp_path_factory.mktemp("certificate") / "here.pem"
    file.write_bytes(key.private_bytes(*form) + made.public_bytes(serialization.Encoding.PEM))
    return str(file)


def channel(server: MailReceiver, **options):
    return Notify.email("mia@example.org", smtp=f"smtp://127.0.0.1:{server.port}", sender="ops@example.org", **options)


async def test_the_mail_arrives_as_it_was_written(tmp_path) -> None:
    with MailReceiver() as server:
        await send(channel(server), MESSAGE, tmp_path)

    (mail,) = server.mails
    assert (mail["To"], mail["From"], mail["Subject"]) == ("mia@example.org", "ops@example.org", MESSAGE.title)
    assert (mail["Message-ID"], mail["Auto-Submitted"]) == ("<k1@echelon>", "auto-generated")
    assert "  + 1\r\n  .\r\n  - 2" in mail.get_content().replace("\r\n", "\n").replace("\n", "\r\n")


@pytest.mark.parametrize(("answer", "passes"), [("451 later", True), ("550 no such person", False)])
async def test_it_is_known_which_refusals_may_pass(answer, passes, tmp_path) -> None:
    with MailReceiver(answer) as server, pytest.raises(NotDelivered) as caught:
        await send(channel(server), MESSAGE, tmp_path)

    assert (str(caught.value), caught.value.passing) == (f"127.0.0.1 answered {answer}", passes)
    assert server.mails == []


async def test_a_server_that_is_not_there_may_come_back(tmp_path) -> None:
    with MailReceiver() as server:
        gone = channel(server)

    with pytest.raises(NotDelivered, match=r"127\.0\.0\.1 cannot be reached") as caught:
        await send(gone, MESSAGE, tmp_path)

    assert caught.value.passing


async def test_what_is_offered_is_used_and_a_password_is_sent_behind_it(certificate, tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", certificate)
    monkeypatch.setenv("MAIL_USER", "mia")
    monkeypatch.setenv("MAIL_WORD", "open-sesame")
    with MailReceiver(certificate=certificate) as server:
        await send(channel(server), MESSAGE, tmp_path)
        await send(channel(server, user_env="MAIL_USER", password_env="MAIL_WORD"), MESSAGE, tmp_path)

    assert (server.encrypted, len(server.logins)) == ([True, True], 1)


async def test_a_certificate_that_is_not_known_is_not_trusted(certificate, tmp_path) -> None:
    with MailReceiver(certificate=certificate) as server, pytest.raises(NotDelivered, match="cannot be encrypted"):
        await send(channel(server), MESSAGE, tmp_path)

    assert server.mails == []


@pytest.mark.parametrize(
    "options", [{"encryption": "required"}, {"user_env": "MAIL_USER", "password_env": "MAIL_WORD"}]
)
async def test_nothing_that_must_be_encrypted_is_sent_in_clear(options, tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("MAIL_USER", "mia")
    monkeypatch.setenv("MAIL_WORD", "open-sesame")
    with MailReceiver() as server, pytest.raises(NotDelivered, match="offers no encryption"):
        await send(channel(server, **options), MESSAGE, tmp_path)

    assert (server.mails, server.logins) == ([], [])
