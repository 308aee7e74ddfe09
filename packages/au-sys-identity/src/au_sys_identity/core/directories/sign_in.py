"""Sign-in with the password of a directory. Nothing of it is kept: an old password fails with the next try."""

from au_sys_identity.core.access.models import SYSTEM
from au_sys_identity.core.credentials.lockout import Lockout, identifier_key, must_wait
from au_sys_identity.core.credentials.passwords import acceptable_length
from au_sys_identity.core.derivation import Derivation, digest
from au_sys_identity.core.directories.errors import DirectoryUnreachable
from au_sys_identity.core.directories.models import Directory, Entry
from au_sys_identity.core.directories.ports import DirectorySource
from au_sys_identity.core.directories.provisioning import Provisioning
from au_sys_identity.core.errors import BadCredentials
from au_sys_identity.core.events import Fact
from au_sys_identity.core.freshness import SUBJECTS
from au_sys_identity.core.ports import Clock, Transactions
from au_sys_identity.core.sessions.entering import Entering
from au_sys_identity.core.sessions.models import Client, SessionKind
from au_sys_identity.core.sessions.opening import Opened
from au_sys_identity.core.sessions.sign_in import canonical_or_typed
from au_sys_identity.core.settings.lists import NamedList
from au_sys_identity.core.subjects.models import Person

_LONGEST_LOGIN = 320


class DirectorySignIn:
    """People choose their directory; nothing falls through from or to local accounts."""

    def __init__(
        self,
        transactions: Transactions,
        directories: NamedList[Directory],
        source: DirectorySource,
        provisioning: Provisioning,
        entering: Entering,
        derivation: Derivation,
        clock: Clock,
        *,
        lockout: Lockout,
    ) -> None:
        self._transactions = transactions
        self._directories = directories
        self._source = source
        self._provisioning = provisioning
        self._entering = entering
        self._derivation = derivation
        self._clock = clock
        self._lockout = lockout

    async def choices(self) -> list[tuple[str, str]]:
        """Name and label of every directory that people may choose."""
        return [(directory.name, directory.label) for directory in await self._directories.enabled()]

    async def with_password(self, name: str, login: str, password: str, *, client: Client, kind: SessionKind) -> Opened:
        """Open a session for the password that the directory takes.

        Raises:
            BadCredentials: it does not take it, or whose it is may not come in.
            MfaRequired: the account has a second factor here.
            TooManyAttempts: this login and network have to wait.
            DirectoryUnreachable: the directory does not answer; the try does not count.
        """
        directory = await self._directories.get(name)
        bare = login.strip()[:_LONGEST_LOGIN]
        if directory is None or not directory.enabled or not bare or not password.strip("\0"):
            raise BadCredentials
        if not acceptable_length(password):
            raise BadCredentials
        pair, identifier = await self._reserve(directory, bare, client)
        try:
            entry = await self._source.authenticate(directory, bare, password)
        except DirectoryUnreachable:
            async with self._transactions.writing() as unit:
                await self._lockout.not_evaluated(unit.guesses, pair=pair, identifier=identifier)
            raise
        if entry is None:
            await self._refused(directory, client, left=await self._has_left(directory, bare))
            raise BadCredentials
        return await self._enter(directory, entry, (pair, identifier), client, kind)

    async def verify_again(self, person: Person, password: str, *, client: Client) -> None:
        """Check the password of somebody who is signed in and whose account is kept by a directory.

        Raises:
            BadCredentials, TooManyAttempts, DirectoryUnreachable: as :meth:`with_password`.
        """
        async with self._transactions.reading() as unit:
            entries = await unit.directory_entries.of_subject(person.id)
        known = [(await self._directories.get(entry.directory), entry) for entry in entries]
        usable = [(kept, entry) for kept, entry in known if kept is not None and kept.source == person.auth_source]
        if not usable or not usable[0][0].enabled or not acceptable_length(password):
            raise BadCredentials
        directory, entry = usable[0]
        pair, identifier = await self._reserve(directory, person.email, client)
        try:
            taken = await self._source.takes(directory, entry.dn, password)
        except DirectoryUnreachable:
            async with self._transactions.writing() as unit:
                await self._lockout.not_evaluated(unit.guesses, pair=pair, identifier=identifier)
            raise
        if not taken:
            await self._refused(directory, client)
            raise BadCredentials
        async with self._transactions.writing() as unit:
            await self._lockout.succeeded(unit.guesses, pair=pair, identifier=identifier)

    async def _reserve(self, directory: Directory, login: str, client: Client) -> tuple[bytes, bytes]:
        counted = f"{directory.source}:{login.casefold()}"
        pair = self._derivation.keyed_hash("guess-pair", counted.encode(), client.network.encode())
        identifier = identifier_key(self._derivation, counted)
        async with self._transactions.writing() as unit:
            device = await unit.credentials.device(digest(client.device_token or ""))
            wait = await self._lockout.reserve(
                unit.guesses, pair=pair, identifier=identifier, known_device=device is not None, now=self._clock()
            )
        must_wait(wait)
        return pair, identifier

    async def _enter(
        self, directory: Directory, entry: Entry, counted: tuple[bytes, bytes], client: Client, kind: SessionKind
    ) -> Opened:
        try:
            async with self._transactions.writing() as unit:
                subject_id = await self._provisioning.bring_in(unit, directory, entry, by=SYSTEM)
                entrance = await self._entering.enter(
                    unit, subject_id, method="ldap", strength="password", client=client, kind=kind
                )
                await self._lockout.succeeded(unit.guesses, pair=counted[0], identifier=counted[1])
        except BadCredentials:
            await self._refused(directory, client)
            raise
        return entrance.session()

    async def _has_left(self, directory: Directory, login: str) -> str | None:
        """The login, when nobody has it there any more. It is asked about every refused login alike, so that the time
        of an answer tells nothing.
        """
        try:
            return login if await self._source.has_left(directory, login) else None
        except DirectoryUnreachable:
            return None

    async def _refused(self, directory: Directory, client: Client, *, left: str | None = None) -> None:
        who = "urn:au:system:anonymous"
        async with self._transactions.writing() as unit:
            details: dict[str, str | int | bool | None] = {"network": client.network, "directory": directory.name}
            unit.record(Fact("session.refused", who, who, "denied", details=details))
            person = await unit.subjects.by_email(canonical_or_typed(left)) if left else None
            if person is not None and person.auth_source == directory.source:
                reason = "left the directory"
                ended = await unit.sessions.end_all(person.id, at=self._clock(), reason=reason)
                await unit.versions.raise_topic(SUBJECTS)
                unit.record(Fact("session.ended", SYSTEM, person.urn, reason=reason, details={"count": len(ended)}))
