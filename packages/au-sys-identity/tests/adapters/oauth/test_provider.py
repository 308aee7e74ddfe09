"""Sign-in at a real second provider, linking rules, and what a browser may not bring back."""

import json
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from httpx import AsyncClient, Response

from au_sys_identity.core.accounts.registration import NewPerson
from au_sys_identity.manifest.operator import Operator
from fastapi_services_platform import PlatformSettings
from fastapi_services_platform.testing.postgres import postgres_server

pytestmark = pytest.mark.needs_node
SECRET = "a secret that both sides know, 32+ long"
PASSWORD = "correct horse battery staple"
ADMIN = "a very different sentence"
AUTHORIZE = "/auth/oauth/corp/authorize"
Start = Callable[..., AbstractAsyncContextManager[AsyncClient]]
Json = Any  # Any: JSON


def provider(issuer: str, **changed: object) -> dict[str, object]:
    """The provider as it is set up; it speaks for example.org and makes accounts."""
    return {
        "name": "corp",
        "label": "Corporate login",
        "issuer": issuer,
        "client_id": "platform",
        "client_secret": SECRET,
        "domains": ["example.org"],
        "provision": True,
        **changed,
    }


class Browser:
    """One browser with cookies at the platform and at the provider."""

    def __init__(self, client: AsyncClient, issuer: str) -> None:
        self.client = client
        self.issuer = issuer

    async def at_provider(self, address: str, **account: object) -> str:
        """Sign in there as somebody; where the provider sends the browser."""
        async with httpx.AsyncClient() as there:
            await there.post(f"{self.issuer}/control", content=json.dumps(account))
            while not address.startswith("http://platform.test"):
                answer = await there.get(address)
                assert answer.status_code in (302, 303), answer.text
                address = str(answer.next_request.url) if answer.next_request else ""
        return address.removeprefix("http://platform.test")

    async def departs(self, path: str = AUTHORIZE) -> str:
        """Where the platform sends the browser."""
        sent = await self.client.get(path)
        assert sent.status_code == 302, sent.text
        return sent.headers["location"]

    async def signs_in(self, path: str = AUTHORIZE, **account: object) -> Response:
        """The whole trip."""
        account = {"sub": "1", "email": "ann@example.org", "email_verified": True, "name": "Ann", **account}
        return await self.client.get(await self.at_provider(await self.departs(path), **account))

    async def me(self) -> Json:
        return (await self.client.get("/users/me")).json()


def slug(answer: Response) -> tuple[int, str]:
    """Status and kind of a problem."""
    return answer.status_code, answer.json()["type"].rsplit("/", 1)[1]


@pytest.fixture
async def browser(start: Start, issuer: str) -> AsyncIterator[Browser]:
    async with start(providers=json.dumps([provider(issuer)]), outbound_allow="127.0.0.0/8") as client:
        yield Browser(client, issuer)


async def register(browser: Browser, email: str = "ann@example.org") -> None:
    """A local account with a password; verification is off here, so the address is never proved."""
    await browser.client.post("/auth/register", json={"email": email, "password": PASSWORD})


async def test_a_new_person_gets_an_account(browser: Browser) -> None:
    """Rule 5: provisioned, signed in, sent where she wanted; the second trip leads to the same account (rule 1)."""
    first = await browser.signs_in(f"{AUTHORIZE}?next=/account/security")
    assert (first.status_code, first.headers["location"]) == (302, "/account/security")
    me = await browser.me()
    assert (me["email"], me["display_name"], me["is_verified"]) == ("ann@example.org", "Ann", True)
    assert me["auth_source"] == "provider:corp"
    await browser.signs_in(email="other@example.org")
    assert (await browser.me())["id"] == me["id"]


async def test_what_the_browser_is_sent_with(browser: Browser) -> None:
    """Code flow with PKCE S256, state and nonce; the flow's cookie is HttpOnly and Lax."""
    sent = await browser.client.get(AUTHORIZE)
    asked = {name: values[0] for name, values in parse_qs(urlsplit(sent.headers["location"]).query).items()}
    assert (asked["response_type"], asked["code_challenge_method"]) == ("code", "S256")
    assert len(asked["state"]) == len(asked["nonce"]) == len(asked["code_challenge"]) == 43
    cookie = sent.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=lax" in cookie


