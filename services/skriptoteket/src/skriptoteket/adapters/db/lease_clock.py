"""The clock that leases are measured with: one that nobody can set.

SQLite belongs to one host: its boot clock counts on through suspension, and the boot id tells one boot from the next.
PostgreSQL
serves many hosts: its own clock is the common one.
"""

import time
from functools import cache
from pathlib import Path

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession


@cache
def boot_id() -> str:
    """This boot of this host."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return "unknown"


async def read_clock(session: AsyncSession) -> tuple[str, float]:
    """The epoch that instants are comparable in, and seconds in it."""
    if session.get_bind().dialect.name == "postgresql":
        found = await session.execute(text("SELECT extract(epoch FROM clock_timestamp())"))
        return "server", float(found.scalar_one())
    clock = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
    return boot_id(), time.clock_gettime(clock)
