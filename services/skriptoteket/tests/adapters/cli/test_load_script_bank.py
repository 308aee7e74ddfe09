"""The commands that furnish a library: nothing twice, nothing on a dry run, and never over somebody's draft."""

import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import text

from fastapi_services_platform import blocking, open_database
from fastapi_services_platform.testing.started_app import settings_for
from skriptoteket.manifest.command_line import main
from skriptoteket.manifest.plugin import MIGRATIONS

LOAD = ("load-script-bank", "--only", "class-groups", "--only", "document-to-pdf", "--json")
Run = Callable[..., Awaitable[Result]]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """The command line over an empty library."""
    monkeypatch.setenv("FSP_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("FSP_ENVIRONMENT", "test")

    async def invoked(*arguments: str) -> Result:
        return await blocking(CliRunner().invoke, main, list(arguments))

    return invoked


def results(found: Result) -> set[str]:
    """What was done with the tools."""
    assert found.exit_code == 0, found.output
    return {each["result"] for each in json.loads(found.stdout)}


async def rows(folder: Path, question: str) -> list[Any]:  # Any: whatever the question asks for
    """What the database answers."""
    database = open_database("skriptoteket", settings_for(folder))
    await database.migrate(MIGRATIONS)
    async with database.session(write=True) as session, session.begin():
        answer = await session.execute(text(question))
        found = [tuple(row) for row in answer] if question.startswith("SELECT") else []
    await database.close()
    return found


async def test_nothing_twice(run: Run, tmp_path: Path) -> None:
    """A dry run only tells; drafts, then their publication, then nothing is left to do."""
    assert "added" in (await run("initial-data")).output
    assert "0 added" in (await run("initial-data")).output
    assert results(await run(*LOAD, "--dry-run")) == {"created"}
    assert await rows(tmp_path, "SELECT slug FROM tools") == []
    for arguments, expected in (((), "created"), ((), "unchanged"), (("--publish",), "created")):
        assert results(await run(*LOAD, *arguments)) == {expected}
    versions = await rows(tmp_path, "SELECT id, state FROM tool_versions")
    assert [state for _, state in versions].count("active") == 2
    assert results(await run(*LOAD, "--publish")) == {"unchanged"}
    assert await rows(tmp_path, "SELECT id, state FROM tool_versions") == versions


async def test_a_local_draft_is_kept(run: Run, tmp_path: Path) -> None:
    """Where somebody works on a tool whose shipped behaviour differs, their draft stays the head."""
    await run("initial-data")
    assert results(await run(*LOAD)) == {"created"}
    for (name,) in await rows(tmp_path, "SELECT name FROM sqlite_master WHERE type = 'trigger'"):
        await rows(tmp_path, f"DROP TRIGGER {name}")
    before = await rows(tmp_path, "SELECT id, draft_head_version_id FROM tools ORDER BY id")
    await rows(tmp_path, "UPDATE tool_versions SET behaviour_hash = 'another'")
    assert results(await run(*LOAD, "--publish")) == {"draft_kept"}
    assert await rows(tmp_path, "SELECT id, draft_head_version_id FROM tools ORDER BY id") == before


async def test_an_unknown_tool(run: Run) -> None:
    """A slug that does not ship is refused by name."""
    refused = await run("load-script-bank", "--only", "nothing-like-this")
    assert (refused.exit_code, "nothing-like-this" in refused.output) == (1, True)
