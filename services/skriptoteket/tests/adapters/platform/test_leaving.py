"""The library hears from the platform's outbox that somebody has left."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import MetaData

from fastapi_services_platform import Contribution, Event, Manifest, Migrations, Outbox, create_app, open_database
from fastapi_services_platform.testing import started_app
from fastapi_services_platform.testing.stand_ins import Prepared, believing_identity
from fastapi_services_platform.testing.started_app import settings_for
from skriptoteket.adapters.db.unit_of_work import SqlUnitOfWork
from skriptoteket.core.catalog.models import Tool
from skriptoteket.core.identifiers import ToolId
from skriptoteket.manifest.plugin import Skriptoteket

ANNA = "urn:au:person:anna"
FIRST = '''"""First."""
revision = "0001"
down_revision = None
def upgrade(): pass
def downgrade(): pass
'''


@pytest.mark.parametrize("event", ["subject.closed", "subject.erased"])
async def test_what_a_person_kept_is_gone_after_the_event(
    event: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Published by whoever keeps people, in a transaction of its own database."""
    versions = tmp_path / "history_of_leavers" / "versions"
    versions.mkdir(parents=True)
    (versions.parent / "__init__.py").write_text("")
    (versions / "r1.py").write_text(FIRST)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setenv("SKRIPTOTEKET_INSTALL_BANK", "false")
    history = Migrations("history_of_leavers", MetaData(), outbox=True)
    people = Prepared(Manifest("people", "1.0", "Knows people"), Contribution(migrations=history))
    settings = settings_for(tmp_path)
    app: Any = create_app(settings, capabilities=[people, believing_identity(), Skriptoteket()])
    async with started_app(app):
        library = open_database("skriptoteket", settings)
        work, now = SqlUnitOfWork(library), datetime.now(UTC)
        tool = Tool(ToolId(uuid4()), "counter", "Counter", "", "urn:o", now, now)
        async with work.write() as unit:
            await unit.tools.add(tool)
            await unit.tools.set_favourite(tool.id, ANNA, True, now)
        database = app.state.platform.database("people")
        async with database.transaction() as session:
            await Outbox(database).publish(session, Event(event, ANNA))
        async with asyncio.timeout(120):
            while await _favourites(work):
                await asyncio.sleep(0.05)
        await library.close()


async def _favourites(work: SqlUnitOfWork) -> frozenset[ToolId]:
    async with work.read() as unit:
        return await unit.tools.favourites(ANNA)
