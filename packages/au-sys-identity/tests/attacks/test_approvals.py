"""Approval of the exact act (attack 31): it works for what was seen, once, while it lasts, and for nothing else."""

import asyncio
import json
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from httpx import AsyncClient

from au_sys_identity.adapters.memory.authenticator import SoftwareAuthenticator
from au_sys_identity.conformance.machine_world import BOOTSTRAP, MachineWorld, sign, slug

Start = Callable[..., AbstractAsyncContextManager[AsyncClient]]
ACCOUNTS = "/iam/service-accounts"


def device() -> SoftwareAuthenticator:
    return SoftwareAuthenticator("http://platform.test")


@pytest.fixture
async def world(start: Start) -> AsyncIterator[MachineWorld]:
    """The machine needs an approval for every change; its custodian has a passkey."""
    async with start(bootstrap_token=BOOTSTRAP) as client:
        made = await MachineWorld.made(client, device)
        await made.proves("human_delegated", "changes")
        await made.enrol(made.ann)
        yield made


def body_of(world: MachineWorld, name: str = "Night shift") -> dict[str, Any]:  # Any: JSON
    return {"name": name, "purpose": "Made with approval", "custodian": world.ann.id}


async def test_the_act_that_was_seen_is_done_once(world: MachineWorld) -> None:
    """Refused, asked for, signed, done; a second time it is refused, and the receipt of the log names the hash."""
    body = body_of(world)
    refused = await world.act("POST", ACCOUNTS, json=body)
    assert (refused.status_code, slug(refused)) == (403, "approval-required")
    assert (len(refused.json()["act_hash"]), refused.json()["request_url"]) == (64, "/mfa/delegated/request")
    asked = await world.ask("POST", ACCOUNTS, arguments=body, summary="A helper")
    assert (asked["state"], asked["arguments"], asked["addressed_to"]) == (
        "pending",
        body,
        [f"urn:au:user:{world.ann.id}"],
    )
    early = await world.act("POST", ACCOUNTS, asked["id"], json=body)
    assert (early.status_code, slug(early)) == (403, "approval-refused")
    approved = await world.approve(world.ann, asked)
    assert (approved.status_code, approved.json()["state"], approved.json()["signed"]) == (200, "approved", True)
    done = await world.act("POST", ACCOUNTS, asked["id"], json=body)
    assert (done.status_code, done.json()["name"]) == (201, "Night shift")
    again = await world.act("POST", ACCOUNTS, asked["id"], json=body)
    assert (again.status_code, slug(again)) == (403, "approval-refused")
    shown = await world.ok("GET", f"/mfa/delegated/{asked['id']}", world.key)
    assert shown["state"] == "used"


async def test_another_spelling_of_the_same_body_is_the_same_act(world: MachineWorld) -> None:
    """Order of keys and blanks do not matter; a key that comes twice does."""
    asked = await world.ask("POST", ACCOUNTS, arguments=body_of(world, "Same"))
    assert (await world.approve(world.ann, asked)).status_code == 200
    twice = f'{{"name": "Other", "name": "Same", "purpose": "Made with approval", "custodian": "{world.ann.id}"}}'
    json_type = {"content-type": "application/json"}
    doubled = await world.act("POST", ACCOUNTS, asked["id"], content=twice, headers=json_type)
    assert slug(doubled) == "approval-refused"
    spelled = f'{{ "purpose":"Made with approval",\n "custodian": "{world.ann.id}", "name": "S\\u0061me"}}'
    done = await world.act("POST", ACCOUNTS, asked["id"], content=spelled, headers=json_type)
    assert done.status_code == 201, done.text


async def test_every_change_of_the_act_is_refused(world: MachineWorld) -> None:
    """Other arguments, method, path, query, machine or body type: refused, and the approval stays good for its act."""
    body = body_of(world)
    asked = await world.ask("POST", ACCOUNTS, arguments=body)
    assert (await world.approve(world.ann, asked)).status_code == 200
    own = f"{ACCOUNTS}/{world.machine}"
    attempts: list[tuple[str, str, dict[str, Any]]] = [  # Any: JSON
        ("POST", ACCOUNTS, {"json": {**body, "purpose": "Made with approval."}}),
        ("POST", ACCOUNTS, {"json": {**body, "custodian": None}}),
        ("POST", f"{ACCOUNTS}?x=", {"json": body}),
        ("PATCH", own, {"json": body}),
        ("PUT", ACCOUNTS, {"json": body}),
        ("POST", f"{own}/keys", {"json": body}),
        ("POST", ACCOUNTS, {"json": body, "headers": {"content-type": "text/plain"}}),
        ("POST", ACCOUNTS, {}),
    ]
    for method, path, more in attempts:
        answer = await world.act(method, path, asked["id"], **more)
        assert answer.status_code in (403, 405), (method, path, answer.text)
        assert answer.status_code == 405 or slug(answer) == "approval-refused", (method, path, answer.text)
    other = await world.new_key()
    stranger = await world.ok(
        "POST", ACCOUNTS, world.admin.headers, {"name": "Other", "purpose": "Other", "custodian": world.ann.id}
    )
    key = await world.ok("POST", f"{ACCOUNTS}/{stranger['id']}/keys", world.admin.headers, _key_body())
    foreign = await world.api.post(ACCOUNTS, headers={"x-api-key": key["secret"], "x-approval": asked["id"]}, json=body)
    assert slug(foreign) == "approval-refused"
    for wrong in (str(uuid4()), "none", f"{asked['id']}0"):
        assert slug(await world.act("POST", ACCOUNTS, wrong, json=body)) == "approval-refused"
    same = {"x-api-key": other["secret"], "x-approval": asked["id"]}
    assert (await world.api.post(ACCOUNTS, headers=same, json=body)).status_code == 201


