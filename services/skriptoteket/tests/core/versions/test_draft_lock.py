"""One author edits at once."""

from datetime import timedelta
from typing import Any

import pytest

from skriptoteket.adapters.platform.time_and_ids import TimeOrderedIds
from skriptoteket.core.catalog.curation import Curation, ToolTexts
from skriptoteket.core.errors import Conflict, Forbidden, NotFound
from skriptoteket.core.roles import Actor
from skriptoteket.core.versions.draft_lock import LOCK_TIME, DraftLocking
from skriptoteket.core.versions.drafting import DraftChange, Drafting
from skriptoteket.core.versions.models import ToolVersion
from skriptoteket.core.versions.review import Reviewing


class Room:
    """A tool with a draft that two authors maintain, and the verbs."""

    def __init__(self, work: Any, clock: Any, people: dict[str, Actor]) -> None:
        ids = TimeOrderedIds()
        self.work, self.clock, self.people = work, clock, people
        self.curation = Curation(work, clock, ids)
        self.drafting = Drafting(work, clock, ids, ("standard@1",))
        self.locking = DraftLocking(work, clock)
        self.reviewing = Reviewing(work, clock, ids)
        self.one = people["author"]
        self.two = Actor("urn:fsp:person:second", self.one.rights)

    async def open(self) -> ToolVersion:
        """The first draft."""
        tool = await self.curation.create(self.people["reviewer"], ToolTexts(title="Counter"))
        async with self.work.write() as unit:
            for actor in (self.one, self.two):
                await unit.tools.add_maintainer(tool.id, actor.subject)
        return await self.drafting.create(self.one, tool.id, DraftChange({"source_code": "x = 1\n"}))


@pytest.fixture
def room(work: Any, clock: Any, people: dict[str, Actor]) -> Room:
    """The room over each kind of store."""
    return Room(work, clock, people)


async def test_a_lock_is_renewed_by_its_holder(room: Room) -> None:
    """Taking it again prolongs it and keeps when it was taken."""
    draft = await room.open()
    first = await room.locking.acquire(room.one, draft.tool_id, draft.id)
    room.clock.pass_(minutes=5)
    again = await room.locking.acquire(room.one, draft.tool_id, draft.id)
    assert (first.acquired_at, first.expires_at + timedelta(minutes=5)) == (again.acquired_at, again.expires_at)


async def test_somebody_else_can_neither_lock_save_nor_submit(room: Room) -> None:
    """Both are told holder and expiry, until it is over or given back."""
    draft = await room.open()
    lock = await room.locking.acquire(room.one, draft.tool_id, draft.id)
    for attempt in (
        room.locking.acquire(room.two, draft.tool_id, draft.id),
        room.drafting.save(room.two, draft.id, DraftChange({"source_code": "x = 2\n"})),
        room.reviewing.submit(room.two, draft.id),
    ):
        with pytest.raises(Conflict) as refused:
            await attempt
        facts = ("draft_locked", room.one.subject, lock.expires_at.isoformat())
        assert facts == (refused.value.reason, refused.value.facts["holder"], refused.value.facts["expires_at"])
    await room.locking.release(room.two, draft.tool_id)
    with pytest.raises(Conflict):
        await room.locking.acquire(room.two, draft.tool_id, draft.id)
    await room.locking.release(room.one, draft.tool_id)
    assert room.two.subject == (await room.locking.acquire(room.two, draft.tool_id, draft.id)).holder


async def test_an_expired_lock_holds_nobody_back(room: Room) -> None:
    """After ten minutes a save by the other author goes through and takes the lock."""
    draft = await room.open()
    await room.locking.acquire(room.one, draft.tool_id, draft.id)
    room.clock.pass_(seconds=LOCK_TIME.total_seconds() + 1)
    saved = await room.drafting.save(room.two, draft.id, DraftChange({"source_code": "x = 2\n"}))
    async with room.work.read() as unit:
        lock = await unit.locks.get(draft.tool_id)
    assert (room.two.subject, saved.id) == (lock.holder, lock.head_version_id)


async def test_taking_over_needs_a_right_and_is_told(room: Room) -> None:
    """A maintainer may not, a reviewer may; the lock names who forced it."""
    draft = await room.open()
    await room.locking.acquire(room.one, draft.tool_id, draft.id)
    with pytest.raises(Forbidden):
        await room.locking.acquire(room.two, draft.tool_id, draft.id, force=True)
    reviewer = room.people["reviewer"]
    assert reviewer.subject == (await room.locking.acquire(reviewer, draft.tool_id, draft.id, force=True)).forced_by


async def test_a_foreign_tool_has_no_lock(room: Room) -> None:
    """For a stranger the tool does not exist; an old head cannot be locked."""
    draft = await room.open()
    stranger = Actor("urn:fsp:person:stranger", room.one.rights)
    with pytest.raises(NotFound):
        await room.locking.acquire(stranger, draft.tool_id, draft.id)
    await room.drafting.save(room.one, draft.id, DraftChange({"source_code": "x = 2\n"}))
    with pytest.raises(Conflict, match="Somebody saved"):
        await room.locking.acquire(room.one, draft.tool_id, draft.id)
