"""Verification and reset over HTTP, with the letters in a folder."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from email import message_from_bytes, policy
from pathlib import Path

import pytest
from httpx import AsyncClient, Response

Start = Callable[..., AbstractAsyncContextManager[AsyncClient]]
PASSWORD = "correct horse battery staple"
NEW = "another fine sentence"
LOGIN = {"email": "ann@example.org", "password": PASSWORD}


class Mailbox:
    """A platform where addresses must be verified, and the folder that its letters go to."""

    def __init__(self, client: AsyncClient, folder: Path) -> None:
        self.client = client
        self.folder = folder

    async def letters(self) -> list[str]:
        """What is sent now; each letter is read once."""
        app = self.client._transport.app  # type: ignore[attr-defined]  # the transport of the testing kit holds the app
        await app.platform.inventory.find("identity").capability._wiring.delivery.run()
        found = []
        for file in sorted(self.folder.glob("*.eml")):
            body = message_from_bytes(file.read_bytes(), policy=policy.default).get_body(("plain",))
            assert body is not None
            found.append(str(body.get_content()))
            file.unlink()
        return found

    async def token(self) -> str:
        """The token of the one letter that is sent now."""
        letters = await self.letters()
        assert len(letters) == 1
        found = re.search(r"http://platform\.test/[a-z-]+#token=(\S+)", letters[0])
        assert found
        return found.group(1)

    async def post(self, path: str, **json: str) -> Response:
        return await self.client.post(path, json=json)

    async def verified(self) -> None:
        await self.post("/auth/register", **LOGIN)
        assert (await self.post("/auth/verify", token=await self.token())).status_code == 200


@pytest.fixture
async def box(start: Start, tmp_path: Path) -> AsyncIterator[Mailbox]:
    async with start(registration_verify="required") as client:
        yield Mailbox(client, tmp_path / "outbox")


def slug(answer: Response) -> str:
    """The end of a problem's type."""
    return str(answer.json()["type"]).rpartition("/")[2]


async def test_a_registered_person_verifies_and_signs_in(box: Mailbox) -> None:
    """Before the link is used the right password does not help; after it, it does; the link works once."""
    await box.post("/auth/register", **LOGIN)
    assert (await box.post("/auth/jwt/login", **LOGIN)).status_code == 401
    token = await box.token()
    verified = await box.post("/auth/verify", token=token)
    assert (verified.json()["is_verified"], verified.json()["status"]) == (True, "active")
    assert (await box.post("/auth/jwt/login", **LOGIN)).status_code == 200
    assert slug(await box.post("/auth/verify", token=token)) == "bad-token"


async def test_a_newer_link_kills_the_older(box: Mailbox) -> None:
    """Asking again sends another link, and only the newest works."""
    await box.post("/auth/register", **LOGIN)
    first = await box.token()
    assert (await box.post("/auth/request-verify-token", email="ann@example.org")).status_code == 202
    second = await box.token()
    assert slug(await box.post("/auth/verify", token=first)) == "bad-token"
    assert (await box.post("/auth/verify", token=second)).status_code == 200
    await box.post("/auth/request-verify-token", email="ann@example.org")
    assert await box.letters() == []


async def test_registering_a_known_address_tells_its_owner_only(box: Mailbox) -> None:
    """The answer is the same; the letter says that there is an account, and how to get in."""
    await box.verified()
    answer = await box.post("/auth/register", **LOGIN)
    assert (answer.status_code, answer.json()) == (202, {"status": "accepted"})
    letters = await box.letters()
    assert len(letters) == 1
    assert "has an account already" in letters[0]


async def test_a_forgotten_password_is_replaced(box: Mailbox) -> None:
    """Sessions and keys end, the old password is dead, the owner is told, the link works once."""
    await box.verified()
    login = (await box.post("/auth/jwt/login", **LOGIN)).json()
    headers = {"authorization": f"Bearer {login['access_token']}"}
    assert (await box.post("/auth/forgot-password", email="ANN@example.org")).status_code == 202
    token = await box.token()
    assert (await box.post("/auth/reset-password", token=token, password=NEW)).status_code == 204
    assert (await box.client.get("/users/me", headers=headers)).status_code == 401
    assert (await box.post("/auth/jwt/login", **LOGIN)).status_code == 401
    assert (await box.post("/auth/jwt/login", email="ann@example.org", password=NEW)).status_code == 200
    assert "password of your account was changed" in (await box.letters())[0]
    assert slug(await box.post("/auth/reset-password", token=token, password=PASSWORD)) == "bad-token"


async def test_a_weak_new_password_leaves_the_link_good(box: Mailbox) -> None:
    """What is wrong is said, and the same link still works."""
    await box.verified()
    await box.post("/auth/forgot-password", email="ann@example.org")
    token = await box.token()
    for weak in ("short", "ann@example.org is me"):
        assert slug(await box.post("/auth/reset-password", token=token, password=weak)) == "weak-password"
    assert (await box.post("/auth/reset-password", token=token, password=NEW)).status_code == 204


async def test_of_many_uses_at_once_one_wins(box: Mailbox) -> None:
    """Ten concurrent resets with one link set one password."""
    await box.verified()
    await box.post("/auth/forgot-password", email="ann@example.org")
    token = await box.token()
    answers = await asyncio.gather(
        *(box.post("/auth/reset-password", token=token, password=f"{NEW} {number}") for number in range(10))
    )
    assert sorted(answer.status_code for answer in answers) == [204] + [400] * 9


