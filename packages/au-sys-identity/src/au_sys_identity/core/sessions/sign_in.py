"""Steps from nobody to signed-in.

No oracle: an unknown, disabled, closed or passwordless account runs the same statements, costs one hash with the
current parameters and gets the same answer as a wrong password.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from au_sys_identity.core.credentials.lockout import Lockout, identifier_key, must_wait, pair_key
from au_sys_identity.core.credentials.models import PasswordRecord
from au_sys_identity.core.credentials.passwords import acceptable_length, normalized
from au_sys_identity.core.credentials.ports import PasswordHasher
from au_sys_identity.core.derivation import Derivation, digest, new_secret
from au_sys_identity.core.errors import BadCredentials, Busy, InvalidInput, MfaRequired
from au_sys_identity.core.events import Fact
from au_sys_identity.core.factors.checking import FactorCheck
from au_sys_identity.core.factors.models import Challenge, Method
from au_sys_identity.core.ids import uuid7
from au_sys_identity.core.ports import Clock, Transactions, UnitOfWork
from au_sys_identity.core.sessions.models import Client, SessionKind, SessionTimes
from au_sys_identity.core.sessions.opening import Opened, Proof, open_session, strength_with
from au_sys_identity.core.subjects.addresses import email_address
from au_sys_identity.core.subjects.models import Person

_LONGEST_IDENTIFIER = 320
CHALLENGE_LIFE = timedelta(minutes=5)
_CHALLENGE_TRIES = 5


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try: what it is counted under, and what was found before the secret was looked at."""

    pair: bytes
    identifier: bytes
    person: Person | None
    record: PasswordRecord | None


