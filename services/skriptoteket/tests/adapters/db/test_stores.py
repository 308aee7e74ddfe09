"""The stores on SQL keep to what any store does, and the database itself refuses to change what was decided."""

from collections.abc import AsyncIterator
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import String, insert, text
from sqlalchemy.exc import IntegrityError

from fastapi_services_platform import Database
from skriptoteket.adapters.db import tables as t
from skriptoteket.adapters.db.personal.names import NAMING
from skriptoteket.adapters.platform.time_and_ids import SystemClock

from ...conformance.stores import StoreConformance  # noqa: TID252 - tests have no absolute name
from ...libraries import Libraries  # noqa: TID252 - as above

BOTH = ["sqlite", pytest.param("postgres", marks=pytest.mark.needs_postgres)]
ONE = UUID(int=1)
REMOVED = {
    "favourites", "user_settings", "trial_settings", "seen_instructions", "tool_sessions", "schedules",
    "draft_locks", "stream_leases",
}  # fmt: skip
"""Tables whose rows go with the person."""
HISTORY = {
    "suggestion_decisions": ("verdict", "rationale", "title", "decided_by"),
    "stewardship_records": ("action", "reason", "subject", "decided_by"),
    "nomination_decisions": ("verdict", "rationale", "decided_by"),
    "environment_decisions": ("verdict", "rationale", "digest", "decided_by"),
}


@pytest.mark.parametrize("work", BOTH, indirect=True)
class TestStores(StoreConformance):
    """In SQLite and PostgreSQL."""


@pytest.fixture(params=BOTH)
async def decided(request: pytest.FixtureRequest, tmp_path: Path, libraries: Libraries) -> AsyncIterator[Database]:
    """A database with one decision of each kind."""
    server = request.getfixturevalue("postgres") if request.param == "postgres" else None
    database = await (libraries.sqlite(tmp_path) if server is None else libraries.postgres(server))
    now = SystemClock().now()
    idea = {"title": "T", "description": "D", "professions": [], "categories": []}
    verdict = {"rationale": "Because.", "decided_by": "urn:b", "decided_at": now}
    async with database.session(write=True) as session, session.begin():
        for table, row in (
            (t.tools, {"id": ONE, "slug": "s", "title": "T", "title_sv": "", "summary": "", "summary_sv": "", "owner": "o", "is_visible": False, "created_at": now, "updated_at": now}),  # noqa: E501 - one row
            (t.suggestions, {"id": ONE, **idea, "status": "denied", "suggested_by": "urn:a", "created_at": now}),
            (t.suggestion_decisions, {"suggestion_id": ONE, **idea, **verdict, "verdict": "denied"}),
            (t.stewardship_records, {"id": ONE, "tool_id": ONE, "action": "added", "subject": "urn:a", "decided_by": "urn:b", "decided_at": now, "reason": "r"}),  # noqa: E501 - one row
            (t.nominations, {"id": ONE, "kind": "appoint", "nominee": "urn:a", "nominator": "urn:c", "rationale": "r", "status": "denied", "created_at": now}),  # noqa: E501 - one row
            (t.nomination_decisions, {"nomination_id": ONE, **verdict, "verdict": "denied", "grant_state": "none", "tries": 0, "problem": ""}),  # noqa: E501 - one row
            (t.environment_decisions, {"id": ONE, "name": "standard@1", "digest": "d", **verdict, "verdict": "approve"}),  # noqa: E501 - one row
        ):  # fmt: skip
            await session.execute(insert(table).values(row))
    yield database
    await database.close()


async def test_history_never_changes(decided: Database) -> None:
    """No column of a decision can be written, no row deleted; an erased person's name can, and nothing else with it."""
    wrong = [f"DELETE FROM {table}" for table in HISTORY]
    wrong += [f"UPDATE {table} SET {column} = 'other'" for table, columns in HISTORY.items() for column in columns]
    right = [f"UPDATE {table} SET decided_by = 'urn:fsp:erased:1'" for table in HISTORY]
    right += ["UPDATE stewardship_records SET subject = 'urn:fsp:erased:2'"]
    right += ["UPDATE nomination_decisions SET grant_state = 'failed', tries = 3, problem = 'away'"]
    for statement in wrong:
        with pytest.raises(IntegrityError):
            async with decided.session(write=True) as session, session.begin():
                await session.execute(text(statement))
    async with decided.session(write=True) as session, session.begin():
        for statement in right:
            await session.execute(text(statement))


def test_an_erasure_reaches_every_name() -> None:
    """Whatever column can hold a subject is renamed by an erasure, or its row is removed."""
    named = {(column.table.name, column.name) for column in NAMING}
    holding = {
        (table.name, column.name)
        for table in t.metadata.tables.values()
        for column in table.columns
        if isinstance(column.type, String) and column.type.length == 200 and column.name != "cron"
    }
    assert {each for each in holding - named if each[0] not in REMOVED} == set()
