"""Invitations and notices over HTTP, with the letters in a folder; each operation once allowed and once refused."""

import re
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from email import message_from_bytes, policy
from pathlib import Path
from uuid import UUID

import pytest
from httpx import AsyncClient, Response

from au_sys_identity.core.accounts.registration import NewPerson
from au_sys_identity.core.notices.telling import Telling
from au_sys_identity.core.subjects.models import SubjectId
from au_sys_identity.manifest.operator import Operator
from fastapi_services_platform import Notice, Notifier, PlatformSettings

Start = Callable[..., AbstractAsyncContextManager[AsyncClient]]
PASSWORD = "correct horse battery staple"
ADMIN = "a very different sentence"
PLACE = "/iam/organizations/default/invitations"
HTML = {"accept": "text/html"}


class House:
    """A platform that takes invited people only, an administrator, and what is in the mail."""

    def __init__(self, client: AsyncClient, folder: Path) -> None:
        self.client = client
        self.folder = folder
        self.admin: dict[str, str] = {}

    @property
    def app(self) -> object:
        return self.client._transport.app  # type: ignore[attr-defined]  # the transport of the testing kit holds the app

    async def letters(self) -> list[str]:
        """What is sent now; each letter is read once."""
        await self.app.platform.inventory.find("identity").capability._wiring.delivery.run()  # type: ignore[attr-defined]  # as above
        found = []
        for file in sorted(self.folder.glob("*.eml")):
            message = message_from_bytes(file.read_bytes(), policy=policy.default)
            body = message.get_body(("plain",))
            assert body is not None
            found.append(f"{message['To']}\n{message['Subject']}\n{body.get_content()}")
            file.unlink()
        return found

    async def token(self) -> str:
        """The secret in the one letter that is sent now."""
        letters = await self.letters()
        assert len(letters) == 1
        found = re.search(r"http://platform\.test/invitation#token=(\S+)", letters[0])
        assert found
        return found.group(1)

    async def sign_in(self, email: str, password: str = PASSWORD) -> dict[str, str]:
        answer = await self.client.post("/auth/jwt/login", json={"email": email, "password": password})
        assert answer.status_code == 200
        return {"authorization": f"Bearer {answer.json()['access_token']}"}

    async def invite(self, email: str, **more: str) -> Response:
        return await self.client.post(PLACE, headers=self.admin, json={"email": email, **more})

    async def register(self, email: str, token: str) -> Response:
        body = {"email": email, "password": PASSWORD, "invitation": token}
        return await self.client.post("/auth/register", json=body)


@pytest.fixture
async def house(start: Start, tmp_path: Path) -> AsyncIterator[House]:
    async with start(registration="invite", registration_verify="required") as client:
        house = House(client, tmp_path / "outbox")
        operator = Operator(PlatformSettings(environment="test", data_dir=tmp_path, public_url="http://platform.test"))
        await operator.create_admin(NewPerson("admin@example.org"), ADMIN)
        house.admin = await house.sign_in("admin@example.org", ADMIN)
        yield house


def slug(answer: Response) -> tuple[int, str]:
    """Status, and the last part of a problem's type."""
    return answer.status_code, answer.json()["type"].rpartition("/")[2]


async def test_an_invited_person_makes_an_account(house: House) -> None:
    """The link proves the address and gives the role, once; only its SHA-256 is kept."""
    sent = await house.invite("Ann@example.org", role="helpdesk")
    assert (sent.status_code, sent.json()["state"], "token" in sent.text) == (201, "open", False)
    token = await house.token()
    assert slug(await house.register("eve@example.org", token)) == (400, "bad-token")
    made = await house.register("ann@example.org", token)
    assert (made.status_code, made.json()["status"], made.json()["is_verified"]) == (201, "active", True)
    assert slug(await house.register("ann@example.org", token)) == (400, "bad-token")
    ann = await house.sign_in("ann@example.org")
    roles = await house.client.get(f"/rbac/users/{made.json()['id']}/roles", headers=ann)
    assert "helpdesk" in roles.text
    listed = await house.client.get(PLACE, headers=house.admin)
    assert [item["state"] for item in listed.json()["items"]] == ["accepted"]


async def test_who_has_an_account_accepts_with_it(house: House) -> None:
    """The invited address only; anybody else's session is told nothing but that the link is no good."""
    await house.invite("ann@example.org")
    await house.register("ann@example.org", await house.token())
    await house.invite("ann@example.org", role="helpdesk")
    token = await house.token()
    assert slug(await house.register("ann@example.org", token)) == (409, "conflict")
    where = "/auth/invitations/accept"
    assert (await house.client.post(where, json={"token": token})).status_code == 401
    refused = await house.client.post(where, headers=house.admin, json={"token": token})
    assert slug(refused) == (400, "bad-token")
    ann = await house.sign_in("ann@example.org")
    accepted = await house.client.post(where, headers=ann, json={"token": token})
    assert (accepted.status_code, accepted.json()["email"]) == (200, "ann@example.org")
    assert slug(await house.client.post(where, headers=ann, json={"token": token})) == (400, "bad-token")


async def test_an_invitation_is_no_way_to_more(house: House) -> None:
    """Attack 27: neither who invites nor who accepts sets anything else; nothing is done."""
    assert slug(await house.invite("ann@example.org", is_superuser="true")) == (422, "invalid-request")
    await house.invite("ann@example.org")
    token = await house.token()
    body = {"email": "ann@example.org", "password": PASSWORD, "invitation": token}
    for field in ("role", "organization", "is_verified", "status"):
        assert slug(await house.client.post("/auth/register", json={**body, field: "x"})) == (422, "invalid-request")
    more = {"token": token, "role": "platform-admin"}
    refused = await house.client.post("/auth/invitations/accept", headers=house.admin, json=more)
    assert slug(refused) == (422, "invalid-request")
    assert (await house.register("ann@example.org", token)).status_code == 201