async def test_the_callback_answers_programs_with_tokens(browser: Browser) -> None:
    """A program that asked for them gets tokens in the body."""
    answer = await browser.signs_in(f"{AUTHORIZE}?transport=body")
    assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")
    bearer = {"authorization": f"Bearer {answer.json()['access_token']}"}
    assert (await browser.client.get("/users/me", headers=bearer)).json()["email"] == "ann@example.org"


@pytest.mark.parametrize("account", [{"email_verified": False}, {"email": "ann@elsewhere.org"}])
async def test_an_address_alone_links_nothing(browser: Browser, account: dict[str, object]) -> None:
    """Rule 3: unverified, or of a domain that the provider does not speak for: sign in locally first."""
    await register(browser, str(account.get("email", "ann@example.org")))
    assert slug(await browser.signs_in(AUTHORIZE, **account)) == (409, "confirm-needed")
    assert (await browser.client.get("/users/me")).status_code == 401


async def test_an_account_that_was_never_verified_is_emptied_first(browser: Browser) -> None:
    """Rules 3 and 4: who registered somebody else's address keeps neither password nor session."""
    await register(browser)
    credentials = {"email": "ann@example.org", "password": PASSWORD}
    tokens = (await browser.client.post("/auth/jwt/login", json=credentials)).json()
    bearer = {"authorization": f"Bearer {tokens['access_token']}"}
    person = (await browser.client.get("/users/me", headers=bearer)).json()["id"]
    assert (await browser.signs_in()).status_code == 302
    assert (await browser.me())["id"] == person
    assert (await browser.client.get("/users/me", headers=bearer)).status_code == 401
    browser.client.cookies.clear()
    assert (await browser.client.post("/auth/jwt/login", json=credentials)).status_code == 401


async def test_a_verified_account_is_linked_and_kept(browser: Browser, tmp_path: Path) -> None:
    """Rule 3: authoritative, verified on both sides: the password stays."""
    platform = PlatformSettings(environment="test", data_dir=tmp_path, public_url="http://platform.test")
    await Operator(platform).create_admin(NewPerson("ann@example.org", "Ann"), ADMIN)
    assert (await browser.signs_in()).status_code == 302
    browser.client.cookies.clear()
    body = {"email": "ann@example.org", "password": ADMIN}
    assert (await browser.client.post("/auth/jwt/login", json=body)).status_code == 200


async def link(browser: Browser, **account: object) -> Response:
    """Link a login to who is signed in."""
    page = await browser.client.get("/account", headers={"accept": "text/html"})
    token = page.text.split('name="csrf_token" value="')[1].split('"')[0]
    begun = await browser.client.post("/auth/links/corp", headers={"x-csrf-token": token})
    assert begun.status_code == 200, begun.text
    return await browser.client.get(await browser.at_provider(begun.json()["authorize_url"], **account))


async def test_who_is_signed_in_links_and_unlinks(browser: Browser) -> None:
    """Rule 2, with any address; a login of another account is refused; the last way in stays."""
    await register(browser)
    await browser.client.post("/login", data={"email": "ann@example.org", "password": PASSWORD})
    me = (await browser.me())["id"]
    assert (await link(browser, sub="7", email="private@elsewhere.org")).headers["location"] == "/account/security"
    links = (await browser.client.get("/auth/links")).json()["items"]
    assert [shown["provider"] for shown in links] == ["corp"]
    browser.client.cookies.clear()
    await browser.signs_in(sub="7", email="private@elsewhere.org")
    assert (await browser.me())["id"] == me
    page = await browser.client.get("/account", headers={"accept": "text/html"})
    csrf = {"x-csrf-token": page.text.split('name="csrf_token" value="')[1].split('"')[0]}
    assert (await browser.client.delete(f"/auth/links/{links[0]['id']}", headers=csrf)).status_code == 204
    assert slug(await browser.client.delete(f"/auth/links/{links[0]['id']}", headers=csrf)) == (404, "not-found")
    browser.client.cookies.clear()
    await browser.signs_in(sub="8", email="bob@example.org")
    bobs = (await browser.client.get("/auth/links")).json()["items"][0]["id"]
    page = await browser.client.get("/account", headers={"accept": "text/html"})
    csrf = {"x-csrf-token": page.text.split('name="csrf_token" value="')[1].split('"')[0]}
    assert slug(await browser.client.delete(f"/auth/links/{bobs}", headers=csrf)) == (409, "conflict")
    browser.client.cookies.clear()
    await browser.client.post("/login", data={"email": "ann@example.org", "password": PASSWORD})
    assert slug(await link(browser, sub="8", email="bob@example.org")) == (409, "login-linked-elsewhere")


