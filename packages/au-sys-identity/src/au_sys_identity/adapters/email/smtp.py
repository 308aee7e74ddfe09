"""Post over SMTP."""

import asyncio
from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

import aiosmtplib

from au_sys_identity.adapters.email.texts import message_of
from au_sys_identity.core.notices.models import Letter
from au_sys_identity.core.notices.ports import PostRefused
from fastapi_services_platform import blocking

_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass(frozen=True, slots=True)
class MailServer:
    """Where mail goes. Beyond loopback the connection is encrypted or not made at all."""

    host: str
    port: int
    username: str | None = field(default=None, repr=False)
    password: str | None = field(default=None, repr=False)
    tls: bool = False

    @classmethod
    def parse(cls, url: str) -> "MailServer":
        """``smtp://user:password@host:587`` (StartTLS) or ``smtps://…:465``.

        Raises:
            ValueError: it is neither.
        """
        parts = urlsplit(url)
        if parts.scheme not in ("smtp", "smtps") or not parts.hostname:
            raise ValueError("must be smtp://host:port, smtps://host:port or file:///folder")
        return cls(
            parts.hostname,
            parts.port or (465 if parts.scheme == "smtps" else 587),
            unquote(parts.username) if parts.username else None,
            unquote(parts.password) if parts.password else None,
            parts.scheme == "smtps",
        )


class SmtpPost:
    """One connection a letter; the outbox repeats what fails."""

    def __init__(
        self, server: MailServer, *, sender: str, site: str, seconds: float = 10.0, certificates: str | None = None
    ) -> None:
        self._server = server
        self._sender = sender
        self._site = site
        self._seconds = seconds
        self._certificates = certificates

    async def send(self, letter: Letter) -> None:
        """See :class:`~au_sys_identity.core.notices.ports.Post`."""
        server = self._server
        plain = server.tls or server.host in _LOOPBACK
        try:
            async with asyncio.timeout(self._seconds * 2):
                await aiosmtplib.send(
                    await blocking(message_of, letter, sender=self._sender, site=self._site),
                    hostname=server.host,
                    port=server.port,
                    username=server.username,
                    password=server.password,
                    use_tls=server.tls,
                    start_tls=None if plain else True,
                    timeout=self._seconds,
                    cert_bundle=self._certificates,
                )
        except (aiosmtplib.SMTPException, OSError, TimeoutError) as error:
            raise PostRefused(type(error).__name__) from None
