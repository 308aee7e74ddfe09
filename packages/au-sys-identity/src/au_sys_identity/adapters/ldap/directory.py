"""DirectorySource over LDAP: search with the service account, then bind as who was found."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from time import monotonic
from typing import TypeVar

from au_sys_identity.adapters.ldap import messages
from au_sys_identity.adapters.ldap.ber import Malformed
from au_sys_identity.adapters.ldap.connection import Connection, Refused, connected
from au_sys_identity.adapters.ldap.filters import BadFilter, both, equality, parsed
from au_sys_identity.adapters.ldap.messages import Raw
from au_sys_identity.core.directories.errors import DirectoryUnreachable
from au_sys_identity.core.directories.models import Directory, Entry, group_key
from au_sys_identity.core.errors import InvalidInput
from fastapi_services_platform import get_logger

_log = get_logger(__name__)
_PAGE = 500
_WHOLE = 120.0
"""Seconds that reading a whole directory may take."""
_WRONG = frozenset({messages.INVALID_CREDENTIALS, messages.NO_SUCH_OBJECT, 19, 34, 48, 50, 53})
"""What servers say to a wrong password, a locked account, and a name that nobody has."""
_TROUBLE = (OSError, EOFError, TimeoutError, Malformed, Refused, BadFilter)
_FEWEST_FAILURES = 3
_REST_SECONDS = 5.0
Given = TypeVar("Given")


class _Breaker:
    """Leaves a server alone for a while that failed three times in a row; then one try decides."""

    def __init__(self) -> None:
        self._failures = 0
        self._until = 0.0

    @property
    def open(self) -> bool:
        return monotonic() < self._until

    def failed(self) -> None:
        self._failures += 1
        if self._failures >= _FEWEST_FAILURES:
            self._until = monotonic() + _REST_SECONDS

    def answered(self) -> None:
        self._failures = 0


class LdapDirectories:
    """Tries the servers of a directory in turn, each behind a circuit breaker of its own, within one time limit."""

    def __init__(self) -> None:
        self._breakers: dict[str, _Breaker] = {}

    def check(self, directory: Directory) -> None:
        """See :class:`~au_sys_identity.core.directories.ports.DirectorySource`."""
        try:
            parsed(directory.people)
        except BadFilter as error:
            hint = "Write it as in (&(objectClass=person)(!(employeeType=robot)))."
            raise InvalidInput("people", f"is not a filter: {error}", hint) from None

    async def authenticate(self, directory: Directory, login: str, password: str) -> Entry | None:
        """See :class:`~au_sys_identity.core.directories.ports.DirectorySource`."""
        if not password or not login.isprintable():  # some servers compare up to a NUL
            return None

        async def ask(connection: Connection) -> Entry | None:
            wanted = both(parsed(directory.people), equality(directory.login, login))
            found = await connection.search(directory.base, wanted, directory.attributes, most=2)
            entry = _entry(directory, found[0]) if len(found) == 1 else None
            user = entry.dn if entry is not None else _decoy(directory)
            return entry if await _takes(connection, user, password) else None

        return await self._first_answer(directory, ask)

    async def takes(self, directory: Directory, dn: str, password: str) -> bool:
        """See :class:`~au_sys_identity.core.directories.ports.DirectorySource`."""
        if not password or not dn:  # an empty password never reaches a server
            return False

        async def ask(connection: Connection) -> bool:
            return await _takes(connection, dn, password)

        return await self._first_answer(directory, ask)

    async def has_left(self, directory: Directory, login: str) -> bool:
        """See :class:`~au_sys_identity.core.directories.ports.DirectorySource`."""

        async def ask(connection: Connection) -> bool:
            wanted = both(parsed(directory.people), equality(directory.login, login))
            return not await connection.search(directory.base, wanted, directory.attributes, most=1)

        return login.isprintable() and await self._first_answer(directory, ask)

    async def people(self, directory: Directory) -> AsyncIterator[Sequence[Entry]]:
        """See :class:`~au_sys_identity.core.directories.ports.DirectorySource`."""

        async def ask(connection: Connection) -> list[list[Entry]]:
            wanted, pages = parsed(directory.people), []
            async for page in connection.pages(directory.base, wanted, directory.attributes, size=_PAGE):
                pages.append([entry for raw in page if (entry := _entry(directory, raw)) is not None])
            return pages

        for page in await self._first_answer(directory, ask, seconds=_WHOLE):
            yield page

    async def probe(self, directory: Directory) -> int:
        """See :class:`~au_sys_identity.core.directories.ports.DirectorySource`."""

        async def ask(connection: Connection) -> int:
            wanted = parsed(directory.people)
            found = await connection.search(directory.base, wanted, directory.attributes, most=_PAGE)
            return sum(1 for raw in found if _entry(directory, raw) is not None)

        return await self._first_answer(directory, ask)

    async def _first_answer(
        self, directory: Directory, ask: Callable[[Connection], Awaitable[Given]], *, seconds: float | None = None
    ) -> Given:
        """What the first server says that answers, all of them together within the directory's time limit."""
        limit = seconds or directory.seconds
        share = limit / len(directory.servers)
        for server in directory.servers:
            breaker = self._breakers.setdefault(server, _Breaker())
            if breaker.open:
                continue
            try:
                async with asyncio.timeout(share), connected(directory, server) as connection:
                    await connection.bind(directory.user, directory.password)
                    given = await ask(connection)
                breaker.answered()
                return given
            except _TROUBLE as error:
                breaker.failed()
                _log.warning(
                    "directory.unreachable",
                    directory=directory.name,
                    server=server,
                    error=type(error).__name__,
                    code=error.code if isinstance(error, Refused) else None,
                )
        raise DirectoryUnreachable(directory.name)


async def _takes(connection: Connection, user: str, password: str) -> bool:
    """Whether the directory takes the password. A name that nobody has costs the same question.

    Raises:
        Refused: it can not say now.
    """
    try:
        await connection.bind(user, password)
    except Refused as refused:
        if refused.code in _WRONG:
            return False
        raise
    return True


def _decoy(directory: Directory) -> str:
    """A name that nobody has."""
    return f"cn={secrets.token_hex(16)},{directory.base}"


def _entry(directory: Directory, raw: Raw) -> Entry | None:
    """The entry, or ``None`` when it lacks what an account needs."""
    external_id, email = raw.first(directory.id), raw.first(directory.email)
    if not external_id or not email:
        return None
    groups = {group_key(group) for group in raw.all(directory.member_of)}
    return Entry(
        external_id=external_id[:255],
        dn=raw.dn,
        email=email,
        display_name=raw.first(directory.display_name) or email,
        locale=raw.first(directory.locale),
        roles=frozenset(role for group, role in directory.roles.items() if group in groups),
    )