async def test_an_invitation_is_withdrawn(house: House) -> None:
    """Its link is dead; it is withdrawn once. A new one to the same address kills the one before."""
    made = await house.invite("ann@example.org")
    first = await house.token()
    await house.invite("ann@example.org")
    second = await house.token()
    assert slug(await house.register("ann@example.org", first)) == (400, "bad-token")
    there = f"{PLACE}/{made.json()['id']}"
    assert slug(await house.client.delete(there, headers=house.admin)) == (404, "not-found")
    newest = (await house.client.get(PLACE, headers=house.admin)).json()["items"][0]["id"]
    assert (await house.client.delete(f"{PLACE}/{newest}", headers=house.admin)).status_code == 204
    assert slug(await house.register("ann@example.org", second)) == (400, "bad-token")


async def test_without_the_right_nobody_invites(house: House) -> None:
    """Neither sent, seen nor withdrawn; what may not be given is not offered; no address, no letter."""
    await house.invite("ann@example.org")
    await house.register("ann@example.org", await house.token())
    ann = await house.sign_in("ann@example.org")
    tried = [
        await house.client.post(PLACE, headers=ann, json={"email": "bob@example.org"}),
        await house.client.get(PLACE, headers=ann),
        await house.client.delete(f"{PLACE}/00000000-0000-7000-8000-000000000009", headers=ann),
    ]
    assert {answer.status_code for answer in tried} <= {403, 404}
    assert slug(await house.invite("no address")) == (422, "invalid-input")
    assert slug(await house.invite("bob@example.org", role="no-such-role")) == (404, "not-found")
    nowhere = PLACE.replace("default", "nowhere")
    answer = await house.client.post(nowhere, headers=house.admin, json={"email": "b@example.org"})
    assert slug(answer) == (404, "not-found")
    assert await house.letters() == []


async def test_the_page_of_the_link(house: House) -> None:
    """Opening it does nothing; a click shows whom it is for, and a password makes the account."""
    await house.invite("ann@example.org")
    token = await house.token()
    page = await house.client.get("/invitation", headers=HTML)
    csrf = re.search(r'name="csrf_token" value="([^"]+)"', page.text)
    assert csrf
    first = {"csrf_token": csrf.group(1), "token": token}
    shown = await house.client.post("/invitation", headers=HTML, data=first)
    assert (shown.status_code, "ann@example.org" in shown.text) == (200, True)
    weak = await house.client.post("/invitation/register", headers=HTML, data={**first, "password": "short"})
    assert (weak.status_code, token in weak.text) == (400, True)
    made = await house.client.post("/invitation/register", headers=HTML, data={**first, "password": PASSWORD})
    assert (made.status_code, "Your account is ready" in made.text) == (200, True)
    dead = await house.client.post("/invitation", headers=HTML, data=first)
    assert dead.status_code == 400


async def test_an_account_is_made_with_a_letter_instead_of_a_password(house: House) -> None:
    """Nobody but the person ever sees a password."""
    body = {"email": "bob@example.org", "display_name": "Bob", "send_invitation": True}
    made = await house.client.post("/users", headers=house.admin, json=body)
    assert (made.status_code, made.json()["one_time_password"]) == (201, None)
    assert "/reset-password#token=" in (await house.letters())[0]


async def test_notices_stand_where_people_are_signed_in(house: House) -> None:
    """Told once, by mail too; read by its person only."""
    me = (await house.client.get("/users/me", headers=house.admin)).json()
    notifier = await house.app.platform.container.get(Notifier)  # type: ignore[attr-defined]  # as above
    for _ in range(2):
        await notifier.notify(Notice(me["urn"], "Your run is done", "Have a look.", "/my-runs/7", "run:7"))
    await notifier.notify(Notice("urn:au:user:00000000-0000-7000-8000-000000000009", "x", "y"))
    letters = await house.letters()
    assert [("Your run is done" in letter, "/my-runs/7" in letter) for letter in letters] == [(True, True)]
    listed = (await house.client.get("/users/me/notices", headers=house.admin)).json()
    assert (listed["unread"], [told["href"] for told in listed["items"]]) == (1, ["/my-runs/7"])
    there = f"/users/me/notices/{listed['items'][0]['id']}/read"
    assert (await house.client.post(there)).status_code == 401
    assert (await house.client.post(there, headers=house.admin)).status_code == 204
    other = "/users/me/notices/00000000-0000-7000-8000-000000000009/read"
    assert slug(await house.client.post(other, headers=house.admin)) == (404, "not-found")
    telling = await house.app.platform.container.get(Telling)  # type: ignore[attr-defined]  # as above
    assert await telling.unread(SubjectId(UUID(me["id"]))) == 0
    assert (await house.client.get("/users/me/notices")).status_code == 401


async def test_an_account_is_unlocked(house: House) -> None:
    """After wrong tries from here the right password waits no more."""
    await house.invite("ann@example.org")
    made = await house.register("ann@example.org", await house.token())
    wrong = {"email": "ann@example.org", "password": "wrong wrong wrong wrong"}
    answers = [await house.client.post("/auth/jwt/login", json=wrong) for _ in range(7)]
    assert answers[-1].status_code == 429
    there = f"/users/{made.json()['id']}/unlock"
    assert (await house.client.post(there)).status_code == 401
    assert (await house.client.post(there, headers=house.admin)).status_code == 204
    await house.sign_in("ann@example.org")
    gone = "/users/00000000-0000-7000-8000-000000000009/unlock"
    assert slug(await house.client.post(gone, headers=house.admin)) == (404, "not-found")
