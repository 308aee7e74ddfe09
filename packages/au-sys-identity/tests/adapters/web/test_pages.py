"""Sign-in, forced password change, account and registration, as a browser without scripts."""

import re
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest
from httpx import AsyncClient, Response

from au_sys_identity.adapters.web.arriving.targets import safe_target
from au_sys_identity.core.accounts.registration import NewPerson
from au_sys_identity.manifest.operator import Operator
from fastapi_services_platform import PlatformSettings

Start = Callable[..., AbstractAsyncContextManager[AsyncClient]]
PASSWORD = "correct horse battery staple"
HTML = {"accept": "text/html"}


def token_of(page: Response) -> str:
    """The anti-forgery token of the forms on a page."""
    found = re.search(r'name="csrf_token" value="([^"]+)"', page.text)
    assert found
    return found.group(1)


async def sign_in(client: AsyncClient, email: str = "ann@example.org", password: str = PASSWORD) -> Response:
    """Post the sign-in form."""
    page = await client.get("/login", headers=HTML)
    return await client.post(
        "/login", headers=HTML, data={"csrf_token": token_of(page), "email": email, "password": password, "next": ""}
    )


@pytest.fixture
async def ann(client: AsyncClient) -> AsyncClient:
    await client.post("/auth/register", json={"email": "ann@example.org", "password": PASSWORD})
    assert (await sign_in(client)).status_code == 303
    return client


async def test_a_person_signs_in_and_out(client: AsyncClient) -> None:
    """From a protected page to sign-in, back to it, and out; the cookie is worth nothing afterwards."""
    await client.post("/auth/register", json={"email": "ann@example.org", "password": PASSWORD})
    sent = await client.get("/account", headers=HTML)
    assert (sent.status_code, sent.headers["location"]) == (303, "/login?next=/account")
    page = await client.get(sent.headers["location"], headers=HTML)
    assert 'name="next" value="/account"' in page.text
    form = {"csrf_token": token_of(page), "email": "ann@example.org", "password": PASSWORD, "next": "/account"}
    entered = await client.post("/login", headers=HTML, data=form)
    assert (entered.status_code, entered.headers["location"]) == (303, "/account")
    account = await client.get("/account", headers=HTML)
    assert "ann@example.org" in account.text
    assert (await client.get("/login", headers=HTML)).headers["location"] == "/account"
    cookie = client.cookies["identity_session"]
    left = await client.post("/logout", headers=HTML, data={"csrf_token": token_of(account)})
    assert (left.status_code, left.headers["location"]) == (303, "/login")
    client.cookies.set("identity_session", cookie, domain="platform.test")
    assert (await client.get("/account", headers=HTML)).status_code == 303


async def test_a_wrong_password_keeps_what_was_typed(client: AsyncClient) -> None:
    """The page says the one sentence, keeps the address and not the password, and sets no cookie."""
    answer = await sign_in(client, "nobody@example.org", "a secret nobody may see")
    assert answer.status_code == 400
    assert "The e-mail address or the password is not correct." in answer.text
    assert "nobody@example.org" in answer.text
    assert "a secret nobody may see" not in answer.text
    assert "set-cookie" not in answer.headers


async def test_guessing_is_slowed_on_the_page_too(client: AsyncClient) -> None:
    """After five wrong tries the page asks to wait."""
    answers = [(await sign_in(client, "nobody@example.org", "wrong")).status_code for _ in range(6)]
    assert answers == [400] * 5 + [429]


async def test_a_one_time_password_must_be_changed(client: AsyncClient, tmp_path: Path) -> None:
    """Every page leads to the change; after it the person is free, and the one-time password is dead."""
    platform = PlatformSettings(environment="test", data_dir=tmp_path, public_url="http://platform.test")
    _, _, password = await Operator(platform).create_admin(NewPerson("admin@example.org"), None)
    entered = await sign_in(client, "admin@example.org", password)
    assert entered.headers["location"] == "/account/password"
    before = client.cookies["identity_session"]
    for path in ("/account", "/users"):
        assert (await client.get(path, headers=HTML)).headers["location"].startswith("/login?next=")
        assert (await client.get(path)).status_code == 403
    assert (await client.get("/login", headers=HTML)).headers["location"] == "/account/password"
    page = await client.get("/account/password", headers=HTML)
    form = {"csrf_token": token_of(page), "current": password, "new": "another fine sentence"}
    weak = await client.post("/account/password", headers=HTML, data={**form, "new": "short"})
    assert weak.status_code == 400
    assert "Use at least 12 characters." in weak.text
    changed = await client.post("/account/password", headers=HTML, data=form)
    assert (changed.status_code, changed.headers["location"]) == (303, "/account?saved=password")
    assert client.cookies["identity_session"] != before
    assert (await client.get("/account", headers=HTML)).status_code == 200
    client.cookies.clear()
    assert (await sign_in(client, "admin@example.org", password)).status_code == 400
    assert (await sign_in(client, "admin@example.org", "another fine sentence")).status_code == 303


