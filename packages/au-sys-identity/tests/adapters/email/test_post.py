"""Letters over SMTP to a real sink, and into a folder."""

import asyncio
import stat
from collections.abc import AsyncIterator
from email import message_from_bytes, policy
from pathlib import Path

import pytest

from au_sys_identity.adapters.email.folder import FolderPost
from au_sys_identity.adapters.email.smtp import MailServer, SmtpPost
from au_sys_identity.core.ids import uuid7
from au_sys_identity.core.notices.models import Letter
from au_sys_identity.core.notices.ports import PostRefused

LINK = "https://id.example.org/reset-password#token=secret"


def letter(name: str = "Ann Åkesson") -> Letter:
    """A reset letter."""
    return Letter(uuid7(), "reset", "ann@example.org", name, LINK)


class Sink:
    """The least of an SMTP server (RFC 5321) that takes mail; ``refuses`` answers 451 to every recipient."""

    def __init__(self) -> None:
        self.mails: list[bytes] = []
        self.refuses = False
        self.port = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 sink\r\n")
        while line := await reader.readline():
            verb = line[:4].upper()
            if verb == b"DATA":
                writer.write(b"354 go on\r\n")
                self.mails.append((await reader.readuntil(b"\r\n.\r\n"))[:-5])
                writer.write(b"250 kept\r\n")
            elif verb == b"RCPT" and self.refuses:
                writer.write(b"451 not now\r\n")
            elif verb == b"QUIT":
                writer.write(b"221 bye\r\n")
                break
            else:
                writer.write(b"250 fine\r\n")
            await writer.drain()
        writer.close()


@pytest.fixture
async def sink() -> AsyncIterator[Sink]:
    made = Sink()
    server = await asyncio.start_server(made.serve, "127.0.0.1", 0)
    made.port = server.sockets[0].getsockname()[1]
    yield made
    server.close()
    await server.wait_closed()


def post_to(sink: Sink) -> SmtpPost:
    """A post that leads to the sink."""
    return SmtpPost(MailServer.parse(f"smtp://127.0.0.1:{sink.port}"), sender="id@example.org", site="FSP", seconds=5)


async def test_a_letter_arrives(sink: Sink) -> None:
    """Recipient, subject, a stable message id and the whole link come through."""
    sent = letter()
    await post_to(sink).send(sent)
    mail = message_from_bytes(sink.mails[0], policy=policy.default)
    assert (mail["To"], mail["From"]) == ("Ann Åkesson <ann@example.org>", "id@example.org")
    assert mail["Message-ID"] == f"<{sent.id}@example.org>"
    body = mail.get_body()
    assert body is not None
    assert LINK in body.get_content()


async def test_a_name_smuggles_in_no_header(sink: Sink) -> None:
    """Line breaks in a name stay inside the name."""
    await post_to(sink).send(letter("Ann\r\nBcc: all@example.org"))
    mail = message_from_bytes(sink.mails[0], policy=policy.default)
    assert mail["Bcc"] is None


async def test_a_refusal_is_told_without_the_address(sink: Sink) -> None:
    """The outbox learns that it has to repeat; what is logged names nobody."""
    sink.refuses = True
    with pytest.raises(PostRefused) as refused:
        await post_to(sink).send(letter())
    assert "ann@" not in str(refused.value)


async def test_a_server_that_is_down_is_a_refusal(unused_tcp_port: int) -> None:
    """Nothing listens there."""
    server = MailServer.parse(f"smtp://127.0.0.1:{unused_tcp_port}")
    with pytest.raises(PostRefused):
        await SmtpPost(server, sender="id@example.org", site="FSP", seconds=2).send(letter())


@pytest.mark.parametrize("url", ["http://mail.example.org", "smtp://", "mail.example.org:25"])
def test_other_addresses_are_no_mail_server(url: str) -> None:
    """The scheme is asked for."""
    with pytest.raises(ValueError, match="smtp://host:port"):
        MailServer.parse(url)


def test_credentials_are_read_and_not_shown() -> None:
    """User and password may be escaped in the address and appear in no representation."""
    server = MailServer.parse("smtps://user%40example.org:p%2Fw@mail.example.org")
    assert (server.username, server.password, server.port, server.tls) == ("user@example.org", "p/w", 465, True)
    assert "p/w" not in repr(server)


async def test_a_folder_keeps_letters_for_its_owner(tmp_path: Path) -> None:
    """One file a letter, readable by nobody else; sending again replaces it."""
    post, sent = FolderPost(tmp_path / "outbox", sender="id@example.org", site="FSP"), letter()
    await post.send(sent)
    await post.send(sent)
    files = list((tmp_path / "outbox").iterdir())
    assert [file.name for file in files] == [f"{sent.id}.eml"]
    assert stat.S_IMODE(files[0].stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "outbox").stat().st_mode) == 0o700


async def test_a_folder_that_cannot_be_written_is_a_refusal(tmp_path: Path) -> None:
    """A file in its place keeps the letter in the outbox."""
    (tmp_path / "outbox").write_text("in the way", encoding="utf-8")
    with pytest.raises(PostRefused):
        await FolderPost(tmp_path / "outbox", sender="id@example.org", site="FSP").send(letter())
