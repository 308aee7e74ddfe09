"""Sign-in by a link in a mail, over HTTP."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from email import message_from_bytes, policy
from pathlib import Path

import pytest
from httpx import AsyncClient, Response

from au_sys_identity.adapters.memory.authenticator import SoftwareAuthenticator

Start = Callable[..., AbstractAsyncContextManager[AsyncClient]]
PASSWORD = "correct horse battery staple"
LOGIN = {"email": "ann@example.org", "password": PASSWORD}


class Mailbox:
    """Ann's browser, and the folder that letters go to."""

    def __init__(self, client: AsyncClient, folder: Path) -> None:
        self.client = client
        self.folder = folder

    async def post(self, path: str, **json: object) -> Response:
        return await self.client.post(path, json=json)

    async def tokens(self) -> list[str]:
        """The tokens of the letters that are sent now."""
        app = self.client._transport.app  # type: ignore[attr-defined]  # the transport of the testing kit holds the app
        await app.platform.inventory.find("identity").capability._wiring.delivery.run()
        found = []
        for file in sorted(self.folder.glob("*.eml")):
            body = message_from_bytes(file.read_bytes(), policy=policy.default).get_body(("plain",))
            assert body is not None
            found += re.findall(r"http://platform\.test/magic#token=(\S+)", str(body.get_content()))
            file.unlink()
        return found

    async def asked(self) -> str:
        answer = await self.post("/auth/magic-link/request", email="ann@example.org")
        assert answer.status_code == 202
        (token,) = await self.tokens()
        return token

    async def enter(self, token: str, **more: object) -> Response:
        return await self.post("/auth/magic-link/login", token=token, **more)


@pytest.fixture
async def ann(start: Start, tmp_path: Path) -> AsyncIterator[Mailbox]:
    async with start() as client:
        await client.post("/auth/register", json=LOGIN)
        yield Mailbox(client, tmp_path / "outbox")


def slug(answer: Response) -> str:
    """The end of a problem's type."""
    return str(answer.json()["type"]).rpartition("/")[2]


async def test_a_link_signs_in_once_and_weakly(ann: Mailbox) -> None:
    """Of ten uses at once one wins; the session may look and not change how the account is protected."""
    token = await ann.asked()
    answers = await asyncio.gather(*(ann.enter(token) for _ in range(10)))
    assert sorted(answer.status_code for answer in answers) == [200] + [400] * 9
    (won,) = [answer.json() for answer in answers if answer.status_code == 200]
    assert won["strength"] == "mail"
    headers = {"authorization": f"Bearer {won['access_token']}"}
    assert (await ann.client.get("/users/me", headers=headers)).status_code == 200
    weak = await ann.client.post("/mfa/totp", headers=headers)
    assert (weak.status_code, slug(weak)) == (403, "weak-session")
    stronger = {"method": "password", "password": PASSWORD}
    stepped = await ann.client.post("/auth/step-up", json=stronger, headers=headers)
    assert (stepped.status_code, stepped.json()["strength"]) == (200, "password")


async def test_another_browser_has_to_confirm(ann: Mailbox) -> None:
    """The refusal says where the link was asked for, uses nothing up, and a confirmation lets in."""
    token = await ann.asked()
    ann.client.cookies.clear()
    elsewhere = await ann.enter(token)
    assert (elsewhere.status_code, slug(elsewhere)) == (409, "confirm-needed")
    assert "python-httpx" in elsewhere.json()["detail"]
    assert (await ann.enter(token, flow_id="made up")).status_code == 409
    assert (await ann.enter(token, confirm=True)).status_code == 200


async def test_a_program_without_cookies_keeps_the_flow(ann: Mailbox) -> None:
    """The flow of the answer in the body does what the cookie does."""
    flow = (await ann.post("/auth/magic-link/request", email="ann@example.org")).json()["flow_id"]
    (token,) = await ann.tokens()
    ann.client.cookies.clear()
    assert (await ann.enter(token, flow_id=flow)).status_code == 200


async def test_asking_tells_nobody_who_has_an_account(ann: Mailbox) -> None:
    """Known, unknown and impossible addresses get the same answer, and only the known one a letter."""
    answers = [
        await ann.post("/auth/magic-link/request", email=email)
        for email in ("ann@example.org", "nobody@example.org", "no address")
    ]
    assert {(answer.status_code, answer.text) for answer in answers} == {(202, answers[0].text)}
    assert len(await ann.tokens()) == 1


async def test_a_newer_link_kills_the_older(ann: Mailbox) -> None:
    """Only the last one is good; made-up ones and links of another purpose are refused alike."""
    old = await ann.asked()
    new = await ann.asked()
    assert slug(await ann.enter(old)) == "bad-token"
    assert slug(await ann.enter("made up")) == "bad-token"
    assert (await ann.post("/auth/reset-password", token=new, password="another fine sentence")).status_code == 400
    assert (await ann.enter(new)).status_code == 200


async def test_a_second_factor_is_asked_for(ann: Mailbox) -> None:
    """With a passkey enrolled the link is the first step only; the passkey makes the session strong."""
    signed_in = (await ann.post("/auth/jwt/login", **LOGIN)).json()
    headers = {"authorization": f"Bearer {signed_in['access_token']}"}
    device = SoftwareAuthenticator("http://platform.test")
    made = device.create((await ann.client.post("/mfa/passkeys/options", headers=headers)).json())
    body = {"attestation": made, "name": "Phone"}
    assert (await ann.client.post("/mfa/passkeys", json=body, headers=headers)).status_code == 201
    challenged = await ann.enter(await ann.asked())
    assert (challenged.status_code, slug(challenged)) == (401, "mfa-required")
    token = challenged.json()["mfa_token"]
    options = (await ann.post("/auth/passkeys/options", purpose="second-step", mfa_token=token)).json()
    entered = await ann.post("/auth/mfa/verify", mfa_token=token, method="passkey", assertion=device.get(options))
    assert (entered.status_code, entered.json()["strength"]) == (200, "phishing_resistant")


async def test_it_can_be_switched_off(start: Start) -> None:
    """Without the setting there is no such way in."""
    async with start(magic_link="false") as client:
        answer = await client.post("/auth/magic-link/request", json={"email": "ann@example.org"})
        assert answer.status_code == 404