def _key_body() -> dict[str, Any]:  # Any: JSON
    return {"name": "Night", "scopes": ["identity.*"]}


async def test_who_answers_for_it_decides_and_nobody_else(world: MachineWorld) -> None:
    """Not the machine, not a stranger, not an administrator, not a former custodian; the new one may."""
    asked = await world.ask("POST", ACCOUNTS, arguments=body_of(world))
    await world.enrol(world.bob)
    body = {"approval_id": asked["id"], "decision": "approve", "act_hash": asked["act_hash"]}
    itself = await world.api.post("/mfa/delegated/approve", headers=world.key, json=body)
    assert slug(itself) in ("human-only", "approval-required")
    for person in (world.bob, world.admin):
        refused = await world.approve(person, asked)
        assert (refused.status_code, slug(refused)) in ((404, "not-found"), (403, "not-custodian")), refused.text
        assert (await world.api.get(f"/mfa/delegated/{asked['id']}", headers=person.headers)).status_code == 404
    await world.ok("PATCH", f"/users/{world.ann.id}", world.admin.headers, {"is_active": False})
    gone = await world.approve(world.ann, asked)
    assert gone.status_code == 401


async def test_the_decision_names_the_act_and_is_signed(world: MachineWorld) -> None:
    """Another hash, a signature over another hash, somebody else's passkey, a used one: refused; decided once."""
    asked = await world.ask("POST", ACCOUNTS, arguments=body_of(world))
    other = await world.ask("POST", ACCOUNTS, arguments=body_of(world, "Other"))
    mismatch = await world.approve(world.ann, {**asked, "act_hash": other["act_hash"]})
    assert (mismatch.status_code, slug(mismatch)) == (409, "act-mismatch")
    foreign = await world.approve(world.ann, asked, assertion=sign(world.ann.device, other["act_hash"]))
    assert (foreign.status_code, slug(foreign)) == (401, "bad-credentials")
    await world.enrol(world.bob)
    stolen = await world.approve(world.ann, asked, assertion=sign(world.bob.device, asked["act_hash"]))
    assert slug(stolen) == "bad-credentials"
    bent = SoftwareAuthenticator("http://evil.test")
    bent.credential_id, bent.key = world.ann.device.credential_id, world.ann.device.key  # type: ignore[attr-defined]  # it is ours
    elsewhere = await world.approve(world.ann, asked, assertion=sign(bent, asked["act_hash"]))
    assert slug(elsewhere) == "bad-credentials"
    decided = await asyncio.gather(*(world.approve(world.ann, asked) for _ in range(4)))
    assert sorted(answer.status_code for answer in decided) == [200, 409, 409, 409]
    assert {slug(answer) for answer in decided if answer.status_code == 409} == {"already-decided"}


async def test_an_irreversible_act_is_signed_and_its_arguments_are_seen(world: MachineWorld) -> None:
    """Without a passkey 422; hidden arguments are not even asked for; a denied or withdrawn act is not done."""
    spare = await world.new_key()
    path = f"/auth/api-keys/{spare['id']}"
    asked = await world.ask("DELETE", path)
    assert asked["reversibility"] == "irreversible"
    unsigned = await world.approve(world.ann, asked, signed=False)
    assert (unsigned.status_code, slug(unsigned)) == (422, "signature-required")
    hidden = {"method": "DELETE", "path": path, "reason": "x", "body_sha256": "0" * 64}
    refused = await world.api.post("/mfa/delegated/request", headers=world.key, json=hidden)
    assert (refused.status_code, slug(refused)) == (422, "invalid-input")
    denial = {"approval_id": asked["id"], "decision": "deny", "act_hash": asked["act_hash"], "note": "Why?"}
    denied = await world.ok("POST", "/mfa/delegated/approve", world.ann.headers, denial)
    assert (denied["state"], denied["note"], denied["signed"]) == ("denied", "Why?", False)
    assert slug(await world.act("DELETE", path, asked["id"])) == "approval-refused"
    taken_back = await world.ask("DELETE", path)
    gone = await world.api.delete(f"/mfa/delegated/{taken_back['id']}", headers=world.key)
    assert gone.status_code == 204
    assert slug(await world.approve(world.ann, taken_back)) == "already-decided"