async def test_linking_ends_in_the_session_that_began_it(browser: Browser) -> None:
    """The flow's cookie in another session links nothing: a planted flow does not tie my account to a stranger's."""
    await register(browser)
    await browser.client.post("/login", data={"email": "ann@example.org", "password": PASSWORD})
    page = await browser.client.get("/account", headers={"accept": "text/html"})
    token = page.text.split('name="csrf_token" value="')[1].split('"')[0]
    begun = (await browser.client.post("/auth/links/corp", headers={"x-csrf-token": token})).json()
    back = await browser.at_provider(begun["authorize_url"], sub="9", email="eve@example.org")
    browser.client.cookies.delete("identity_session")
    assert slug(await browser.client.get(back)) == (400, "bad-token")


async def test_an_answer_counts_once(browser: Browser) -> None:
    """Replayed with the very cookie and state that worked, it is refused."""
    address = await browser.departs()
    flow = browser.client.cookies["identity_departure"]
    back = await browser.at_provider(address, sub="1", email="ann@example.org", email_verified=True)
    assert (await browser.client.get(back)).status_code == 302
    browser.client.cookies.set("identity_departure", flow)
    assert slug(await browser.client.get(back)) == (400, "bad-token")


@pytest.mark.parametrize(
    "change",
    [
        {"state": "another"},
        {"iss": "https://evil.example"},
        {"iss": None},
    ],
)
async def test_answers_of_another_flow_or_provider_are_refused(browser: Browser, change: dict[str, str | None]) -> None:
    """A foreign state, and a mix-up of providers (RFC 9207), whatever code they bring."""
    back = await browser.at_provider(await browser.departs(), sub="1", email="ann@example.org", email_verified=True)
    path, _, query = back.partition("?")
    asked = {name: values[0] for name, values in parse_qs(query).items()}
    changed = {name: value for name, value in {**asked, **change}.items() if value is not None}
    assert slug(await browser.client.get(path, params=changed)) == (400, "bad-token")


async def test_an_answer_without_the_browsers_cookie_is_refused(browser: Browser) -> None:
    """Login CSRF: somebody else's code and state in my browser sign me in nowhere."""
    back = await browser.at_provider(await browser.departs(), sub="1", email="ann@example.org", email_verified=True)
    browser.client.cookies.clear()
    assert slug(await browser.client.get(back)) == (400, "bad-token")
    browser.client.cookies.set("identity_departure", "AAAA")
    assert slug(await browser.client.get(back)) == (400, "bad-token")


async def test_who_refuses_there_is_not_in_here(browser: Browser) -> None:
    """An error of the provider, and a code that it does not know."""
    back = await browser.at_provider(await browser.departs(), refuse=True)
    assert "error=access_denied" in back
    assert slug(await browser.client.get(back)) == (401, "bad-credentials")
    back = await browser.at_provider(await browser.departs(), sub="1")
    state = parse_qs(urlsplit(back).query)
    wrong = {"state": state["state"][0], "iss": state["iss"][0], "code": "made up"}
    assert slug(await browser.client.get("/auth/oauth/corp/callback", params=wrong)) == (401, "bad-credentials")


