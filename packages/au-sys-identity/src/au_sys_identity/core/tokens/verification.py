"""Token or cookie in, principal or refusal out.

A verified signature is remembered until the token expires; whether session and subject are still good is asked every
time, of state that is at most 250 ms old.
"""

import hashlib
import hmac
from collections import OrderedDict
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

from au_sys_identity.core.derivation import digest
from au_sys_identity.core.factors.models import Enrolled
from au_sys_identity.core.freshness import SUBJECTS, Freshness
from au_sys_identity.core.graph.live import LiveGraph
from au_sys_identity.core.ports import Clock, Transactions, UnitOfWork
from au_sys_identity.core.principal import Principal
from au_sys_identity.core.sessions.models import Session, SessionId, SessionTimes
from au_sys_identity.core.subjects.models import Person, subject_urn
from au_sys_identity.core.tokens.key_format import public_id_of
from au_sys_identity.core.tokens.models import AccessClaims, ApiKey, BadAccessToken
from au_sys_identity.core.tokens.ports import AccessTokens

_REMEMBERED = 4096
_NOTE_USE_EVERY = timedelta(minutes=5)
_NOTE_KEY_EVERY = timedelta(minutes=1)
_LONGEST_TOKEN = 8192


@dataclass(frozen=True, slots=True)
class Unproven:
    """The credential is no good. ``expired`` ones may be refreshed."""

    slug: Literal["not-authenticated", "token-expired", "no-custodian", "delegation-ended"] = "not-authenticated"


@dataclass(frozen=True, slots=True)
class _State:
    session: Session
    person: Person
    enrolled: Enrolled
    must_change: bool


@dataclass(frozen=True, slots=True)
class _KeyState:
    key: ApiKey
    principal: Principal


class Verification:
    """Verifies what requests carry."""

    def __init__(
        self,
        transactions: Transactions,
        access_tokens: AccessTokens,
        freshness: Freshness,
        graph: LiveGraph,
        clock: Clock,
        *,
        times: SessionTimes,
    ) -> None:
        self._transactions = transactions
        self._access_tokens = access_tokens
        self._freshness = freshness
        self._graph = graph
        self._clock = clock
        self._times = times
        self._signatures: OrderedDict[bytes, AccessClaims] = OrderedDict()
        self._states: OrderedDict[bytes, _State] = OrderedDict()
        self._keys: OrderedDict[bytes, _KeyState] = OrderedDict()
        self._version = -1

    async def bearer(self, token: str) -> Principal | Unproven:
        """The subject of an access token."""
        if len(token) > _LONGEST_TOKEN or not token.isascii():
            return Unproven()
        claims = await self._claims(token)
        if isinstance(claims, BadAccessToken):
            return Unproven("token-expired" if claims.expired else "not-authenticated")
        if claims.key_id is not None:
            return await self._delegated(claims, claims.key_id)
        state = await self._state(claims.session_id.bytes, claims.session_id)
        if state is None or state.session.kind != "token" or state.person.urn != claims.subject:
            return Unproven()
        return _principal(state) if claims.epoch == state.person.epoch else Unproven()

    async def on_behalf(self, agent: Principal, presented: str) -> Principal | Unproven:
        """The same agent, acting under a grant that it names."""
        delegation_id = _id(presented)
        if delegation_id is None:
            return Unproven("delegation-ended")
        return await self._under(agent, delegation_id)

    async def _delegated(self, claims: AccessClaims, key_id: UUID) -> Principal | Unproven:
        now = self._clock()
        async with self._transactions.reading() as unit:
            key = await unit.api_keys.get(key_id)
            if key is None or not key.usable(now):
                return Unproven()
            agent = await _machine_with_key(unit, key)
        if agent is None:
            return Unproven()
        if agent.machine is None or agent.machine.epoch != claims.epoch:
            return Unproven()
        answered = await self.in_custody(agent)
        return answered if isinstance(answered, Unproven) else await self._under(answered, claims.session_id)

    async def _under(self, agent: Principal, delegation_id: UUID) -> Principal | Unproven:
        async with self._transactions.reading() as unit:
            grant = await unit.delegations.get(delegation_id)
            human = await unit.subjects.get(grant.human_id) if grant else None
        if grant is None or grant.agent_id != agent.id or not grant.lives(self._clock()):
            return Unproven("delegation-ended")
        if human is None or not human.active:
            return Unproven("delegation-ended")
        return replace(agent, on_behalf_of=grant.human, delegation_id=str(grant.id))

    async def cookie(self, secret: str) -> Principal | Unproven:
        """The subject of a web session."""
        if len(secret) > _LONGEST_TOKEN:
            return Unproven()
        hashed = digest(secret)
        state = await self._state(hashed, None)
        return _principal(state) if state else Unproven()

    async def api_key(self, presented: str) -> Principal | Unproven:
        """The owner of an API key, narrowed to its scopes."""
        public_id = public_id_of(presented) if len(presented) < _LONGEST_TOKEN else None
        if public_id is None:
            return Unproven()
        hashed = digest(presented)
        version = await self._fresh()
        known = self._keys.get(hashed)
        now = self._clock()
        if known is None or (known.key.last_used_at or known.key.created_at) < now - _NOTE_KEY_EVERY:
            known = await self._read_key(public_id, hashed, now)
            if known is None:
                return Unproven()
            if self._version == version:  # else it may be older than what cleared the others
                self._keys[hashed] = known
            if len(self._keys) > _REMEMBERED:
                self._keys.popitem(last=False)
        if not known.key.usable(now):
            return Unproven()
        return await self.in_custody(known.principal)

    async def in_custody(self, found: Principal) -> Principal | Unproven:
        """The same, a machine with who answers for it now; refused when nobody does, or a parent or provider is off.

        Asked with every request, of the graph in memory: it needs no look-up.
        """
        if found.kind == "person":
            return found
        custody = (await self._graph.current()).custody(found.id)
        if not custody.living:
            return Unproven("no-custodian")
        return replace(found, custodians=tuple(subject_urn("person", one) for one in custody.custodians))

    async def _read_key(self, public_id: str, hashed: bytes, now: datetime) -> _KeyState | None:
        async with self._transactions.reading() as unit:
            key = await unit.api_keys.by_public_id(public_id)
            if key is None or not hmac.compare_digest(key.secret_hash, hashed) or not key.usable(now):
                return None
            principal = await _person_with_key(unit, key) or await _machine_with_key(unit, key)
        if principal is None:
            return None
        if (key.last_used_at or key.created_at) < now - _NOTE_KEY_EVERY:
            async with self._transactions.writing() as unit:
                await unit.api_keys.used(key.id, at=now)
            key = replace(key, last_used_at=now)
        return _KeyState(key, principal)

    async def _claims(self, token: str) -> AccessClaims | BadAccessToken:
        now = self._clock()
        key = hashlib.sha256(token.encode()).digest()
        known = self._signatures.get(key)
        if known is not None:
            return known if now < known.expires_at else BadAccessToken(expired=True)
        claims = await self._access_tokens.verify(token, now=now)
        if isinstance(claims, AccessClaims):
            self._signatures[key] = claims
            if len(self._signatures) > _REMEMBERED:
                self._signatures.popitem(last=False)
        return claims

    async def _state(self, key: bytes, session_id: SessionId | None) -> _State | None:
        """The state of a session by its id, or, without one, by the hash of its secret (``key``)."""
        version = await self._fresh()
        now = self._clock()
        state = self._states.get(key)
        if state is None or not state.session.lives(now) or now - state.session.last_seen_at > _NOTE_USE_EVERY:
            state = await self._read(key, session_id, now)
            if state is None:
                return None
            if self._version == version:  # else it may be older than what cleared the others
                self._states[key] = state
            if len(self._states) > _REMEMBERED:
                self._states.popitem(last=False)
        return state

    async def _fresh(self) -> int:
        """Forget what may have changed."""
        version = await self._freshness.version(SUBJECTS)
        if version != self._version:
            self._states.clear()
            self._keys.clear()
            self._version = version
        return version

    async def _read(self, key: bytes, session_id: SessionId | None, now: datetime) -> _State | None:
        async with self._transactions.reading() as unit:
            session = await (unit.sessions.get(session_id) if session_id else unit.sessions.by_secret(key))
            person = await unit.subjects.get(session.subject_id) if session else None
            record = await unit.credentials.password(person.id) if person else None
            enrolled = await unit.factors.enrolled(person.id) if person else Enrolled()
        if session is None or person is None or not session.lives(now):
            return None
        if not person.active or person.epoch != session.epoch:
            return None
        if now - session.last_seen_at > _NOTE_USE_EVERY:
            idle_until = min(now + self._times.idle, session.expires_at)
            async with self._transactions.writing() as unit:
                await unit.sessions.seen(session.id, at=now, idle_until=idle_until)
                session = await unit.sessions.get(session.id)
            if session is None or not session.lives(now):
                return None
        return _State(session, person, enrolled, bool(record and record.must_change))


