"""Against a real SMTP server: encryption, sign-in, failure and crash."""

import asyncio
import logging
import signal
import ssl
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword

from au_sys_identity.adapters.crypto.sealing import RootKey
from au_sys_identity.adapters.db.evidence.personal import PersonalKeys
from au_sys_identity.adapters.db.unit_of_work import SqlTransactions
from au_sys_identity.adapters.email.smtp import MailServer, SmtpPost
from au_sys_identity.adapters.memory.clock import TurnedClock
from au_sys_identity.conformance.slapd import make_certificates
from au_sys_identity.core.ids import uuid7
from au_sys_identity.core.notices.models import Letter
from au_sys_identity.core.notices.ports import PostRefused
from au_sys_identity.core.notices.sending import Delivery, LinkTimes
from au_sys_identity.core.notices.writing import LetterBox
from au_sys_identity.core.subjects.models import Person, SubjectId
from au_sys_identity.manifest.plugin import MIGRATIONS
from fastapi_services_platform import Database

USER, PASSWORD = "mailer", "the mail server's password"
LINK = "https://id.example.org/reset-password#token=very-secret"
ROOT = RootKey(bytes(range(32)))

CRASHING = """
import asyncio, sys, time
from datetime import UTC, datetime
from au_sys_identity.adapters.crypto.sealing import RootKey
from au_sys_identity.adapters.db.evidence.personal import PersonalKeys
from au_sys_identity.adapters.db.unit_of_work import SqlTransactions
from au_sys_identity.adapters.email.smtp import MailServer, SmtpPost
from au_sys_identity.core.notices.sending import Delivery, LinkTimes
from au_sys_identity.core.notices.writing import LetterBox
from fastapi_services_platform import Database

async def main(database, port):
    transactions = SqlTransactions(Database("identity", database), PersonalKeys(RootKey(bytes(range(32)))))
    root = RootKey(bytes(range(32)))
    letters, clock = LetterBox(root, root), lambda: datetime.now(UTC)
    async with transactions.writing() as unit:
        await letters.put(unit, "reset", "ann@example.org", now=clock())
    if port == "0":
        print("committed", flush=True)
        time.sleep(600)
    post = SmtpPost(MailServer.parse(f"smtp://127.0.0.1:{port}"), sender="id@example.org", site="FSP", seconds=600)
    times = LinkTimes()
    await Delivery(transactions, letters, post, clock, public_url="https://id.example.org", times=times).run()

asyncio.run(main(*sys.argv[1:]))
"""