class SignIn:
    """Password sign-in for programs (``token``) and browsers (``web``)."""

    def __init__(
        self,
        transactions: Transactions,
        hasher: PasswordHasher,
        derivation: Derivation,
        check: FactorCheck,
        clock: Clock,
        *,
        lockout: Lockout,
        times: SessionTimes,
    ) -> None:
        self._transactions = transactions
        self._hasher = hasher
        self._derivation = derivation
        self._check = check
        self._clock = clock
        self._lockout = lockout
        self._times = times

    async def with_password(self, email: str, password: str, *, client: Client, kind: SessionKind) -> Opened:
        """Open a session for the right password.

        Raises:
            BadCredentials: for every other reason there is.
            TooManyAttempts: this address and network have to wait.
            Busy: the hashing queue is full; the try does not count.
        """
        if not acceptable_length(password):
            raise BadCredentials
        attempt = await self._reserve(canonical_or_typed(email), client)
        usable = self._usable(attempt)
        try:
            fits = await self._hasher.verify(
                normalized(password), usable.hash if usable else None, network=client.network
            )
        except Busy:
            async with self._transactions.writing() as unit:
                await self._lockout.not_evaluated(unit.guesses, pair=attempt.pair, identifier=attempt.identifier)
            raise
        if not fits or usable is None or attempt.person is None:
            await self._refused(attempt, client)
            raise BadCredentials
        return await self._open(attempt, usable, password, client, kind)

    async def with_second_factor(
        self, mfa_token: str, method: Method, code: str, *, client: Client, kind: SessionKind
    ) -> Opened:
        """Finish a sign-in that :class:`MfaRequired` interrupted. Each challenge is good for five tries.

        Guesses of the code count like guesses of the password: the password alone starts no counter anew.

        Raises:
            BadCredentials: wrong code, or a challenge that is over; which one is not told.
        """
        now = self._clock()
        async with self._transactions.writing() as unit:
            challenge = await unit.factors.try_challenge(digest(mfa_token))
        if challenge is None or challenge.attempts > _CHALLENGE_TRIES or challenge.expires_at <= now:
            raise BadCredentials
        async with self._transactions.writing() as unit:
            person = await unit.subjects.get(challenge.subject_id)
            record = await unit.credentials.password(challenge.subject_id)
            passed = await self._check.passes(unit, challenge.subject_id, method, code, now=now, flow=client.flow)
            opened = None
            if passed and person and person.active and await unit.factors.finish_challenge(challenge):
                known = await self._is_known(unit, person, client)
                pair, identifier = self._counted_under(person.email_canonical, client, known_device=known)
                await self._lockout.succeeded(unit.guesses, pair=pair, identifier=identifier)
                factor = (challenge.first, method)
                opened = await self._session(unit, person, record, client, kind, now, factor=factor)
            else:
                who = person.urn if person else "urn:au:system:anonymous"
                unit.record(Fact("session.refused", who, who, "denied", details={"factor": method}))
        if opened is None:
            raise BadCredentials
        return opened

    async def methods_of(self, mfa_token: str) -> tuple[Method, ...]:
        """What a challenge may be finished with; nothing for one that is over."""
        async with self._transactions.reading() as unit:
            challenge = await unit.factors.challenge(digest(mfa_token))
            return (await unit.factors.enrolled(challenge.subject_id)).methods if challenge else ()

    async def verify_again(self, person: Person, password: str, *, client: Client) -> None:
        """Check the password of somebody who is signed in; guesses count as at sign-in.

        Raises:
            BadCredentials, TooManyAttempts, Busy: as :meth:`with_password`.
        """
        if not acceptable_length(password):
            raise BadCredentials
        attempt = await self._reserve(person.email_canonical, client)
        stored = attempt.record.hash if attempt.record else None
        if not await self._hasher.verify(normalized(password), stored, network=client.network):
            await self._refused(attempt, client)
            raise BadCredentials
        async with self._transactions.writing() as unit:
            await self._lockout.succeeded(unit.guesses, pair=attempt.pair, identifier=attempt.identifier)

    async def count_try(self, person: Person, *, client: Client) -> Attempt:
        """Count a guess of something else than the password, before it is looked at.

        Raises:
            TooManyAttempts: this person and network have to wait.
        """
        return await self._reserve(person.email_canonical, client)

    async def forgive_try(self, attempt: Attempt) -> None:
        """It was no guess."""
        async with self._transactions.writing() as unit:
            await self._lockout.succeeded(unit.guesses, pair=attempt.pair, identifier=attempt.identifier)

    async def forgive_all(self, unit: UnitOfWork, person: Person) -> None:
        """Nobody waits any more before trying this account."""
        await self._lockout.unlock(unit.guesses, self._derivation, person.email_canonical)

    async def _reserve(self, canonical: str, client: Client) -> Attempt:
        now = self._clock()
        async with self._transactions.writing() as unit:
            person = await unit.subjects.by_email(canonical)
            record = await unit.credentials.password(person.id) if person else None
            known = await self._is_known(unit, person, client)
            pair, identifier = self._counted_under(canonical, client, known_device=known)
            wait = await self._lockout.reserve(
                unit.guesses, pair=pair, identifier=identifier, known_device=known, now=now
            )
        must_wait(wait)
        return Attempt(pair, identifier, person, record)

    async def _is_known(self, unit: UnitOfWork, person: Person | None, client: Client) -> bool:
        """Whether this browser signed in to this account before."""
        if not client.device_token:
            return False
        device = await unit.credentials.device(digest(client.device_token))
        return bool(device and person and device.subject_id == person.id)

    def _counted_under(self, canonical: str, client: Client, *, known_device: bool) -> tuple[bytes, bytes]:
        """The keys of the two counters: address with network, and address alone. A known device has a counter of its
        own in the place of its network's: who guesses from the same network does not make it wait.
        """
        place = digest(client.device_token or "") if known_device else client.network.encode()
        return (
            pair_key(self._derivation, canonical, place),
            identifier_key(self._derivation, canonical),
        )

    def _usable(self, attempt: Attempt) -> PasswordRecord | None:
        record, person = attempt.record, attempt.person
        if record is None or person is None or not person.active:
            return None
        if record.usable_until is not None and record.usable_until <= self._clock():
            return None
        return record

    async def _refused(self, attempt: Attempt, client: Client) -> None:
        async with self._transactions.writing() as unit:
            who = attempt.person.urn if attempt.person else "urn:au:system:anonymous"
            unit.record(Fact("session.refused", who, who, "denied", details={"network": client.network}))

    async def _open(
        self, attempt: Attempt, usable: PasswordRecord, password: str, client: Client, kind: SessionKind
    ) -> Opened:
        renewed: str | None = None
        if self._hasher.outdated(usable.hash):
            renewed = await self._hasher.hash(normalized(password), network=client.network)
        now = self._clock()
        async with self._transactions.writing() as unit:
            person = await unit.subjects.get(usable.subject_id)
            record = await unit.credentials.password(usable.subject_id)
            if person is None or not person.active or record is None or record.hash != usable.hash:
                raise BadCredentials
            if renewed:
                await unit.credentials.set_password(
                    PasswordRecord(person.id, renewed, record.changed_at, record.must_change, record.usable_until)
                )
            methods = (await unit.factors.enrolled(person.id)).methods
            if methods:
                token = new_secret()
                await unit.factors.add_challenge(Challenge(uuid7(), person.id, digest(token), now + CHALLENGE_LIFE))
            else:
                await self._lockout.succeeded(unit.guesses, pair=attempt.pair, identifier=attempt.identifier)
                opened = await self._session(unit, person, record, client, kind, now)
        if methods:
            raise MfaRequired(token, methods)
        return opened

    async def _session(
        self,
        unit: UnitOfWork,
        person: Person,
        record: PasswordRecord | None,
        client: Client,
        kind: SessionKind,
        now: datetime,
        *,
        factor: tuple[str, Method] | None = None,
    ) -> Opened:
        opened = await open_session(
            unit,
            person,
            Proof(
                kind,
                strength_with(factor[1], after=factor[0]) if factor else "password",
                factor or ("pwd",),
                restricted=bool(record and record.must_change),
            ),
            client=client,
            times=self._times,
            now=now,
        )
        unit.record(Fact("session.started", person.urn, f"urn:au:session:{opened.session.id}"))
        return opened


def canonical_or_typed(email: str) -> str:
    """The canonical address; what is none is still counted, under itself."""
    try:
        return email_address(email).canonical
    except InvalidInput:
        return email.strip().casefold()[:_LONGEST_IDENTIFIER]
