"""Every store in plain dicts."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from au_sys_identity.adapters.memory.relations.graph import MemoryFeed, tell
from au_sys_identity.adapters.memory.tables import Tables
from au_sys_identity.core.credentials.models import Counter, Device, PasswordRecord
from au_sys_identity.core.errors import Conflict, Stale
from au_sys_identity.core.sessions.models import RefreshToken, Session, SessionId
from au_sys_identity.core.subjects.models import Person, SubjectId
from au_sys_identity.core.subjects.ports import PersonFilter
from au_sys_identity.core.tokens.models import KeyState, SigningKey


class MemorySubjects:
    """See :class:`~au_sys_identity.core.subjects.ports.SubjectStore`."""

    def __init__(self, tables: Tables, feed: MemoryFeed) -> None:
        self._rows = tables.persons
        self._feed = feed

    async def add(self, person: Person) -> None:
        await self._free(person)
        self._rows[person.id] = person
        await tell(self._feed, person.id, "person", person.status)

    async def save(self, person: Person, *, expected_version: int) -> None:
        known = self._rows.get(person.id)
        if known is None or known.version != expected_version:
            raise Stale
        if person.status != "closed":
            await self._free(person)
        self._rows[person.id] = person
        await tell(self._feed, person.id, "person", person.status)

    async def get(self, subject_id: SubjectId) -> Person | None:
        return self._rows.get(subject_id)

    async def by_email(self, canonical: str) -> Person | None:
        living = (person for person in self._rows.values() if person.status != "closed")
        return next((person for person in living if person.email_canonical == canonical), None)

    async def many(self, ids: Sequence[SubjectId]) -> list[Person]:
        return [self._rows[wanted] for wanted in dict.fromkeys(ids) if wanted in self._rows]

    async def page(self, wanted: PersonFilter) -> list[Person]:
        q = wanted.q.lower()
        found = [
            person
            for person in sorted(self._rows.values(), key=lambda person: person.id)
            if person.status != "closed"
            and (wanted.status is None or person.status == wanted.status)
            and (wanted.after is None or person.id > wanted.after)
            and (q in person.display_name.lower() or q in person.email_canonical)
        ]
        return found[: wanted.limit]

    async def _free(self, person: Person) -> None:
        holder = await self.by_email(person.email_canonical)
        if holder is not None and holder.id != person.id:
            raise Conflict("email")


class MemoryCredentials:
    """See :class:`~au_sys_identity.core.credentials.ports.CredentialStore`."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    async def password(self, subject_id: SubjectId) -> PasswordRecord | None:
        return self._tables.passwords.get(subject_id)

    async def set_password(self, record: PasswordRecord) -> None:
        self._tables.passwords[record.subject_id] = record

    async def remove_password(self, subject_id: SubjectId) -> None:
        self._tables.passwords.pop(subject_id, None)

    async def device(self, token_hash: bytes) -> Device | None:
        return self._tables.devices.get(token_hash)

    async def keep_device(self, device: Device) -> None:
        self._tables.devices[device.token_hash] = device

    async def devices(self, subject_id: SubjectId) -> list[Device]:
        theirs = [known for known in self._tables.devices.values() if known.subject_id == subject_id]
        return sorted(theirs, key=lambda known: (known.last_seen_at, known.token_hash), reverse=True)

    async def forget_device(self, device: Device) -> bool:
        return self._tables.devices.pop(device.token_hash, None) is not None


class MemoryGuesses:
    """See :class:`~au_sys_identity.core.credentials.ports.GuessStore`."""

    def __init__(self, tables: Tables) -> None:
        self._rows = tables.guesses

    async def read(self, scope: str, key: bytes) -> Counter | None:
        return self._rows.get((scope, key))

    async def raise_by_one(self, scope: str, key: bytes, *, now: datetime, window: timedelta) -> Counter:
        known = self._rows.get((scope, key))
        if known is None:
            raised = Counter(1, now)
        elif known.window_start <= now - window:
            raised = Counter(1, now, known.blocked_until)
        else:
            raised = replace(known, failures=known.failures + 1)
        self._rows[scope, key] = raised
        return raised

    async def lower_by_one(self, scope: str, key: bytes) -> None:
        known = self._rows.get((scope, key))
        if known is not None and known.failures > 0:
            self._rows[scope, key] = replace(known, failures=known.failures - 1)

    async def block(self, scope: str, key: bytes, until: datetime) -> None:
        if (scope, key) in self._rows:
            self._rows[scope, key] = replace(self._rows[scope, key], blocked_until=until)

    async def clear(self, scope: str, key: bytes) -> None:
        self._rows.pop((scope, key), None)

    async def clear_beginning(self, scope: str, prefix: bytes) -> None:
        for place in [place for place in self._rows if place[0] == scope and place[1].startswith(prefix)]:
            del self._rows[place]

    async def forget_before(self, moment: datetime) -> int:
        old = [key for key, counter in self._rows.items() if counter.window_start < moment]
        for key in old:
            del self._rows[key]
        return len(old)