class Kept:
    """What the server got; ``silent`` makes it say nothing after the letter."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []
        self.refusals = 0
        self.silent = False
        self.got_one = asyncio.Event()

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # Any: aiosmtpd's
        if self.refusals:
            self.refusals -= 1
            return "451 not now"
        self.mails.append(message_from_bytes(envelope.content, policy=policy.default))
        if self.silent:
            await asyncio.sleep(600)
        return "250 kept"


class Quiet(logging.Filter):
    """aiosmtpd logs what clients say, which here is nobody's password but the tests'."""

    def filter(self, record: logging.LogRecord) -> bool:
        return False


@asynccontextmanager
async def server(kept: Kept, *, ssl_context: ssl.SSLContext | None = None, **options: Any) -> AsyncIterator[int]:
    """A server on a free port. Any: options of aiosmtpd."""
    log, quiet = logging.getLogger("mail.log"), Quiet()
    log.addFilter(quiet)
    listening = await asyncio.get_running_loop().create_server(
        lambda: SMTP(kept, hostname="sink", **options), "127.0.0.1", 0, ssl=ssl_context
    )
    try:
        yield listening.sockets[0].getsockname()[1]
    finally:
        listening.close()
        log.removeFilter(quiet)


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tls")
    make_certificates(folder)
    return folder


@pytest.fixture(scope="module")
def tls(certificates: Path) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificates / "server.pem", certificates / "server.key")
    return context


@pytest.fixture
def kept() -> Kept:
    return Kept()


def letter(name: str = "Ann <b>&amp;") -> Letter:
    """A reset letter to somebody whose name is markup."""
    return Letter(uuid7(), "reset", "ann@example.org", name, LINK)


def post(url: str, ca: Path | None) -> SmtpPost:
    """Our side."""
    trusted = str(ca) if ca else None
    return SmtpPost(MailServer.parse(url), sender="id@example.org", site="FSP", seconds=10, certificates=trusted)


def signing_in(tries: list[str]) -> Callable[..., AuthResult]:
    """Takes one user with one password."""

    def check(_server: Any, _session: Any, _envelope: Any, mechanism: str, data: Any) -> AuthResult:  # Any: aiosmtpd's
        tries.append(mechanism)
        right = isinstance(data, LoginPassword) and (data.login, data.password) == (USER.encode(), PASSWORD.encode())
        return AuthResult(success=right)

    return check


async def test_a_letter_comes_in_text_and_html(kept: Kept) -> None:
    """Both say the same, the link is whole in both, and a name that is markup stays a name."""
    async with server(kept) as port:
        await post(f"smtp://127.0.0.1:{port}", None).send(letter())
    [mail] = kept.mails
    assert mail.get_content_type() == "multipart/alternative"
    text, html = mail.get_body(("plain",)), mail.get_body(("html",))
    assert text is not None
    assert html is not None
    assert LINK in text.get_content()
    shown = html.get_content()
    assert f'<a href="{LINK}">' in shown
    assert "Ann &lt;b&gt;&amp;amp;" in shown
    assert not any(mark in shown for mark in ("<b>", "<img", "<script", "src=", "http://"))


@pytest.mark.parametrize("scheme", ["smtp", "smtps"])
async def test_mail_travels_encrypted_after_sign_in(
    kept: Kept, tls: ssl.SSLContext, certificates: Path, scheme: str
) -> None:
    """StartTLS and TLS from the start, certificate verified, user and password taken."""
    tries: list[str] = []
    options: dict[str, Any] = {"authenticator": signing_in(tries)}  # Any: options of aiosmtpd
    options |= {"tls_context": tls, "require_starttls": True} if scheme == "smtp" else {"ssl_context": tls}
    if scheme == "smtps":
        options["auth_require_tls"] = False  # it is encrypted already
    password = PASSWORD.replace(" ", "%20").replace("'", "%27")
    async with server(kept, **options) as port:
        await post(f"{scheme}://{USER}:{password}@127.0.0.1:{port}", certificates / "ca.pem").send(letter())
        assert (len(kept.mails), len(tries)) == (1, 1)
        for url, ca in (
            (f"{scheme}://{USER}:wrong@127.0.0.1:{port}", certificates / "ca.pem"),
            (f"{scheme}://{USER}:{password}@127.0.0.1:{port}", None),
        ):
            with pytest.raises(PostRefused) as refused:
                await post(url, ca).send(letter())
            assert not any(secret in str(refused.value) for secret in (PASSWORD, USER, "ann@", "very-secret"))
    assert len(kept.mails) == 1


async def test_beyond_loopback_nothing_goes_in_clear(kept: Kept) -> None:
    """A server that offers no StartTLS gets no letter and no password."""
    async with server(kept) as port:
        beyond = post(f"smtp://{USER}:x@127.0.0.2:{port}", None)
        with pytest.raises(PostRefused):
            await beyond.send(letter())
    assert kept.mails == []


@pytest.fixture
def database(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/identity.db"


@pytest.fixture
async def transactions(database: str) -> AsyncIterator[SqlTransactions]:
    """A database with a person."""
    opened = Database("identity", database)
    await opened.migrate(MIGRATIONS)
    made = SqlTransactions(opened, PersonalKeys(ROOT))
    clock = TurnedClock()
    async with made.writing() as unit:
        ann = Person(SubjectId(uuid7()), "ann@example.org", "ann@example.org", "Ann", "active", clock(), clock())
        await unit.subjects.add(ann)
    yield made
    await opened.close()


def delivery(transactions: SqlTransactions, clock: Callable[[], Any], port: int) -> Delivery:
    """The job, on this database and that server."""
    url = "https://id.example.org"
    sender = post(f"smtp://127.0.0.1:{port}", None)
    return Delivery(transactions, LetterBox(ROOT, ROOT), sender, clock, public_url=url, times=LinkTimes())


def started(database: str, port: int) -> "subprocess.Popen[str]":
    """A process that commits a letter, and sends it unless the port is 0."""
    command = [sys.executable, "-c", CRASHING, database, str(port)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


async def killed(process: "subprocess.Popen[str]") -> None:
    """Without a chance to tidy up."""
    process.send_signal(signal.SIGKILL)
    await asyncio.to_thread(process.wait)
    assert process.stdout is not None
    process.stdout.close()


async def test_a_letter_survives_a_crash_before_sending(
    transactions: SqlTransactions, database: str, kept: Kept
) -> None:
    """Killed between the commit and the sending: the next process sends it, once."""
    process = started(database, 0)
    assert process.stdout is not None
    assert (await asyncio.to_thread(process.stdout.readline)).strip() == "committed"
    await killed(process)
    clock = TurnedClock()
    clock.turn(days=3650)
    async with server(kept) as port:
        await delivery(transactions, clock, port).run()
        await delivery(transactions, clock, port).run()
    assert [mail["To"].addresses[0].addr_spec for mail in kept.mails] == ["ann@example.org"]


async def test_a_letter_survives_a_crash_while_sending(
    transactions: SqlTransactions, database: str, kept: Kept
) -> None:
    """Killed while the server thinks: it is sent again later, under the same message id, so that it can be told apart
    from another letter."""
    kept.silent = True
    async with server(kept) as port:
        process = started(database, port)
        async with asyncio.timeout(120):
            while not kept.mails:
                await asyncio.sleep(0.05)
        await killed(process)
        kept.silent = False
        clock = TurnedClock()
        clock.turn(days=3650)
        await delivery(transactions, clock, port).run()
        assert await delivery(transactions, clock, port).backlog() == (0, 0)
    assert len(kept.mails) == 2
    assert kept.mails[0]["Message-ID"] == kept.mails[1]["Message-ID"]


async def test_a_server_that_refuses_gets_it_later(transactions: SqlTransactions, kept: Kept) -> None:
    """Put off for longer each time, not lost, and not sent before its time."""
    clock, kept.refusals = TurnedClock(), 2
    async with transactions.writing() as unit:
        await LetterBox(ROOT, ROOT).put(unit, "reset", "ann@example.org", now=clock())
    async with server(kept) as port:
        sending = delivery(transactions, clock, port)
        for seconds, mails in ((0, 0), (29, 0), (2, 0), (59, 0), (2, 1)):
            clock.turn(seconds=seconds)
            await sending.run()
            assert len(kept.mails) == mails
        assert await sending.backlog() == (0, 0)


async def test_a_letter_that_cannot_be_read_holds_up_no_other(transactions: SqlTransactions, kept: Kept) -> None:
    """Sealed with a lost key: the others go out, the job says what is wrong, and after five tries it is dead."""
    clock, lost = TurnedClock(), RootKey(bytes(range(1, 33)))
    async with transactions.writing() as unit:
        await LetterBox(lost, lost).put(unit, "reset", "ann@example.org", now=clock())
        await LetterBox(ROOT, ROOT).put(unit, "reset", "ann@example.org", now=clock())
    async with server(kept) as port:
        sending = delivery(transactions, clock, port)
        for number in range(5):
            with pytest.raises(Exception, match="cannot be opened"):
                await sending.run()
            assert len(kept.mails) == 1, number
            clock.turn(minutes=20)
        await sending.run()
        assert await sending.backlog() == (0, 1)
