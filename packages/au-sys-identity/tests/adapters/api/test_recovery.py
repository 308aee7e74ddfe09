"""Backups, restore, undo of one change and erasure over HTTP."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, closing
from pathlib import Path
from typing import Any

import pytest
from httpx import AsyncClient, Response

Start = Callable[..., AbstractAsyncContextManager[AsyncClient]]
PASSWORD = "correct horse battery staple"
ADMIN = {"email": "root@example.org", "password": PASSWORD}
TOKEN = "a bootstrap token of this test"
Body = dict[str, Any]  # Any: JSON


@pytest.fixture
async def client(start: Start) -> AsyncIterator[AsyncClient]:
    """The first administrator is signed in."""
    async with start(bootstrap_token=TOKEN) as client:
        assert (await client.post("/auth/register", json={**ADMIN, "bootstrap_token": TOKEN})).status_code == 201
        await sign_in(client)
        yield client


async def sign_in(client: AsyncClient) -> None:
    client.headers.pop("authorization", None)
    answer = await client.post("/auth/jwt/login", json=ADMIN)
    client.headers["authorization"] = f"Bearer {answer.json()['access_token']}"


async def person(client: AsyncClient, name: str) -> Body:
    answer = await client.post("/users", json={"email": f"{name}@example.org", "display_name": name})
    assert answer.status_code == 201
    found: Body = answer.json()
    return found


async def newest(client: AsyncClient, summary: str) -> Body:
    """The newest change of a kind."""
    items = (await client.get("/iam/recovery/changes")).json()["items"]
    found: Body = next(item for item in items if item["summary"] == summary)
    return found


async def undo(client: AsyncClient, change: Body, *, dry_run: bool = False) -> Body:
    answer = await client.post(f"/iam/recovery/rollback/{change['id']}", json={"dry_run": dry_run})
    assert answer.status_code == 200, answer.text
    found: Body = answer.json()
    return found


async def test_back_up_change_and_restore(client: AsyncClient) -> None:
    """Backed up, verified, previewed, restored: the present is what it was, and everybody signs in again."""
    ann = await person(client, "ann")
    made = await client.post("/iam/recovery/backup", json={"label": "before"})
    assert made.status_code == 201
    backup = made.json()
    assert backup["counts"]["persons"] == 2
    checked = (await client.post(f"/iam/recovery/backups/{backup['id']}/verify")).json()
    assert checked["state"] == "verified"
    await client.patch(f"/users/{ann['id']}", json={"display_name": "Somebody else"})
    late = await person(client, "late")
    path = f"/iam/recovery/restore/{backup['id']}"
    preview = (await client.post(path)).json()
    assert (preview["did"], preview["would"]["persons"]) == ({}, {"added": 0, "removed": 1, "changed": 0})
    assert (await client.post(path, json={"dry_run": False, "confirm": "yes"})).status_code == 422
    done = await client.post(path, json={"dry_run": False, "confirm": backup["id"]})
    assert done.status_code == 200
    assert done.json()["did"]["subjects"] == preview["would"]["subjects"]
    assert (await client.get("/users/me")).status_code == 401
    await sign_in(client)
    assert (await client.get(f"/users/{ann['id']}")).json()["display_name"] == "ann"
    assert (await client.get(f"/users/{late['id']}")).status_code == 404
    labels = [item["label"] for item in (await client.get("/iam/recovery/backups")).json()["items"]]
    assert {f"before restoring {backup['id']}", "before"} <= set(labels)
    assert (await client.post("/audit/verify")).json()["ok"]


async def test_a_closed_account_comes_back_disabled(client: AsyncClient) -> None:
    """Without credentials, and nobody is signed in by it."""
    ann = await person(client, "ann")
    assert (await client.delete(f"/users/{ann['id']}")).status_code == 204
    await undo(client, await newest(client, "subject.closed"))
    found = (await client.get(f"/users/{ann['id']}")).json()
    assert (found["status"], found["email"]) == ("disabled", "ann@example.org")


async def test_births_and_credentials_stay(client: AsyncClient) -> None:
    """What cannot be taken back says so."""
    await person(client, "ann")
    change = await newest(client, "subject.created")
    assert change["reversible"] is False
    refused = await client.post(f"/iam/recovery/rollback/{change['id']}")
    assert (refused.status_code, refused.json()["type"].rpartition("/")[2]) == (409, "not-reversible")


async def test_a_setting_is_taken_back(client: AsyncClient) -> None:
    """The value is what it was."""
    changed = await client.patch("/iam/recovery/config", json={"change_days": 9})
    assert (changed.status_code, changed.json()["change_days"]) == (200, 9)
    await client.patch("/iam/recovery/config", json={"change_days": 11})
    await undo(client, await newest(client, "setting.changed"))
    assert (await client.get("/iam/recovery/config")).json()["change_days"] == 9


async def test_a_restore_lowers_no_guard_unasked(client: AsyncClient) -> None:
    """A setting that the backup holds weaker than the present is named, and taken only when that is accepted."""
    backup = (await client.post("/iam/recovery/backup")).json()["id"]
    await client.patch("/management/settings/", json={"values": {"PASSWORD_MIN_LENGTH": 20}})
    path, real = f"/iam/recovery/restore/{backup}", {"dry_run": False, "confirm": backup}
    assert "accept_weaker=true (PASSWORD_MIN_LENGTH)" in (await client.post(path)).json()["requires"]
    refused = await client.post(path, json=real)
    assert (refused.status_code, refused.json()["settings"]) == (409, ["PASSWORD_MIN_LENGTH"])
    assert (await client.get("/users/me")).status_code == 200
    assert (await client.post(path, json={**real, "accept_weaker": True})).status_code == 200


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/iam/recovery/backup"),
        ("GET", "/iam/recovery/backups"),
        ("GET", "/iam/recovery/changes"),
        ("GET", "/iam/recovery/config"),
        ("POST", "/iam/recovery/restore/01900000-0000-7000-8000-000000000001"),
        ("POST", "/iam/recovery/rollback/01900000-0000-7000-8000-000000000001"),
        ("POST", "/users/01900000-0000-7000-8000-000000000001/erase"),
    ],
)
async def test_who_may_not(client: AsyncClient, method: str, path: str) -> None:
    """A person without the permission is refused; with it, what is not there is 404."""
    bob = {"email": "bob@example.org", "password": PASSWORD}
    await client.post("/auth/register", json=bob)
    tokens = (await client.post("/auth/jwt/login", json=bob)).json()
    headers = {"authorization": f"Bearer {tokens['access_token']}"}
    assert (await client.request(method, path, headers=headers)).status_code == 403
    if "0001" in path:
        assert (await client.request(method, path)).status_code == 404


async def test_a_removed_backup_is_gone(client: AsyncClient) -> None:
    """It cannot be listed, verified or restored."""
    backup = (await client.post("/iam/recovery/backup")).json()
    assert (await client.delete(f"/iam/recovery/backups/{backup['id']}")).status_code == 204
    assert backup["id"] not in [item["id"] for item in (await client.get("/iam/recovery/backups")).json()["items"]]
    assert (await client.post(f"/iam/recovery/backups/{backup['id']}/verify")).status_code == 404


async def test_everybody_waits_while_a_mark_stands(client: AsyncClient, tmp_path: Path) -> None:
    """Every call of somebody known is 503; what a killed restore left behind is ended by whoever lives on."""
    with closing(sqlite3.connect(tmp_path / "identity.db")) as connection, connection:
        connection.execute("INSERT INTO versions (topic, version) VALUES ('maintenance', 1)")
    answer = await answered(client, 503)
    assert answer.json()["type"].rpartition("/")[2] == "maintenance"
    assert answer.headers["retry-after"] == "5"
    await answered(client, 200)


async def answered(client: AsyncClient, status: int) -> Response:
    """Ask until the answer has a status."""
    async with asyncio.timeout(60):
        while (answer := await client.get("/users/me")).status_code != status:
            await asyncio.sleep(0.05)
    return answer
