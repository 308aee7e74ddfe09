"""Passkeys over HTTP: registered, used as the only step, as the second, to confirm, removed."""

import asyncio
import base64
import json
import sqlite3
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from httpx import AsyncClient, Response

from au_sys_identity.adapters.memory.authenticator import SoftwareAuthenticator

ORIGIN = "http://platform.test"
PASSWORD = "correct horse battery staple"
LOGIN = {"email": "ann@example.org", "password": PASSWORD}


class Ann:
    """A person with a program that keeps cookies, perhaps with a passkey."""

    def __init__(self, client: AsyncClient, email: str = "ann@example.org") -> None:
        self.client = client
        self.login = {**LOGIN, "email": email}
        self.headers: dict[str, str] = {}
        self.device = SoftwareAuthenticator(ORIGIN)

    async def sign_in(self) -> Response:
        return self.take(await self.client.post("/auth/jwt/login", json=self.login))

    def take(self, answer: Response) -> Response:
        if answer.status_code == 200:
            self.headers = {"authorization": f"Bearer {answer.json()['access_token']}"}
        return answer

    async def call(self, method: str, path: str, json: dict[str, Any] | None = None) -> Response:  # Any: JSON
        return await self.client.request(method, path, json=json, headers=self.headers)

    async def register(self, device: SoftwareAuthenticator | None = None, name: str = "Phone") -> Response:
        options = await self.call("POST", "/mfa/passkeys/options")
        assert options.status_code == 200, options.text
        made = (device or self.device).create(options.json())
        return await self.call("POST", "/mfa/passkeys", {"attestation": made, "name": name})

    async def ask(self, **body: str) -> dict[str, Any]:  # Any: JSON
        answer = await self.call("POST", "/auth/passkeys/options", dict(body))
        assert answer.status_code == 200, answer.text
        options: dict[str, Any] = answer.json()  # Any: JSON
        return options

    async def enter(self, device: SoftwareAuthenticator | None = None) -> Response:
        return await self.send((device or self.device).get(await self.ask()))

    async def send(self, assertion: dict[str, Any]) -> Response:  # Any: JSON
        return self.take(await self.client.post("/auth/passkeys/login", json={"assertion": assertion}))

    async def enrolled(self) -> None:
        assert (await self.register()).status_code == 201
        assert (await self.enter()).status_code == 200


@pytest.fixture
async def ann(client: AsyncClient) -> Ann:
    await client.post("/auth/register", json=LOGIN)
    person = Ann(client)
    await person.sign_in()
    return person


def slug(answer: Response) -> str:
    """The end of a problem's type."""
    return str(answer.json()["type"]).rpartition("/")[2]


async def test_a_passkey_is_the_only_step(ann: Ann) -> None:
    """Registered once it signs in without an address and as strongly as can be; its use is noted."""
    made = await ann.register()
    assert (made.status_code, made.json()["name"], made.json()["last_used_at"]) == (201, "Phone", None)
    ann.headers = {}
    entered = await ann.enter()
    assert (entered.status_code, entered.json()["strength"]) == (200, "phishing_resistant")
    assert entered.headers["cache-control"] == "no-store"
    (shown,) = (await ann.call("GET", "/mfa/passkeys")).json()["items"]
    assert shown["last_used_at"] is not None
    assert (await ann.call("GET", "/users/me")).json()["mfa"]["passkeys"] == 1
    assert (await ann.call("GET", "/auth/sessions")).json()["items"][0]["methods"] == ["passkey"]


async def test_a_passkey_is_the_second_step(ann: Ann) -> None:
    """After the password the passkey finishes the sign-in; somebody else's does not."""
    await ann.enrolled()
    bob = Ann(ann.client, "bob@example.org")
    await ann.client.post("/auth/register", json=bob.login)
    await bob.sign_in()
    assert (await bob.register()).status_code == 201
    challenged = await ann.sign_in()
    assert (slug(challenged), challenged.json()["methods"]) == ("mfa-required", ["passkey"])
    token = challenged.json()["mfa_token"]

    async def finish(device: SoftwareAuthenticator) -> Response:
        options = await ann.ask(purpose="second-step", mfa_token=token)
        assert [known["id"] for known in options["allowCredentials"]] == [ann.device.get(options)["id"]]
        body = {"mfa_token": token, "method": "passkey", "assertion": device.get(options)}
        return await ann.client.post("/auth/mfa/verify", json=body)

    assert (await finish(bob.device)).status_code == 401
    entered = await finish(ann.device)
    assert (entered.status_code, entered.json()["strength"]) == (200, "phishing_resistant")
    missing = await ann.client.post("/auth/mfa/verify", json={"mfa_token": token, "method": "passkey"})
    assert missing.status_code == 422


