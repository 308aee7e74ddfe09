"""Sessions that may do one thing only: a second factor is required and missing."""

import base64
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from httpx import AsyncClient

from au_sys_identity.core.accounts.registration import NewPerson
from au_sys_identity.core.factors.totp import code_at, step_of
from au_sys_identity.manifest.operator import Operator
from fastapi_services_platform import PlatformSettings

Start = Callable[..., AbstractAsyncContextManager[AsyncClient]]
PASSWORD = "correct horse battery staple"
HTML = {"accept": "text/html"}


async def sign_in(client: AsyncClient, email: str) -> dict[str, str]:
    """The header of a fresh session."""
    answer = await client.post("/auth/jwt/login", json={"email": email, "password": PASSWORD})
    assert answer.status_code == 200
    return {"authorization": f"Bearer {answer.json()['access_token']}"}


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/users/me", 200),
        ("GET", "/auth/sessions", 200),
        ("GET", "/mfa/passkeys", 200),
        ("PATCH", "/users/me", 403),
        ("GET", "/auth/api-keys/", 403),
        ("GET", "/auth/devices", 403),
        ("GET", "/users/me/notices", 403),
    ],
)
async def test_before_the_enrolment_nothing_else_goes(start: Start, method: str, path: str, status: int) -> None:
    """The session sees itself and may enrol; the rest is refused with the reason."""
    async with start(mfa_required="all") as client:
        await client.post("/auth/register", json={"email": "ann@example.org", "password": PASSWORD})
        ann = await sign_in(client, "ann@example.org")
        answer = await client.request(method, path, headers=ann, json={} if method == "PATCH" else None)
        assert answer.status_code == status
        if status == 403:
            assert answer.json()["type"].endswith("/identity/enrolment-required")


async def test_enrolling_lifts_the_limit(start: Start) -> None:
    """With an authenticator app the same session goes on."""
    async with start(mfa_required="all") as client:
        await client.post("/auth/register", json={"email": "ann@example.org", "password": PASSWORD})
        ann = await sign_in(client, "ann@example.org")
        begun = (await client.post("/mfa/totp", headers=ann)).json()
        code = code_at(base64.b32decode(begun["secret"]), step_of(datetime.now(UTC)))
        assert (await client.post("/mfa/totp/confirm", headers=ann, json={"code": code})).status_code == 200
        assert (await client.get("/auth/devices", headers=ann)).status_code == 200


async def test_a_browser_is_led_to_the_enrolment(start: Start) -> None:
    """Any page sends it to the security page, which says why."""
    async with start(mfa_required="all") as client:
        await client.post("/auth/register", json={"email": "ann@example.org", "password": PASSWORD})
        await client.post("/login", data={"email": "ann@example.org", "password": PASSWORD})
        led = await client.get("/account/profile", headers=HTML, follow_redirects=True)
        assert led.url.path == "/account/security"
        assert "A second factor is asked of your account" in led.text


async def test_only_administrators_where_it_is_asked_of_them(start: Start, tmp_path: Path) -> None:
    """With admins everybody else goes on as before; the setting changes while the platform runs."""
    async with start(mfa_required="admins") as client:
        operator = Operator(PlatformSettings(environment="test", data_dir=tmp_path, public_url="http://platform.test"))
        await operator.create_admin(NewPerson("admin@example.org"), PASSWORD)
        await client.post("/auth/register", json={"email": "ann@example.org", "password": PASSWORD})
        ann, admin = await sign_in(client, "ann@example.org"), await sign_in(client, "admin@example.org")
        assert (await client.get("/auth/devices", headers=ann)).status_code == 200
        assert (await client.get("/auth/devices", headers=admin)).status_code == 403