async def test_the_profile_is_saved(ann: AsyncClient) -> None:
    """A good name is shown after the redirect; a bad one is refused beside the field and stays typed."""
    page = await ann.get("/account/profile", headers=HTML)
    form = {"csrf_token": token_of(page), "display_name": "Ann <b>Åkesson</b>", "locale": "sv"}
    saved = await ann.post("/account/profile", headers=HTML, data=form)
    assert saved.headers["location"] == "/account/profile?saved=profile"
    shown = (await ann.get("/account", headers=HTML)).text
    assert "Ann &lt;b&gt;Åkesson&lt;/b&gt;" in shown
    assert "<b>Åkesson" not in shown
    wrong = await ann.post("/account/profile", headers=HTML, data={**form, "locale": "not a tag"})
    assert wrong.status_code == 400
    assert "är ingen språkkod" in wrong.text  # the page speaks the language of the profile now


async def test_another_session_is_ended_from_the_page(ann: AsyncClient) -> None:
    """The list shows both, the button ends the other one."""
    cookies = dict(ann.cookies)
    ann.cookies.clear()
    login = await ann.post("/auth/jwt/login", json={"email": "ann@example.org", "password": PASSWORD})
    for name, value in cookies.items():
        ann.cookies.set(name, value, domain="platform.test")
    page = await ann.get("/account/security", headers=HTML)
    path = f"/account/security/sessions/{login.json()['session_id']}/end"
    assert path in page.text
    assert (await ann.post(path, headers=HTML, data={"csrf_token": token_of(page)})).status_code == 303
    headers = {"authorization": f"Bearer {login.json()['access_token']}"}
    assert (await ann.get("/users/me", headers=headers)).status_code == 401


async def test_people_register_on_the_page(client: AsyncClient) -> None:
    """A new and a known address see the same page; a weak password is explained beside the field."""
    page = await client.get("/register", headers=HTML)
    form = {"csrf_token": token_of(page), "email": "ann@example.org", "display_name": "Ann", "password": PASSWORD}
    first, second = [await client.post("/register", headers=HTML, data=form) for _ in range(2)]
    assert (first.status_code, second.status_code) == (200, 200)
    without_id = [re.sub(r"[0-9a-f]{32}|csrf[^>]*>", "", answer.text) for answer in (first, second)]
    assert without_id[0] == without_id[1]
    weak = await client.post("/register", headers=HTML, data={**form, "password": "short"})
    assert weak.status_code == 400
    assert "Use at least 12 characters." in weak.text
    assert (await sign_in(client)).status_code == 303


async def test_a_closed_platform_says_whom_to_ask(start: Start) -> None:
    """Without open registration the page has no form."""
    async with start(registration="invite") as client:
        page = await client.get("/register", headers=HTML)
        assert "Ask an administrator" in page.text
        assert (
            await client.post("/register", data={"email": "a@example.org", "password": PASSWORD})
        ).status_code == 400


@pytest.mark.parametrize(
    "target",
    [
        "//evil.example",
        "/\\evil.example",
        "https:evil.example",
        "https://evil.example",
        "/%2fevil.example",
        "/%5cevil.example",
        "/%252fevil.example",
        "javascript:alert(1)",
        "/ok\r\nset-cookie: a=b",
        "/%0d%0aset-cookie:a",
        "/\u3002evil",
        "account",
        "",
        None,
        "/login",
        "/logout",
        "/" + "a" * 3000,
    ],
)
def test_sign_in_leads_nowhere_else(target: str | None) -> None:
    """A target that could leave this origin in any reading gives the default."""
    assert safe_target(target) == "/account"


@pytest.mark.parametrize("target", ["/browse", "/tools/x/run?a=1&b=2", "/my-runs/1#top"])
def test_paths_of_ours_are_kept(target: str) -> None:
    """Plain paths of this origin are followed."""
    assert safe_target(target) == target
