"""The root key is changed while the platform runs: nothing is lost, and the old key is of no use afterwards."""

import base64
import json
import os
import subprocess
import sys
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from httpx import AsyncClient

from au_sys_identity.adapters.crypto.argon2_hasher import Argon2Hasher, HashCost, Pepper
from au_sys_identity.adapters.crypto.breach_list import HashFile
from au_sys_identity.adapters.crypto.sealing import RootKey
from au_sys_identity.core.factors.totp import code_at, step_of

Start = Callable[..., AbstractAsyncContextManager[AsyncClient]]
PASSWORD = "correct horse battery staple"
OLD, NEW = (base64.b64encode(bytes(range(start, start + 32))).decode() for start in (1, 101))
TOKEN = "a bootstrap token of this test"
SCRIPT = Path(sys.executable).parent / "au-sys-identity"


def run(folder: Path, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    """The console script on the platform's database."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("FSP_", "IDENTITY_"))}
    environment |= {"FSP_DATA_DIR": str(folder), "FSP_ENVIRONMENT": "test"}
    environment |= {f"IDENTITY_{name}": value for name, value in settings.items()}
    return subprocess.run([str(SCRIPT), *arguments], capture_output=True, text=True, env=environment, check=False)


async def second_step(client: AsyncClient, method: str, code: str) -> int:
    """Sign in with password and a second factor; the status."""
    begun = await client.post("/auth/jwt/login", json={"email": "ann@example.org", "password": PASSWORD})
    body = {"mfa_token": begun.json()["mfa_token"], "method": method, "code": code}
    return (await client.post("/auth/mfa/verify", json=body)).status_code


async def bearer(client: AsyncClient, person: dict[str, str]) -> dict[str, str]:
    """Signed in."""
    login = await client.post("/auth/jwt/login", json=person)
    return {"authorization": f"Bearer {login.json()['access_token']}"}


async def test_everything_opens_with_the_new_key(start: Start, tmp_path: Path) -> None:
    """With both keys old values open; after rekey the new one is enough, and a second run finds nothing to do."""
    async with start(secret_key=OLD, bootstrap_token=TOKEN) as client:
        root = {"email": "root@example.org", "password": PASSWORD}
        await client.post("/auth/register", json={**root, "bootstrap_token": TOKEN})
        admin = await bearer(client, root)
        for days in (9, 11):
            await client.patch("/iam/recovery/config", json={"change_days": days}, headers=admin)
        assert (await client.get("/audit/heads/latest", headers=admin)).status_code == 200
        await client.post("/auth/register", json={"email": "ann@example.org", "password": PASSWORD})
        login = await client.post("/auth/jwt/login", json={"email": "ann@example.org", "password": PASSWORD})
        ann = {"authorization": f"Bearer {login.json()['access_token']}"}
        secret = base64.b32decode((await client.post("/mfa/totp", headers=ann)).json()["secret"])
        code = code_at(secret, step_of(datetime.now(UTC)) - 1)
        codes = (await client.post("/mfa/totp/confirm", headers=ann, json={"code": code})).json()
    async with start(secret_key=NEW, secret_key_previous=OLD) as client:
        assert await second_step(client, "recovery_code", codes["recovery_codes"][0]) == 200
        done = run(tmp_path, "rekey", SECRET_KEY=NEW, SECRET_KEY_PREVIOUS=OLD)
        assert done.returncode == 0, done.stderr
        sealed = json.loads(done.stdout)["sealed_anew"]
        assert {"totp_secrets", "signing_keys", "subject_keys", "audit_keys", "change_log", "settings"} <= sealed.keys()
        assert await second_step(client, "totp", code_at(secret, step_of(datetime.now(UTC)))) == 200
    again = run(tmp_path, "rekey", SECRET_KEY=NEW, SECRET_KEY_PREVIOUS=OLD)
    assert json.loads(again.stdout) == {"sealed_anew": {}}
    async with start(secret_key=NEW) as client:
        assert await second_step(client, "totp", code_at(secret, step_of(datetime.now(UTC)) + 1)) == 200
        admin = await bearer(client, root)
        changes = (await client.get("/iam/recovery/changes", headers=admin)).json()["items"]
        change = next(one for one in changes if one["summary"] == "setting.changed")
        undone = await client.post(f"/iam/recovery/rollback/{change['id']}", json={"dry_run": False}, headers=admin)
        config = await client.get("/iam/recovery/config", headers=admin)
        assert (undone.status_code, config.json()["change_days"]) == (200, 9)
        assert (await client.post("/audit/verify", headers=admin)).json()["ok"]
    lost = run(tmp_path, "rekey", SECRET_KEY=OLD)
    assert (lost.returncode, "cannot be opened" in lost.stderr) == (1, True)


async def test_the_signing_key_is_rotated_by_hand(start: Start, tmp_path: Path) -> None:
    """Tokens of the key before stay good; new ones are signed with the new key."""
    async with start(secret_key=NEW) as client:
        await client.post("/auth/register", json={"email": "ann@example.org", "password": PASSWORD})
        login = await client.post("/auth/jwt/login", json={"email": "ann@example.org", "password": PASSWORD})
        made = run(tmp_path, "rotate-signing-key", SECRET_KEY=NEW)
        assert made.returncode == 0, made.stderr
        keys = (await client.get("/.well-known/jwks.json")).json()["keys"]
        assert json.loads(made.stdout)["kid"] in {key["kid"] for key in keys}
        ann = {"authorization": f"Bearer {login.json()['access_token']}"}
        assert (await client.get("/users/me", headers=ann)).status_code == 200


def test_a_breach_list_is_built_from_sha1(tmp_path: Path) -> None:
    """Lines with and without counts; a line that is none is named and nothing is written."""
    source, target = tmp_path / "hashes.txt", tmp_path / "list.bin"
    source.write_text("5BAA61E4C9B93F3F0682250B6CF8331B7EE68FD8:9545824\n7c4a8d09ca3762af61e59520943dc26494f8941b\n")
    made = run(tmp_path, "breach-list", "build", str(source), "--output", str(target))
    assert (made.returncode, json.loads(made.stdout)["hashes"]) == (0, 2)
    held = HashFile.read(target)
    assert [held.contains(word) for word in ("password", "123456", "rain on a tin roof")] == [True, True, False]
    source.write_text("5BAA61E4C9B93F3F0682250B6CF8331B7EE68FD8\nnothing\n")
    refused = run(tmp_path, "breach-list", "build", str(source), "--output", str(tmp_path / "other.bin"))
    assert (refused.returncode, "line 2" in refused.stderr, (tmp_path / "other.bin").exists()) == (1, True, False)


@pytest.fixture
def peppered() -> Callable[..., Argon2Hasher]:
    def made(*keys: bytes, on: bool = True) -> Argon2Hasher:
        root = RootKey(keys[0], keys[1] if len(keys) > 1 else None)
        return Argon2Hasher(HashCost(8, 1), threads=1, queue=4, pepper=Pepper(root, on))

    return made


async def test_a_pepper_goes_into_the_hash(peppered: Callable[..., Argon2Hasher]) -> None:
    """The database alone verifies nothing; old hashes are renewed at sign-in; the key before still counts."""
    one, two = bytes(range(32)), bytes(range(50, 82))
    plain, with_one = peppered(one, on=False), peppered(one)
    bare, hashed = await plain.hash(PASSWORD), await with_one.hash(PASSWORD)
    assert (await with_one.verify(PASSWORD, hashed), await with_one.verify("wrong", hashed)) == (True, False)
    assert (await with_one.verify(PASSWORD, bare), with_one.outdated(bare)) == (True, True)
    assert (await plain.verify(PASSWORD, hashed), plain.outdated(hashed)) == (True, True)
    assert (with_one.outdated(hashed), plain.outdated(bare)) == (False, False)
    changed = peppered(two, one)
    assert (await changed.verify(PASSWORD, hashed), changed.outdated(hashed)) == (True, True)
    assert await peppered(two).verify(PASSWORD, hashed) is False
