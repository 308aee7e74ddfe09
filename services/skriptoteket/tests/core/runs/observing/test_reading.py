"""So many live streams for each subject, over every process that shares the stores."""

from datetime import timedelta
from typing import Any

import pytest

from skriptoteket.adapters.platform.time_and_ids import TimeOrderedIds
from skriptoteket.core.errors import TooManyStreams
from skriptoteket.core.runs.observing.reading import Reading

ANNA = "urn:fsp:person:anna"


async def test_places_are_shared_between_processes(work: Any) -> None:  # Any: either unit of work
    """What one process gave away another does not give again; leaving twice is fine and makes room once."""
    one, other = Reading(work, TimeOrderedIds(), most=2), Reading(work, TimeOrderedIds(), most=2)
    first = await one.begin(ANNA)
    await other.begin(ANNA)
    for process in (one, other):
        with pytest.raises(TooManyStreams, match="2 runs"):
            await process.begin(ANNA)
    await one.begin("urn:fsp:person:bob")
    await other.end(first)
    await other.end(first)
    await one.begin(ANNA)
    with pytest.raises(TooManyStreams):
        await other.begin(ANNA)


async def test_a_dead_process_keeps_no_place(work: Any) -> None:  # Any: as above
    """A lease that nobody renews runs out; a renewed one holds, and one that is gone does not come back."""
    ids = TimeOrderedIds()
    dead, alive, late = ids.new(), ids.new(), ids.new()
    over, hour = timedelta(seconds=-1), timedelta(hours=1)
    async with work.write() as unit:
        assert await unit.streams.take(dead, ANNA, 1, over)
        assert await unit.streams.take(alive, ANNA, 1, over)
        await unit.streams.renew([alive, dead], hour)
    async with work.write() as unit:
        assert not await unit.streams.take(late, ANNA, 1, hour)
        await unit.streams.leave(alive)
        assert await unit.streams.take(late, ANNA, 1, hour)