async def test_links_are_good_for_their_purpose_only(box: Mailbox) -> None:
    """A verification link resets nothing, and made-up ones are refused alike."""
    await box.post("/auth/register", **LOGIN)
    token = await box.token()
    assert slug(await box.post("/auth/reset-password", token=token, password=NEW)) == "bad-token"
    assert slug(await box.post("/auth/verify", token="made up")) == "bad-token"
    assert (await box.post("/auth/verify", token=token)).status_code == 200


@pytest.mark.parametrize("path", ["/auth/forgot-password", "/auth/request-verify-token"])
async def test_asking_looks_the_same_for_everybody(box: Mailbox, path: str) -> None:
    """Known, unknown and impossible addresses get one answer; only the known one gets a letter."""
    await box.post("/auth/register", **LOGIN)
    await box.letters()
    answers = [await box.post(path, email=email) for email in ("ann@example.org", "nobody@example.org", "no address")]
    assert {(answer.status_code, answer.text) for answer in answers} == {(202, '{"status":"accepted"}')}


async def test_no_host_header_gets_into_a_link(box: Mailbox) -> None:
    """Links are made of the public address."""
    await box.verified()
    headers = {"host": "evil.example", "x-forwarded-host": "evil.example"}
    await box.client.post("/auth/forgot-password", json={"email": "ann@example.org"}, headers=headers)
    assert "evil.example" not in "".join(await box.letters())


async def test_a_scanner_that_opens_a_link_uses_nothing(box: Mailbox) -> None:
    """Getting the page changes nothing; the form posts the token."""
    await box.post("/auth/register", **LOGIN)
    token = await box.token()
    for _ in range(3):
        assert (await box.client.get("/verify", headers={"accept": "text/html"})).status_code == 200
    page = await box.client.post("/verify", data={"token": token}, headers={"accept": "text/html"})
    assert "You can sign in now" in page.text


async def test_the_reset_pages_lead_in(box: Mailbox) -> None:
    """Ask, open, choose; a weak choice is explained beside the field."""
    await box.verified()
    html = {"accept": "text/html"}
    asked = await box.client.post("/forgot-password", data={"email": "ann@example.org"}, headers=html)
    assert "a mail is on its way" in asked.text
    form = {"token": await box.token(), "password": "short"}
    weak = await box.client.post("/reset-password", data=form, headers=html)
    assert (weak.status_code, "Use at least 12 characters." in weak.text) == (400, True)
    done = await box.client.post("/reset-password", data={**form, "password": NEW}, headers=html)
    assert "every device is signed out" in done.text


async def test_letters_and_links_are_stored_sealed(box: Mailbox, tmp_path: Path) -> None:
    """Neither the token nor, in the outbox, the address is in the database in clear."""
    await box.post("/auth/forgot-password", email="secret-recipient@example.org")
    stored = b"".join(path.read_bytes() for path in tmp_path.glob("identity.db*"))
    assert b"secret-recipient" not in stored
    await box.post("/auth/register", **LOGIN)
    token = await box.token()
    stored = b"".join(path.read_bytes() for path in tmp_path.glob("identity.db*"))
    assert token.encode() not in stored


async def login(box: Mailbox) -> dict[str, str]:
    """The header of a fresh session."""
    answer = await box.post("/auth/jwt/login", **LOGIN)
    return {"authorization": f"Bearer {answer.json()['access_token']}"}


async def test_a_new_address_counts_after_its_own_verification(box: Mailbox) -> None:
    """Both addresses get a letter, the old one is told again when it is done; until then nothing changes."""
    await box.verified()
    ann = await login(box)
    asked = await box.client.patch("/users/me", headers=ann, json={"email": "ann@new.example"})
    assert (asked.status_code, asked.json()["email"]) == (200, "ann@example.org")
    letters = await box.letters()
    assert [letter.count("ann@new.example") for letter in letters if "#token=" not in letter] == [1]
    link = re.search(r"#token=(\S+)", "".join(letters))
    assert link
    confirmed = await box.post("/auth/verify", token=link.group(1))
    assert (confirmed.status_code, confirmed.json()["email"]) == (200, "ann@new.example")
    assert slug(await box.post("/auth/verify", token=link.group(1))) == "bad-token"
    assert "ann@new.example" in (await box.letters())[0]
    assert (await box.post("/auth/jwt/login", **LOGIN)).status_code == 401
    moved = await box.post("/auth/jwt/login", email="ann@new.example", password=PASSWORD)
    assert moved.status_code == 200


async def test_a_taken_address_is_not_told(box: Mailbox) -> None:
    """The answer is the same as for a free one, and no link is sent."""
    await box.verified()
    ann = await login(box)
    await box.post("/auth/register", email="bob@example.org", password=PASSWORD)
    await box.post("/auth/verify", token=await box.token())
    answer = await box.client.patch("/users/me", headers=ann, json={"email": "bob@example.org"})
    assert answer.status_code == 200
    assert not any("#token=" in letter for letter in await box.letters())


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"email": "no address"}, 422),
        ({"email": "ANN@example.org"}, 422),
        ({"email": "ann@new.example", "display_name": "x"}, 422),
        ({"email": "ann@new.example", "password": NEW, "current_password": PASSWORD}, 422),
    ],
)
async def test_addresses_that_are_refused(box: Mailbox, change: dict[str, str], status: int) -> None:
    """No address, the present one, or together with something else: nothing is sent."""
    await box.verified()
    answer = await box.client.patch("/users/me", headers=await login(box), json=change)
    assert (answer.status_code, await box.letters()) == (status, [])
