"""Erasure over HTTP: what is personal is unreadable, in the log and in older backups, and every proof holds."""

import json
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from uuid import UUID

from httpx import AsyncClient

from au_sys_identity.manifest.operator import Operator
from fastapi_services_platform import PlatformSettings

Start = Callable[..., AbstractAsyncContextManager[AsyncClient]]
PASSWORD = "correct horse battery staple"
ADMIN = {"email": "root@example.org", "password": PASSWORD}
TOKEN = "a bootstrap token of this test"
ANN = {"email": "ann@example.org", "display_name": "Ann Unusual"}


async def test_an_erased_person_is_unreadable_and_the_proofs_hold(start: Start, tmp_path: Path) -> None:
    """The account is gone, the log and the older backup keep what is not personal, and the address is free again."""
    async with start(bootstrap_token=TOKEN) as client:
        await client.post("/auth/register", json={**ADMIN, "bootstrap_token": TOKEN})
        tokens = (await client.post("/auth/jwt/login", json=ADMIN)).json()
        client.headers["authorization"] = f"Bearer {tokens['access_token']}"
        ann = (await client.post("/users", json=ANN)).json()
        backup = (await client.post("/iam/recovery/backup")).json()["id"]
        first = (await client.get("/audit/events", params={"target": ann["urn"]})).json()["items"][-1]
        head = (await client.get("/audit/heads/latest")).json()["tree_size"]
        assert (await client.post(f"/users/{ann['id']}/erase")).status_code == 204
        assert (await client.get(f"/users/{ann['id']}")).status_code == 404
        events = (await client.get("/audit/events", params={"target": ann["urn"]})).json()["items"]
        assert (events[0]["action"], [event["details"] for event in events]) == ("subject.erased", [{}] * len(events))
        asked = {"event_id": first["id"], "tree_size": head}
        assert (await client.get("/audit/proofs/inclusion", params=asked)).status_code == 200
        assert (await client.post("/audit/verify")).json()["ok"]
        again = (await client.post("/users", json=ANN)).json()
        assert again["id"] != ann["id"]
    platform = PlatformSettings(environment="test", data_dir=tmp_path, public_url="http://platform.test")
    async with Operator(platform).opened() as wiring:
        archived = json.dumps([row async for _, row in wiring.recovery.backups.rows(UUID(backup))])
        assert ann["id"] not in {str(owner) for owner in await wiring.recovery.backups.kept_keys()}
    assert (ann["id"] in archived, ANN["email"] in archived, "Unusual" in archived) == (True, False, False)
