"""The first administrator over HTTP."""

import asyncio
import base64
import stat
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest
from httpx import AsyncClient, Response
from pydantic import SecretStr, ValidationError

from au_sys_identity.manifest.config import IdentitySettings

Start = Callable[..., AbstractAsyncContextManager[AsyncClient]]
PASSWORD = "correct horse battery staple"
TOKEN = "a token that the operator chose"


async def claim(client: AsyncClient, token: str, name: str = "ann") -> Response:
    """Register with the token."""
    body = {"email": f"{name}@example.org", "password": PASSWORD, "bootstrap_token": token}
    return await client.post("/auth/register", json=body)


def slug(answer: Response) -> str:
    """The end of a problem's type."""
    return str(answer.json()["type"]).rpartition("/")[2]


async def test_of_fifty_bootstraps_at_once_one_wins(start: Start) -> None:
    """One person is the administrator, at once and verified; the token is dead for ever."""
    async with start(registration="closed", bootstrap_token=TOKEN) as client:
        answers = []
        for wave in range(5):  # ten at a time: the queue of a small machine refuses more as busy
            answers += await asyncio.gather(*(claim(client, TOKEN, f"p{wave}-{n}") for n in range(10)))
        assert sorted(answer.status_code for answer in answers) == [201] + [403] * 49
        (won,) = [answer.json() for answer in answers if answer.status_code == 201]
        assert (won["is_superuser"], won["is_verified"], won["must_change_password"]) == (True, True, False)
        signed_in = await client.post("/auth/jwt/login", json={"email": won["email"], "password": PASSWORD})
        assert signed_in.status_code == 200
        late = await claim(client, TOKEN, "late")
        assert (late.status_code, slug(late)) == (403, "bootstrap-closed")
    async with start(registration="closed", bootstrap_token=TOKEN) as client:
        assert (await claim(client, TOKEN, "later")).status_code == 403


async def test_without_a_setting_the_token_is_in_a_file(start: Start, tmp_path: Path) -> None:
    """Only its owner reads it; a wrong token is refused, a weak password leaves it good, its use removes it."""
    file = tmp_path / "identity.bootstrap-token"
    async with start() as client:
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert (await claim(client, base64.b64encode(b"x" * 32).decode())).status_code == 403
        assert (await claim(client, "")).status_code == 403
        token = file.read_text(encoding="ascii").strip()
        weak = {"email": "ann@example.org", "password": "short", "bootstrap_token": token}
        assert (await client.post("/auth/register", json=weak)).status_code == 422
        assert (await claim(client, token)).status_code == 201
        assert not file.exists()
        assert (await claim(client, token, "eve")).status_code == 403


def test_a_short_token_is_refused() -> None:
    """What can be guessed stops the start, and is not shown."""
    with pytest.raises(ValidationError) as refused:
        IdentitySettings(bootstrap_token=SecretStr("guess me"))
    assert "guess me" not in str(refused.value)