async def test_who_is_switched_off_does_not_get_in(browser: Browser, tmp_path: Path) -> None:
    """The link is known, the account is not active."""
    platform = PlatformSettings(environment="test", data_dir=tmp_path, public_url="http://platform.test")
    await Operator(platform).create_admin(NewPerson("admin@example.org", "Ada"), ADMIN)
    await browser.signs_in()
    person = (await browser.me())["id"]
    browser.client.cookies.clear()
    body = {"email": "admin@example.org", "password": ADMIN}
    tokens = (await browser.client.post("/auth/jwt/login", json=body)).json()
    bearer = {"authorization": f"Bearer {tokens['access_token']}"}
    await browser.client.patch(f"/users/{person}", json={"is_active": False}, headers=bearer)
    assert slug(await browser.signs_in()) == (401, "bad-credentials")


async def test_unknown_providers_are_not_found(browser: Browser) -> None:
    """On the way out and on the way back; and what is offered is listed."""
    for path in ("/auth/oauth/nobody/authorize", "/auth/oauth/nobody/callback?state=a&code=b"):
        assert slug(await browser.client.get(path)) == (404, "not-found")
    listed = (await browser.client.get("/auth/providers")).json()["items"]
    assert listed == [{"name": "corp", "label": "Corporate login", "kind": "oidc"}]


async def test_the_guard_lets_nobody_into_the_private_network(start: Start, issuer: str) -> None:
    """Without the allowance the provider on loopback is refused like any private address."""
    async with start(providers=json.dumps([provider(issuer)])) as client:
        assert slug(await client.get(AUTHORIZE)) == (502, "provider-unreachable")


async def test_another_issuer_than_it_says_is_refused(start: Start, issuer: str) -> None:
    """Discovery at one name that answers in another is a mix-up in the making."""
    listed = json.dumps([provider(issuer.replace("127.0.0.1", "localhost"))])
    async with start(providers=listed, outbound_allow="localhost 127.0.0.0/8") as client:
        assert slug(await client.get(AUTHORIZE)) == (502, "provider-unreachable")


@pytest.mark.needs_postgres
async def test_it_is_the_same_on_postgres(start: Start, issuer: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rules 1, 3 and 5 with everything in PostgreSQL: provisioned, found again, and a flow that counts once."""
    with postgres_server() as server:
        monkeypatch.setenv("FSP_DATABASE_URL", server.database("provider"))
        async with start(providers=json.dumps([provider(issuer)]), outbound_allow="127.0.0.0/8") as client:
            browser = Browser(client, issuer)
            assert (await browser.signs_in()).status_code == 302
            me = await browser.me()
            back = await browser.at_provider(await browser.departs(), sub="1", email="other@example.org")
            assert [(await client.get(back)).status_code for _ in range(2)] == [302, 400]
            assert (await browser.me())["id"] == me["id"]


async def test_who_has_no_password_here_confirms_at_the_provider(browser: Browser) -> None:
    """The page sends there instead of asking for a password; the same login is a fresh proof, another one is none."""
    await browser.signs_in()
    page = await browser.client.get("/account/confirm?next=/account/profile", headers={"accept": "text/html"})
    assert ('type="password"' in page.text, "Confirm at corp" in page.text) == (False, True)
    before = (await browser.client.get("/auth/sessions")).json()["items"][0]["id"]
    there = f"{AUTHORIZE}?purpose=confirm&next=/account/profile"
    assert parse_qs(urlsplit(await browser.departs(there)).query)["prompt"] == ["login"]
    proved = await browser.signs_in(there)
    assert (proved.status_code, proved.headers["location"]) == (302, "/account/profile")
    after = [session["id"] for session in (await browser.client.get("/auth/sessions")).json()["items"]]
    assert (len(after), before in after) == (1, False)
    assert slug(await browser.signs_in(there, sub="2", email="bob@example.org")) == (401, "bad-credentials")
    assert [session["id"] for session in (await browser.client.get("/auth/sessions")).json()["items"]] == after