async def test_a_passkey_confirms(ann: Ann) -> None:
    """A session from before the passkey is weak; confirming with it makes it as strong as can be."""
    assert (await ann.register()).status_code == 201
    weak = await ann.call("POST", "/mfa/passkeys/options")
    assert (weak.status_code, slug(weak)) == (403, "weak-session")
    options = await ann.ask(purpose="step-up")
    stepped = await ann.call("POST", "/auth/step-up", {"method": "passkey", "assertion": ann.device.get(options)})
    assert (stepped.status_code, stepped.json()["strength"]) == (200, "phishing_resistant")
    ann.take(stepped)
    assert (await ann.call("POST", "/mfa/passkeys/options")).status_code == 200
    ann.headers = {}
    nobody = await ann.call("POST", "/auth/passkeys/options", {"purpose": "step-up"})
    assert nobody.status_code == 403


async def test_passkeys_are_named_and_removed(ann: Ann) -> None:
    """Several, each with its name; a removed one signs nobody in; somebody else's cannot be touched."""
    await ann.enrolled()
    second = SoftwareAuthenticator(ORIGIN)
    assert (await ann.register(second, "Key")).status_code == 201
    items = (await ann.call("GET", "/mfa/passkeys")).json()["items"]
    assert [item["name"] for item in items] == ["Phone", "Key"]
    renamed = await ann.call("PATCH", f"/mfa/passkeys/{items[1]['id']}", {"name": "Blue key"})
    assert renamed.json()["name"] == "Blue key"
    bad = await ann.call("PATCH", f"/mfa/passkeys/{items[1]['id']}", {"name": "a\nb"})
    assert bad.status_code == 422
    bob = Ann(ann.client, "bob@example.org")
    await ann.client.post("/auth/register", json=bob.login)
    await bob.sign_in()
    assert (await bob.call("DELETE", f"/mfa/passkeys/{items[1]['id']}")).status_code == 404
    assert (await bob.call("PATCH", f"/mfa/passkeys/{items[1]['id']}", {"name": "x"})).status_code == 404
    assert (await ann.call("DELETE", f"/mfa/passkeys/{items[1]['id']}")).status_code == 204
    assert (await ann.enter(second)).status_code == 401
    assert (await ann.call("DELETE", f"/mfa/passkeys/{items[0]['id']}")).status_code == 204
    assert (await ann.sign_in()).status_code == 200


async def test_recovery_codes_bridge_a_lost_passkey(ann: Ann) -> None:
    """With a passkey there may be codes; one finishes the sign-in; they go with the last factor."""
    await ann.enrolled()
    codes = (await ann.call("POST", "/mfa/recovery-codes")).json()["recovery_codes"]
    challenged = (await ann.sign_in()).json()
    assert challenged["methods"] == ["passkey", "recovery_code"]
    body = {"mfa_token": challenged["mfa_token"], "method": "recovery_code", "code": codes[0]}
    assert (await ann.client.post("/auth/mfa/verify", json=body)).json()["strength"] == "multi"
    passkey = (await ann.call("GET", "/mfa/passkeys")).json()["items"][0]["id"]
    assert (await ann.call("DELETE", f"/mfa/passkeys/{passkey}")).status_code == 204
    assert (await ann.call("GET", "/mfa/recovery-codes")).json() == {"left": 0}


async def test_a_passkey_belongs_to_one_account(ann: Ann) -> None:
    """The same credential id is a conflict, whoever brings it."""
    assert (await ann.register()).status_code == 201
    bob = Ann(ann.client, "bob@example.org")
    await ann.client.post("/auth/register", json=bob.login)
    await bob.sign_in()
    again = await bob.register(replace(ann.device))
    assert (again.status_code, slug(again)) == (409, "conflict")


BENT: dict[str, dict[str, Any]] = {  # Any: any field of the authenticator
    "suffix origin": {"origin": "http://platform.test.evil.example"},
    "other scheme": {"origin": "https://platform.test"},
    "other port": {"origin": "http://platform.test:8080"},
    "cross-origin frame": {"client_data": {"crossOrigin": True}},
    "top origin": {"client_data": {"topOrigin": "https://evil.example"}},
    "other ceremony": {"client_data": {"type": "webauthn.payment"}},
    "no user verification": {"verifies": False},
    "backup flag turned": {"eligible": True},
    "backed up and not eligible": {"backed_up": True},
    "counter back": {"sign_count": 4},
    "counter stands": {"sign_count": 5},
    "another's handle": {"user_handle": b"0" * 16},
    "no handle": {"user_handle": b""},
    "another credential": {"credential_id": b"unknown"},
}