class MemorySessions:
    """See :class:`~au_sys_identity.core.sessions.ports.SessionStore`."""

    def __init__(self, tables: Tables) -> None:
        self._sessions = tables.sessions
        self._tokens = tables.refresh_tokens

    async def add(self, session: Session) -> None:
        self._sessions[session.id] = session

    async def get(self, session_id: SessionId) -> Session | None:
        return self._sessions.get(session_id)

    async def by_secret(self, secret_hash: bytes) -> Session | None:
        return next((session for session in self._sessions.values() if session.secret_hash == secret_hash), None)

    async def of_subject(self, subject_id: SubjectId, *, now: datetime) -> list[Session]:
        living = [known for known in self._sessions.values() if known.subject_id == subject_id and known.lives(now)]
        return sorted(living, key=lambda session: (session.last_seen_at, session.id), reverse=True)

    async def seen(self, session_id: SessionId, *, at: datetime, idle_until: datetime) -> None:
        known = self._sessions.get(session_id)
        if known is not None and known.ended_at is None:
            self._sessions[session_id] = replace(known, last_seen_at=at, idle_until=idle_until)

    async def rename(self, session_id: SessionId, label: str) -> None:
        if session_id in self._sessions:
            self._sessions[session_id] = replace(self._sessions[session_id], label=label)

    async def end(self, session_id: SessionId, *, at: datetime, reason: str) -> bool:
        known = self._sessions.get(session_id)
        if known is None or known.ended_at is not None:
            return False
        self._sessions[session_id] = replace(known, ended_at=at, end_reason=reason)
        return True

    async def end_all(
        self, subject_id: SubjectId, *, at: datetime, reason: str, keep: SessionId | None = None
    ) -> list[SessionId]:
        theirs = [known.id for known in self._sessions.values() if known.subject_id == subject_id and known.id != keep]
        return [session_id for session_id in theirs if await self.end(session_id, at=at, reason=reason)]

    async def end_bound(self, subject_id: SubjectId, binding_hash: bytes, *, at: datetime, reason: str) -> int:
        bound = [
            known.id
            for known in self._sessions.values()
            if known.subject_id == subject_id and known.binding_hash == binding_hash
        ]
        return len([known for known in bound if await self.end(known, at=at, reason=reason)])

    async def add_refresh(self, token: RefreshToken) -> None:
        self._tokens[token.session_id, token.generation] = token

    async def refresh_by_hash(self, token_hash: bytes) -> RefreshToken | None:
        return next((token for token in self._tokens.values() if token.token_hash == token_hash), None)

    async def head(self, session_id: SessionId) -> RefreshToken | None:
        theirs = (token for token in self._tokens.values() if token.session_id == session_id)
        return next((token for token in theirs if token.replaced_at is None), None)

    async def rotate(self, current: RefreshToken, successor: RefreshToken, *, at: datetime) -> bool:
        known = self._tokens.get((current.session_id, current.generation))
        if known is None or known.replaced_at is not None:
            return False
        self._tokens[known.session_id, known.generation] = replace(known, replaced_at=at)
        await self.add_refresh(successor)
        return True

    async def forget_ended_before(self, moment: datetime) -> int:
        old = [
            known.id
            for known in self._sessions.values()
            if known.expires_at < moment or (known.ended_at is not None and known.ended_at < moment)
        ]
        for session_id in old:
            del self._sessions[session_id]
        for key in [key for key in self._tokens if key[0] in old]:
            del self._tokens[key]
        return len(old)


class MemoryVersions:
    """See :class:`~au_sys_identity.core.access.ports.VersionStore`."""

    def __init__(self, tables: Tables) -> None:
        self._rows = tables.versions
        self.raised = False

    async def read(self) -> Mapping[str, int]:
        return dict(self._rows)

    async def raise_topic(self, topic: str) -> int:
        self.raised = True
        self._rows[topic] = self._rows.get(topic, 1) + 1
        return self._rows[topic]


class MemorySigningKeys:
    """See :class:`~au_sys_identity.core.tokens.ports.SigningKeyStore`."""

    def __init__(self, tables: Tables) -> None:
        self._rows = tables.signing_keys

    async def all(self) -> list[SigningKey]:
        return sorted(self._rows.values(), key=lambda key: key.active_from)

    async def add(self, key: SigningKey) -> bool:
        if key.state == "active" and any(known.state == "active" for known in self._rows.values()):
            return False
        self._rows[key.kid] = key
        return True

    async def set_state(self, kid: str, state: KeyState, *, retire_at: datetime | None) -> None:
        self._rows[kid] = replace(self._rows[kid], state=state, retire_at=retire_at)

    async def remove(self, kid: str) -> None:
        self._rows.pop(kid, None)
