"""Changed flags are looked for without loading what a start does not need."""

import sqlite3
from contextlib import closing
from pathlib import Path

from fastapi_services_platform.config.feature_flags import FeatureFlags, Flag
from fastapi_services_platform.hub.switches.flag_changes import SharedFlags
from fastapi_services_platform.persistence.databases import Database


async def test_flags_that_nobody_changed_open_no_engine(tmp_path: Path) -> None:
    """A platform whose flags stand as they were written starts without SQLAlchemy's engine."""
    file = tmp_path / "hub.db"
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute("CREATE TABLE flag_version (version INTEGER)")
        connection.execute("INSERT INTO flag_version VALUES (0)")
    database = Database("hub", f"sqlite+aiosqlite:///{file}")
    flag = Flag(default=True, owner="team-a", description="News on the page")
    shared = SharedFlags(FeatureFlags(flags={"demo.news": flag}), database)
    await shared.open()
    await shared.close()
    assert database.opened is False
