"""Weak stays weak: what protects an account is not changed from a session weaker than what the account has."""

import base64
import re
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

import pytest
from httpx import AsyncClient, Response

from au_sys_identity.adapters.memory.authenticator import SoftwareAuthenticator
from au_sys_identity.core.factors.totp import code_at, step_of

Start = Callable[..., AbstractAsyncContextManager[AsyncClient]]
PASSWORD = "correct horse battery staple"
LOGIN = {"email": "ann@example.org", "password": PASSWORD}
ORIGIN = "http://platform.test"
NOWHERE = "00000000-0000-7000-8000-000000000000"
BODIES: dict[str, dict[str, Any]] = {  # Any: JSON
    "confirm_totp": {"code": "000000"},
    "register_passkey": {"attestation": {}, "name": "x"},
    "rename_passkey": {"name": "x"},
    "create_api_key": {"name": "x", "scopes": []},
    "change_me": {"password": "another fine sentence", "current_password": PASSWORD},
}
LOOKS_ONLY = {"count_recovery_codes", "list_passkeys", "reset_mfa"}
"""Reads one's own, or asks for a permission: step-up, tested with administration."""


class Ann:
    """A person with password, app and passkey, and one session of each strength from before and after."""

    def __init__(self, client: AsyncClient, outbox: Path) -> None:
        self.client = client
        self.outbox = outbox
        self.device = SoftwareAuthenticator(ORIGIN)
        self.sessions: dict[str, dict[str, str]] = {}

    async def post(self, path: str, headers: dict[str, str] | None = None, **json: object) -> Response:
        return await self.client.post(path, json=json, headers=headers)

    async def keep(self, answer: Response) -> dict[str, str]:
        tokens = answer.json()
        headers = {"authorization": f"Bearer {tokens['access_token']}"}
        self.sessions.setdefault(tokens["strength"], headers)
        return headers

    async def by_mail(self) -> None:
        await self.post("/auth/magic-link/request", email=LOGIN["email"])
        app = self.client._transport.app  # type: ignore[attr-defined]  # the transport of the testing kit holds the app
        await app.platform.inventory.find("identity").capability._wiring.delivery.run()
        (file,) = self.outbox.glob("*.eml")
        body = message_from_bytes(file.read_bytes(), policy=policy.default).get_body(("plain",))
        assert body is not None
        found = re.search(r"/magic#token=(\S+)", str(body.get_content()))
        assert found
        await self.keep(await self.post("/auth/magic-link/login", token=found.group(1)))

    async def build(self) -> None:
        await self.post("/auth/register", None, **LOGIN)
        await self.by_mail()
        headers = await self.keep(await self.post("/auth/jwt/login", None, **LOGIN))
        secret = base64.b32decode((await self.post("/mfa/totp", headers)).json()["secret"])
        step = step_of(datetime.now(UTC))
        assert (await self.post("/mfa/totp/confirm", headers, code=code_at(secret, step - 1))).status_code == 200
        token = (await self.post("/auth/jwt/login", None, **LOGIN)).json()["mfa_token"]
        code = code_at(secret, step_of(datetime.now(UTC)))
        headers = await self.keep(await self.post("/auth/mfa/verify", mfa_token=token, method="totp", code=code))
        made = self.device.create((await self.post("/mfa/passkeys/options", headers)).json())
        assert (await self.post("/mfa/passkeys", headers, attestation=made, name="Phone")).status_code == 201
        assertion = self.device.get((await self.post("/auth/passkeys/options")).json())
        await self.keep(await self.post("/auth/passkeys/login", assertion=assertion))

    def acts(self) -> list[tuple[str, str, str]]:
        """Every operation on one's own factors, keys and password, from the running app."""
        app = self.client._transport.app  # type: ignore[attr-defined]  # the transport of the testing kit holds the app
        found = [("change_me", "PATCH", "/users/me"), ("create_api_key", "POST", "/auth/api-keys/")]
        for path, operations in app.openapi()["paths"].items():
            for method, operation in operations.items():
                name = operation.get("operationId", "")
                if path.startswith("/mfa/") and "/delegated" not in path and name not in LOOKS_ONLY:
                    found.append((name, method.upper(), re.sub(r"{[^}]+}", NOWHERE, path)))
        return found


@pytest.fixture
async def ann(start: Start, tmp_path: Path) -> AsyncIterator[Ann]:
    async with start() as client:
        person = Ann(client, tmp_path / "outbox")
        await person.build()
        yield person


async def test_every_protected_act_from_every_weaker_session(ann: Ann) -> None:
    """Sessions by mail, by password and in two steps are refused by each act; the one with the passkey is not."""
    assert list(ann.sessions) == ["mail", "password", "multi", "phishing_resistant"]
    acts = ann.acts()
    assert len(acts) >= 9
    wrong: list[str] = []
    for strength in ("mail", "password", "multi"):
        for name, method, path in acts:
            headers = ann.sessions[strength]
            answer = await ann.client.request(method, path, json=BODIES.get(name), headers=headers)
            slug = answer.json()["type"].rpartition("/")[2] if answer.status_code >= 400 else ""
            if (answer.status_code, slug) != (403, "weak-session"):
                wrong.append(f"{strength}: {method} {path} {answer.status_code} {slug}")
    assert wrong == []
    strong = ann.sessions["phishing_resistant"]
    assert (await ann.post("/mfa/recovery-codes", strong)).status_code == 201
    assert (await ann.post("/auth/api-keys/", strong, name="x", scopes=[])).status_code in (201, 422)
