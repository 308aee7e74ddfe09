"""SessionStore on SQL."""

from datetime import datetime

from sqlalchemy import Row, bindparam, delete, insert, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from au_sys_identity.adapters.db.tables import refresh_tokens, sessions
from au_sys_identity.core.sessions.models import RefreshToken, Session, SessionId
from au_sys_identity.core.subjects.models import SubjectId

# Statements that sign-ins and refreshes run are built once: building one costs more than running it.
_ADD, _ADD_REFRESH = insert(sessions), insert(refresh_tokens)
_BY_ID = select(sessions).where(sessions.c.id == bindparam("the_id"))
_BY_SECRET = select(sessions).where(sessions.c.secret_hash == bindparam("the_hash"))
_SEEN = (
    update(sessions)
    .where(sessions.c.id == bindparam("the_id"), sessions.c.ended_at.is_(None))
    .values(last_seen_at=bindparam("at"), idle_until=bindparam("until"))
)
_REFRESH = select(refresh_tokens).where(refresh_tokens.c.token_hash == bindparam("the_hash"))
_HEAD = select(refresh_tokens).where(
    refresh_tokens.c.session_id == bindparam("the_id"), refresh_tokens.c.replaced_at.is_(None)
)
_REPLACE = (
    update(refresh_tokens)
    .where(
        refresh_tokens.c.session_id == bindparam("the_id"),
        refresh_tokens.c.generation == bindparam("the_generation"),
        refresh_tokens.c.replaced_at.is_(None),
    )
    .values(replaced_at=bindparam("at"))
    .returning(refresh_tokens.c.generation)
)


def _session(row: Row[tuple[object, ...]]) -> Session:
    return Session(
        id=row.id,
        subject_id=row.subject_id,
        kind=row.kind,
        strength=row.strength,
        methods=tuple(row.methods.split(",")),
        epoch=row.epoch,
        auth_time=row.auth_time,
        created_at=row.created_at,
        last_seen_at=row.last_seen_at,
        idle_until=row.idle_until,
        expires_at=row.expires_at,
        label=row.label,
        user_agent=row.user_agent,
        address=row.ip,
        secret_hash=row.secret_hash,
        binding_hash=row.binding_hash,
        strong_binding=row.strong_binding,
        ended_at=row.ended_at,
        end_reason=row.end_reason,
    )


def _refresh(row: Row[tuple[object, ...]] | None) -> RefreshToken | None:
    if row is None:
        return None
    return RefreshToken(row.session_id, row.generation, row.token_hash, row.created_at, row.replaced_at)


