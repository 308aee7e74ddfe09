"""One author edits at once: acquire, renew, take over, release."""

from dataclasses import replace
from datetime import datetime, timedelta

from skriptoteket.core.errors import Conflict, Forbidden
from skriptoteket.core.identifiers import ToolId, VersionId
from skriptoteket.core.ports import Clock, UnitOfWork
from skriptoteket.core.roles import AUTHOR_ANY, Actor
from skriptoteket.core.versions.authorship import head_moved, writable_tool
from skriptoteket.core.versions.models import DraftLock
from skriptoteket.core.versions.ports import VersionUnit

LOCK_TIME = timedelta(minutes=10)


async def refuse_if_locked(unit: VersionUnit, tool_id: ToolId, subject: str, now: datetime) -> None:
    """Nothing, unless somebody else holds a live lock.

    Raises:
        Conflict: ``draft_locked`` with holder and expiry.
    """
    lock = await unit.locks.get(tool_id)
    if lock is not None and lock.live(now) and lock.holder != subject:
        facts = {"holder": lock.holder, "expires_at": lock.expires_at.isoformat()}
        raise Conflict(
            "draft_locked", "Somebody else is editing this draft right now. Wait, or ask them to finish.", facts
        )


async def follow(unit: VersionUnit, tool_id: ToolId, head: VersionId, subject: str, now: datetime) -> None:
    """Let the lock go with the head; a save takes a lock that is free or over."""
    lock = await unit.locks.get(tool_id)
    acquired = lock.acquired_at if lock is not None and lock.holder == subject and lock.live(now) else now
    await unit.locks.put(DraftLock(tool_id, head, subject, acquired, now + LOCK_TIME))


class DraftLocking:
    """The verbs *lock*, *renew*, *take over* and *release*. Lives as long as the app."""

    def __init__(self, work: UnitOfWork[VersionUnit], clock: Clock) -> None:
        self._work = work
        self._clock = clock

    async def acquire(self, actor: Actor, tool_id: ToolId, head: VersionId, *, force: bool = False) -> DraftLock:
        """The lock, new or renewed. ``force`` takes a live one over.

        Raises:
            NotFound: no such tool for this actor.
            Conflict: ``draft_locked`` or ``draft_head_moved``.
            Forbidden: taking over needs ``author_any``.
        """
        async with self._work.write() as unit:
            tool = await writable_tool(unit, actor, tool_id, lock=True)
            if tool.draft_head_version_id != head:
                raise head_moved(tool)
            now = self._clock.now()
            lock = await unit.locks.get(tool_id)
            foreign = lock is not None and lock.live(now) and lock.holder != actor.subject
            if foreign and not force:
                await refuse_if_locked(unit, tool_id, actor.subject, now)
            if foreign and not actor.holds(AUTHOR_ANY):
                raise Forbidden("Taking over somebody's lock needs the right to write every tool. Ask a reviewer.")
            if lock is not None and lock.live(now) and not foreign:
                taken = replace(lock, head_version_id=head, expires_at=now + LOCK_TIME)
            else:
                taken = DraftLock(
                    tool_id, head, actor.subject, now, now + LOCK_TIME, actor.subject if foreign else None
                )
            await unit.locks.put(taken)
            return taken

    async def held(self, actor: Actor, tool_id: ToolId) -> DraftLock | None:
        """The lock that lives now, whoever holds it.

        Raises:
            NotFound: no such tool for this actor.
        """
        async with self._work.read() as unit:
            await writable_tool(unit, actor, tool_id)
            lock = await unit.locks.get(tool_id)
        return lock if lock is not None and lock.live(self._clock.now()) else None

    async def release(self, actor: Actor, tool_id: ToolId) -> None:
        """Give one's own lock back; idempotent.

        Raises:
            NotFound: no such tool for this actor.
        """
        async with self._work.write() as unit:
            await writable_tool(unit, actor, tool_id)
            lock = await unit.locks.get(tool_id)
            if lock is not None and lock.holder == actor.subject:
                await unit.locks.release(tool_id)