async def test_a_machine_asks_only_so_often(world: MachineWorld) -> None:
    """Ten may wait; the eleventh is 429 with the time to wait."""
    for number in range(10):
        await world.ask("POST", ACCOUNTS, arguments=body_of(world, f"Helper {number}"))
    body = {"method": "POST", "path": ACCOUNTS, "reason": "x", "arguments": {}}
    refused = await world.api.post("/mfa/delegated/request", headers=world.key, json=body)
    assert (refused.status_code, slug(refused)) == (429, "too-many-requests")
    assert int(refused.headers["retry-after"]) > 0


@pytest.mark.parametrize(
    "body",
    [
        {"method": "POST", "path": "/nowhere", "reason": "x"},
        {"method": "BREW", "path": ACCOUNTS, "reason": "x"},
        {"method": "POST", "path": ACCOUNTS, "reason": ""},
        {"method": "POST", "path": "https://elsewhere.test/", "reason": "x"},
        {"method": "POST", "path": ACCOUNTS, "reason": "x", "arguments": {"a": 2**60}},
        {"method": "POST", "path": ACCOUNTS, "reason": "x", "arguments": {}, "body_sha256": "0" * 64},
        {"method": "POST", "path": ACCOUNTS, "reason": "x", "body_sha256": "zz"},
        {"method": "POST", "path": ACCOUNTS, "reason": "x\u0000"},
        {"method": "POST", "path": ACCOUNTS, "reason": "x", "extra": 1},
        {"method": "POST", "path": ACCOUNTS, "reason": "x", "arguments": {"a": "y" * 66_000}},
    ],
)
async def test_what_is_no_act_is_not_asked(world: MachineWorld, body: dict[str, Any]) -> None:  # Any: JSON
    """422 with the field, or 413."""
    answer = await world.api.post("/mfa/delegated/request", headers=world.key, json=body)
    assert answer.status_code in (413, 422), answer.text
    person = await world.api.post("/mfa/delegated/request", headers=world.ann.headers, json=body)
    assert person.status_code in (403, 413, 422)


async def test_time_runs_out(start: Start) -> None:
    """What nobody decides in time is over; what is approved and not used in time, too."""
    async with start(bootstrap_token=BOOTSTRAP, approval_use_ttl=5) as client:
        world = await MachineWorld.made(client, device)
        await world.proves("human_delegated", "changes")
        await world.enrol(world.ann)
        body = body_of(world)
        asked = await world.ask("POST", ACCOUNTS, arguments=body)
        assert (await world.approve(world.ann, asked)).status_code == 200
        path = f"/mfa/delegated/{asked['id']}"
        for _ in range(300):
            if (await world.ok("GET", path, world.key))["state"] == "expired":
                break
            await asyncio.sleep(0.1)
        assert slug(await world.act("POST", ACCOUNTS, asked["id"], json=body)) == "approval-refused"


async def test_the_receipt_is_checked_offline(world: MachineWorld, tmp_path: Path) -> None:
    """In a process of its own that loads no platform: sound as it is, and with a changed act it is named."""
    body = body_of(world)
    asked = await world.ask("POST", ACCOUNTS, arguments=body)
    early = await world.api.get(f"/mfa/delegated/{asked['id']}/receipt", headers=world.key)
    assert (early.status_code, slug(early)) == (404, "not-found")
    assert (await world.approve(world.ann, asked)).status_code == 200
    assert (await world.act("POST", ACCOUNTS, asked["id"], json=body)).status_code == 201
    path = f"/mfa/delegated/{asked['id']}/receipt"
    receipts = [await world.ok("GET", path, headers) for headers in (world.key, world.ann.headers, world.admin.headers)]
    assert (await world.api.get(path, headers=world.bob.headers)).status_code == 404
    receipt = receipts[0]
    assert [receipt["assertion"] is None, receipt["audit"] is None] == [False, False]
    assert json.loads(receipt["act"])["approval_id"] == asked["id"]
    bent = {**receipt, "act": receipt["act"].replace('"POST"', '"PUT"')}
    for document, code, words in (
        (receipt, 0, "sound"),
        (bent, 1, "the act is not the one"),
        ({"a": 1}, 1, "malformed"),
    ):
        file = tmp_path / "receipt.json"
        file.write_text(json.dumps(document))
        command = [sys.executable, "-X", "importtime", "-m", "au_sys_identity.verify", "receipt", str(file)]
        checked = await asyncio.to_thread(subprocess.run, command, capture_output=True, text=True, check=False)
        assert (checked.returncode, words in checked.stdout) == (code, True), (checked.stdout, checked.stderr[-500:])
        loaded = {line.rpartition("|")[2].strip().partition(".")[0] for line in checked.stderr.splitlines()}
        assert not loaded & {"fastapi", "starlette", "sqlalchemy", "fastapi_services_platform", "pydantic", "rfc8785"}