class SqlSessions:
    """The tables ``sessions`` and ``refresh_tokens``."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def add(self, session: Session) -> None:
        """See :class:`~au_sys_identity.core.sessions.ports.SessionStore`."""
        await self._session.execute(
            _ADD,
            {
                "id": session.id,
                "subject_id": session.subject_id,
                "kind": session.kind,
                "secret_hash": session.secret_hash,
                "label": session.label,
                "user_agent": session.user_agent,
                "ip": session.address,
                "binding_hash": session.binding_hash,
                "strong_binding": session.strong_binding,
                "strength": session.strength,
                "methods": ",".join(session.methods),
                "epoch": session.epoch,
                "auth_time": session.auth_time,
                "created_at": session.created_at,
                "last_seen_at": session.last_seen_at,
                "idle_until": session.idle_until,
                "expires_at": session.expires_at,
                "ended_at": session.ended_at,
                "end_reason": session.end_reason,
            },
        )

    async def get(self, session_id: SessionId) -> Session | None:
        """See :class:`~au_sys_identity.core.sessions.ports.SessionStore`."""
        row = (await self._session.execute(_BY_ID, {"the_id": session_id})).first()
        return _session(row) if row else None

    async def by_secret(self, secret_hash: bytes) -> Session | None:
        """See :class:`~au_sys_identity.core.sessions.ports.SessionStore`."""
        row = (await self._session.execute(_BY_SECRET, {"the_hash": secret_hash})).first()
        return _session(row) if row else None

    async def of_subject(self, subject_id: SubjectId, *, now: datetime) -> list[Session]:
        """See :class:`~au_sys_identity.core.sessions.ports.SessionStore`."""
        rows = await self._session.execute(
            select(sessions)
            .where(
                sessions.c.subject_id == subject_id,
                sessions.c.ended_at.is_(None),
                sessions.c.idle_until > now,
                sessions.c.expires_at > now,
            )
            .order_by(sessions.c.last_seen_at.desc(), sessions.c.id.desc())
        )
        return [_session(row) for row in rows]

    async def seen(self, session_id: SessionId, *, at: datetime, idle_until: datetime) -> None:
        """See :class:`~au_sys_identity.core.sessions.ports.SessionStore`."""
        await self._session.execute(_SEEN, {"the_id": session_id, "at": at, "until": idle_until})

    async def rename(self, session_id: SessionId, label: str) -> None:
        """See :class:`~au_sys_identity.core.sessions.ports.SessionStore`."""
        await self._session.execute(update(sessions).where(sessions.c.id == session_id).values(label=label))

    async def end(self, session_id: SessionId, *, at: datetime, reason: str) -> bool:
        """See :class:`~au_sys_identity.core.sessions.ports.SessionStore`."""
        ended = await self._session.execute(
            update(sessions)
            .where(sessions.c.id == session_id, sessions.c.ended_at.is_(None))
            .values(ended_at=at, end_reason=reason)
            .returning(sessions.c.id)
        )
        return ended.first() is not None

    async def end_all(
        self, subject_id: SubjectId, *, at: datetime, reason: str, keep: SessionId | None = None
    ) -> list[SessionId]:
        """See :class:`~au_sys_identity.core.sessions.ports.SessionStore`."""
        statement = update(sessions).where(sessions.c.subject_id == subject_id, sessions.c.ended_at.is_(None))
        if keep is not None:
            statement = statement.where(sessions.c.id != keep)
        ended = await self._session.execute(statement.values(ended_at=at, end_reason=reason).returning(sessions.c.id))
        return [SessionId(row.id) for row in ended]

    async def end_bound(self, subject_id: SubjectId, binding_hash: bytes, *, at: datetime, reason: str) -> int:
        """See :class:`~au_sys_identity.core.sessions.ports.SessionStore`."""
        ended = await self._session.execute(
            update(sessions)
            .where(
                sessions.c.subject_id == subject_id,
                sessions.c.binding_hash == binding_hash,
                sessions.c.ended_at.is_(None),
            )
            .values(ended_at=at, end_reason=reason)
            .returning(sessions.c.id)
        )
        return len(ended.all())

    async def add_refresh(self, token: RefreshToken) -> None:
        """See :class:`~au_sys_identity.core.sessions.ports.SessionStore`."""
        await self._session.execute(
            _ADD_REFRESH,
            {
                "session_id": token.session_id,
                "generation": token.generation,
                "token_hash": token.token_hash,
                "created_at": token.created_at,
                "replaced_at": token.replaced_at,
            },
        )

    async def refresh_by_hash(self, token_hash: bytes) -> RefreshToken | None:
        """See :class:`~au_sys_identity.core.sessions.ports.SessionStore`."""
        return _refresh((await self._session.execute(_REFRESH, {"the_hash": token_hash})).first())

    async def head(self, session_id: SessionId) -> RefreshToken | None:
        """See :class:`~au_sys_identity.core.sessions.ports.SessionStore`."""
        return _refresh((await self._session.execute(_HEAD, {"the_id": session_id})).first())

    async def rotate(self, current: RefreshToken, successor: RefreshToken, *, at: datetime) -> bool:
        """See :class:`~au_sys_identity.core.sessions.ports.SessionStore`."""
        try:
            async with self._session.begin_nested():
                swapped = await self._session.execute(
                    _REPLACE, {"the_id": current.session_id, "the_generation": current.generation, "at": at}
                )
                if swapped.first() is None:
                    return False
                await self.add_refresh(successor)
        except IntegrityError:
            return False
        return True

    async def forget_ended_before(self, moment: datetime) -> int:
        """See :class:`~au_sys_identity.core.sessions.ports.SessionStore`."""
        gone = await self._session.execute(
            delete(sessions)
            .where(or_(sessions.c.ended_at < moment, sessions.c.expires_at < moment))
            .returning(sessions.c.id)
        )
        return len(gone.all())
