"""Refresh with rotation: a compare-and-swap on the family's current generation.

The successor of a token is derived from it with a server key, so that two tabs that refresh at once get the same one
and nobody is logged out. A token that comes back after the grace was copied: the whole family dies.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from au_sys_identity.core.derivation import Derivation, digest
from au_sys_identity.core.errors import SessionEnded
from au_sys_identity.core.events import Fact
from au_sys_identity.core.freshness import SUBJECTS
from au_sys_identity.core.notices.models import Envelope
from au_sys_identity.core.notices.writing import LetterBox
from au_sys_identity.core.ports import Clock, Transactions, UnitOfWork
from au_sys_identity.core.sessions.models import Client, RefreshToken, Session, SessionTimes
from au_sys_identity.core.sessions.opening import Opened, binding
from au_sys_identity.core.subjects.models import Person

_Verdict = Literal["ended", "stolen"]


@dataclass(frozen=True, slots=True)
class _Family:
    """A presented token with its session and owner."""

    token: RefreshToken
    session: Session
    person: Person
    restricted: bool


class Refreshing:
    """Keeps token sessions alive."""

    def __init__(
        self,
        transactions: Transactions,
        derivation: Derivation,
        letters: LetterBox,
        clock: Clock,
        *,
        times: SessionTimes,
    ) -> None:
        self._transactions = transactions
        self._derivation = derivation
        self._letters = letters
        self._clock = clock
        self._times = times

    async def refresh(self, presented: str, *, client: Client) -> Opened:
        """The session with the refresh token that the client shall use from now on.

        Raises:
            SessionEnded: the token is of no use, whatever the cause.
        """
        now = self._clock()
        async with self._transactions.writing() as unit:
            family = await self._family(unit, presented, now)
            if family is None:
                outcome: str | _Verdict = "ended"
            else:
                outcome = await self._next(unit, family, presented, client, now)
                if outcome == "stolen":
                    await self._kill(unit, family, now)
        if family is None or outcome in ("ended", "stolen"):
            raise SessionEnded
        return Opened(family.session, family.person, outcome, family.restricted)

    async def _family(self, unit: UnitOfWork, presented: str, now: datetime) -> _Family | None:
        token = await unit.sessions.refresh_by_hash(digest(presented))
        session = await unit.sessions.get(token.session_id) if token else None
        if token is None or session is None or not session.lives(now):
            return None
        person = await unit.subjects.get(session.subject_id)
        if person is None or not person.active or person.epoch != session.epoch:
            return None
        record = await unit.credentials.password(person.id)
        return _Family(token, session, person, bool(record and record.must_change))

    async def _next(
        self, unit: UnitOfWork, family: _Family, presented: str, client: Client, now: datetime
    ) -> str | _Verdict:
        tie, strong = binding(client)
        if family.session.strong_binding and (not strong or tie != family.session.binding_hash):
            return "stolen"
        successor = self._successor(family, presented)
        if family.token.replaced_at is None:
            if family.token.generation and now - family.token.created_at < self._times.refresh_grace:
                await self._seen(unit, family, now)
                return presented
            following = RefreshToken(family.session.id, family.token.generation + 1, digest(successor), now)
            if await unit.sessions.rotate(family.token, following, at=now):
                await self._seen(unit, family, now)
                return successor
        head = await unit.sessions.head(family.session.id)
        replaced = family.token.replaced_at or now
        in_grace = now - replaced <= self._times.refresh_grace
        if head and head.generation == family.token.generation + 1 and in_grace:
            return successor
        return "stolen"

    async def _seen(self, unit: UnitOfWork, family: _Family, now: datetime) -> None:
        idle_until = min(now + self._times.idle, family.session.expires_at)
        await unit.sessions.seen(family.session.id, at=now, idle_until=idle_until)

    async def _kill(self, unit: UnitOfWork, family: _Family, now: datetime) -> None:
        if await unit.sessions.end(family.session.id, at=now, reason="refresh token used twice"):
            await unit.versions.raise_topic(SUBJECTS)
            resource = f"urn:au:session:{family.session.id}"
            told = Envelope(subject=family.person.id)
            await self._letters.put_sealed(unit, "session-stolen", told, now=now)
            unit.record(Fact("session.stolen", family.person.urn, resource, "denied", "refresh token used twice"))

    def _successor(self, family: _Family, presented: str) -> str:
        material = self._derivation.keyed_hash(
            "refresh", presented.encode(), family.session.id.bytes, str(family.token.generation + 1).encode()
        )
        return material.hex()
