"""What people upload, type and get back stands in no line of the service's log."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from httpx import AsyncClient

from fastapi_services_platform.observability.logger_factory import close_logging, configure_logging, flush_logging
from fastapi_services_platform.testing.started_app import settings_for
from skriptoteket.adapters.db.unit_of_work import SqlUnitOfWork

from .api.test_runs import RUNS, finished

PLANTED = ("Hemligsson", "hemlig-klass", "hemligt-varde", "hemligt-resultat", "hemlig-nyckel", "hemlig-anledning")


@pytest.fixture
def talkative(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder of a log that holds everything, down to the level debug."""
    monkeypatch.setenv("FSP_LOG_LEVEL", "debug")
    monkeypatch.setenv("FSP_LOG_DIR", str(tmp_path / "log"))
    yield tmp_path / "log"
    configure_logging(settings_for(tmp_path, log_level="info", log_dir=None))
    close_logging()


async def test_nothing_planted_is_logged(
    talkative: Path, client: AsyncClient, library: SqlUnitOfWork, tmp_path: Path
) -> None:
    """File names, contents, values, results, keys and reasons of a run, taken and refused, are in no line."""
    content = "Klass;Förnamn\n7A;Hemligsson\n".encode()
    files = {"export": ("hemlig-klass.csv", content, "text/csv")}
    key = {"idempotency-key": "hemlig-nyckel"}
    taken = await client.post(RUNS, files=files, data={"inputs": '{"class_name": "hemligt-varde"}'}, headers=key)
    assert taken.status_code == 202, taken.text
    await finished(library, tmp_path, b"hemligt-resultat")
    at = f"/api/v1/runs/{taken.json()['id']}"
    assert (await client.get(f"{at}/artifacts/list_html")).content == b"hemligt-resultat"
    assert (await client.get(f"/my-runs/{taken.json()['id']}", headers={"accept": "text/html"})).status_code == 200
    refused = (
        await client.post(RUNS, files={"export": ("hemlig-klass.xlsx", content, "text/csv")}),
        await client.post(RUNS, files=files, data={"inputs": '{"separator": "hemligt-varde"}'}),
        await client.post(RUNS, files={"Hemligsson": ("hemlig-klass.csv", content)}),
        await client.post(RUNS, files=files, data={"inputs": '{"hemligt-varde"'}),
    )
    assert [answer.status_code for answer in refused] == [422, 422, 422, 400]
    access = f"/api/v1/admin/runs/{taken.json()['id']}/access"
    bob = {"authorization": "Bearer bob"}
    assert (await client.post(access, json={"reason": "hemlig-anledning"}, headers=bob)).status_code == 201
    flush_logging()
    log = "".join(path.read_text() for path in talkative.rglob("*") if path.is_file())
    assert "/runs" in log
    assert [word for word in PLANTED if word in log] == []