def _principal(state: _State) -> Principal:
    person, session = state.person, state.session
    return Principal(
        id=person.id,
        urn=person.urn,
        kind="person",
        display_name=person.display_name,
        email=person.email,
        locale=person.locale,
        strength=session.strength,
        session_id=session.id,
        session_kind=session.kind,
        auth_time=session.auth_time,
        restricted=state.must_change,
        account=person,
        enrolled=state.enrolled,
        must_change_password=state.must_change,
    )


async def _person_with_key(unit: UnitOfWork, key: ApiKey) -> Principal | None:
    person = await unit.subjects.get(key.owner_id)
    if person is None or not person.active:
        return None
    record = await unit.credentials.password(person.id)
    return Principal(
        id=person.id,
        urn=person.urn,
        kind="person",
        display_name=person.display_name,
        email=person.email,
        locale=person.locale,
        strength="password",
        session_id=None,
        session_kind=None,
        auth_time=None,
        scopes=key.scopes,
        account=person,
        enrolled=await unit.factors.enrolled(person.id),
        must_change_password=bool(record and record.must_change),
        key_id=key.id,
    )


async def _machine_with_key(unit: UnitOfWork, key: ApiKey) -> Principal | None:
    machine = await unit.machines.get(key.owner_id)
    if machine is None or not machine.active:
        return None
    return Principal(
        id=machine.id,
        urn=machine.urn,
        kind=machine.kind,
        display_name=machine.name,
        email=None,
        locale=None,
        strength="password",
        session_id=None,
        session_kind=None,
        auth_time=None,
        scopes=key.scopes,
        key_id=key.id,
        machine=machine,
    )


def _id(text: str) -> UUID | None:
    try:
        return UUID(text.strip())
    except ValueError:
        return None
