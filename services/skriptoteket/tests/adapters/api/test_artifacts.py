"""Files of a run over HTTP: safe to download, alone or together, gone when their time is over."""

import io
import zipfile
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import pytest
from httpx import AsyncClient

from skriptoteket.adapters.db.unit_of_work import SqlUnitOfWork
from skriptoteket.adapters.http.archive import safe_names
from skriptoteket.core.identifiers import RunId

from .test_runs import BOB, finished, submitted


async def test_downloads_are_safe(client: AsyncClient, library: SqlUnitOfWork, tmp_path: Path) -> None:
    """Always an attachment in a sandbox, with ranges and an ETag; the name is escaped."""
    run = await submitted(client)
    await finished(library, tmp_path, b"<script>0123456789</script>")
    [artifact] = (await client.get(f"/api/v1/runs/{run['id']}/artifacts")).json()
    whole = await client.get(artifact["url"])
    assert whole.content == b"<script>0123456789</script>"
    assert (
        whole.headers["content-disposition"]
        == "attachment; filename=\"_ _list_.html\"; filename*=UTF-8''%C3%85%20%22list%22.html"
    )
    assert (whole.headers["x-content-type-options"], whole.headers["content-security-policy"]) == (
        "nosniff",
        "sandbox; default-src 'none'",
    )
    part = await client.get(artifact["url"], headers={"range": "bytes=8-17"})
    assert (part.status_code, part.content) == (206, b"0123456789")
    assert (await client.get(artifact["url"], headers={"range": "bytes=900-"})).status_code == 416
    assert (await client.get(artifact["url"], headers={"if-none-match": whole.headers["etag"]})).status_code == 304


async def test_all_files_come_in_one_archive(client: AsyncClient, library: SqlUnitOfWork, tmp_path: Path) -> None:
    """Streamed, safe to unpack, and the same bytes twice; a run without files has none."""
    run = await submitted(client)
    assert (await client.get(f"/api/v1/runs/{run['id']}/artifacts.zip")).status_code == 404
    await finished(library, tmp_path, b"0123456789" * 50_000)
    for at in (f"/api/v1/runs/{run['id']}/artifacts.zip", f"/my-runs/{run['id']}/artifacts.zip"):
        answer = await client.get(at)
        assert (answer.status_code, answer.headers["content-type"]) == (200, "application/zip")
        assert "guardian-emails.zip" in answer.headers["content-disposition"]
        with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
            assert archive.testzip() is None
            assert [archive.read(name) for name in archive.namelist()] == [b"0123456789" * 50_000]
    assert answer.content == (await client.get(at)).content


@pytest.mark.parametrize(
    ("paths", "names"),
    [
        (["../../etc/passwd", "/abs/file"], ["etc/passwd", "abs/file"]),
        (["A.txt", "a.txt", "a.TXT"], ["A.txt", "a (2).txt", "a (3).TXT"]),
        (["a\\b.txt", "...", " "], ["a/b.txt", "_", "_ (2)"]),
    ],
)
def test_names_in_an_archive_stay_inside(paths: list[str], names: list[str]) -> None:
    """No way up, no root, no two that one file system takes for the same."""
    assert names == safe_names(paths)


async def test_what_retention_took_is_told_as_gone(client: AsyncClient, library: SqlUnitOfWork, tmp_path: Path) -> None:
    """410 with the day, never 404, for one file and for all of them; the run itself stays, its page says when."""
    run = await submitted(client)
    await finished(library, tmp_path)
    [artifact] = (await client.get(f"/api/v1/runs/{run['id']}/artifacts")).json()
    at = datetime(2026, 3, 2, 8, tzinfo=UTC)
    async with library.write() as unit:
        kept = await unit.runs.get(RunId(UUID(run["id"])))
        await unit.runs.update(replace(kept, artifacts_expired_at=at, logs_expired_at=at))
    for path in (artifact["url"], f"/api/v1/runs/{run['id']}/artifacts.zip"):
        gone = await client.get(path)
        assert (gone.status_code, gone.json()["code"], gone.json()["expired_at"]) == (410, "EXPIRED", "2026-03-02")
        assert (await client.get(path, headers=BOB)).status_code == 404
    assert (await client.get(f"/api/v1/runs/{run['id']}")).json()["state"] == "succeeded"
    page = await client.get(f"/my-runs/{run['id']}", headers={"accept": "text/html"})
    assert (page.status_code, "was removed 2026-03-02" in page.text) == (200, True)
    assert f'href="{artifact["url"]}"' not in page.text