_NOBODYS = ("another credential", "cross-origin frame", "top origin")  # refused before the passkey is looked up


@pytest.mark.parametrize("name", sorted(BENT))
async def test_bent_assertions_are_refused(ann: Ann, name: str, tmp_path: Path) -> None:
    """Each gets the one answer, and an event where it is somebody's passkey; the honest one passes after it."""
    ann.device.sign_count = 5
    await ann.register()
    ann.headers = {}
    refused = await ann.enter(replace(ann.device, **BENT[name]))
    assert (refused.status_code, slug(refused)) == (401, "bad-credentials")
    with sqlite3.connect(tmp_path / "identity.db") as database:
        events = [json.loads(body)["action"] for (body,) in database.execute("SELECT body FROM audit_events")]
    assert ("session.refused" in events, "factor.suspected" in events) == (True, name not in _NOBODYS)
    ann.device.sign_count = 6
    assert (await ann.enter()).status_code == 200


@pytest.mark.parametrize(
    "bend",
    [
        {"origin": "https://evil.example"},
        {"verifies": False},
        {"algorithm": -65535},
        {"client_data": {"crossOrigin": True}},
        {"backed_up": True},
    ],
)
async def test_bent_registrations_are_refused(ann: Ann, bend: dict[str, Any]) -> None:  # Any: any field
    """Another origin, no user verification, an algorithm that was not offered: nothing is kept."""
    refused = await ann.register(replace(ann.device, **bend))
    assert (refused.status_code, slug(refused)) == (401, "bad-credentials")
    assert (await ann.call("GET", "/mfa/passkeys")).json()["items"] == []


async def test_a_challenge_counts_once_and_in_its_flow(ann: Ann) -> None:
    """Of ten that send the same answer at once one gets in; another browser's flow, purpose or a made-up one fails."""
    await ann.register()
    ann.headers = {}
    assertion = ann.device.get(await ann.ask())
    answers = await asyncio.gather(*(ann.send(assertion) for _ in range(10)))
    assert sorted(answer.status_code for answer in answers) == [200] + [401] * 9
    kept = ann.device.get(await ann.ask())
    ann.client.cookies.clear()
    assert (await ann.send(kept)).status_code == 401
    for_step_up = await ann.ask(purpose="step-up")
    assert (await ann.send(ann.device.get(for_step_up))).status_code == 401
    made_up = {"rpId": "platform.test", "challenge": base64.urlsafe_b64encode(b"x" * 72).decode()}
    assert (await ann.send(ann.device.get(made_up))).status_code == 401


@pytest.mark.parametrize("assertion", [{}, {"response": {}}, {"rawId": 1, "response": {"clientDataJSON": "e30"}}])
async def test_garbage_is_refused(ann: Ann, assertion: dict[str, Any]) -> None:  # Any: JSON
    """What is no assertion at all gets the same answer."""
    assert (await ann.send(assertion)).status_code == 401
    made = await ann.call("POST", "/mfa/passkeys", {"attestation": assertion, "name": "x"})
    assert made.status_code == 401


async def test_options_tell_nobody_who_has_an_account(ann: Ann) -> None:
    """Unknown addresses, and accounts without passkeys, get invented ids that stay the same."""
    await ann.register()
    ann.headers = {}

    async def ids(email: str) -> list[str]:
        return [known["id"] for known in (await ann.ask(email=email))["allowCredentials"]]

    await ann.client.post("/auth/register", json={**LOGIN, "email": "bob@example.org"})
    real, unknown, without = await ids("ANN@example.org"), await ids("x@example.org"), await ids("bob@example.org")
    assert await ids("x@example.org") == unknown
    assert await ids("bob@example.org") == without
    assert len({*real, *unknown, *without}) == 3
    assert {len(one) for one in (*real, *unknown, *without)} == {43}


async def test_a_disabled_person_stays_out(ann: Ann) -> None:
    """The passkey of somebody who closed the account is worth nothing."""
    await ann.enrolled()
    assertion = ann.device.get(await ann.ask())
    assert (await ann.call("DELETE", "/users/me")).status_code == 204
    assert (await ann.send(assertion)).status_code == 401
