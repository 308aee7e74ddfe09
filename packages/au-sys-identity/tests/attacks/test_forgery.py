"""CSRF on everything a cookie authorizes, login CSRF, fixation, mass assignment."""

import re

import pytest
from httpx import AsyncClient

PASSWORD = "correct horse battery staple"
HTML = {"accept": "text/html"}
SIGN_IN = {"email": "ann@example.org", "password": PASSWORD}


@pytest.fixture
async def ann(client: AsyncClient) -> AsyncClient:
    await client.post("/auth/register", json={"email": "ann@example.org", "password": PASSWORD})
    assert (await client.post("/login", data=SIGN_IN)).status_code == 303
    return client


def _changes(client: AsyncClient) -> list[tuple[str, str]]:
    """Every route of identity that changes something and is not public, from the running app."""
    app = client._transport.app  # type: ignore[attr-defined]  # the transport of the testing kit holds the app
    found: list[tuple[str, str]] = []
    for entry in app.platform.inventory.routes:
        if entry.owner.name == "identity" and entry.kind == "http" and not entry.access.public:
            path = re.sub(r"{[^}]+}", "00000000-0000-7000-8000-000000000000", entry.path)
            found.extend((method, path) for method in entry.methods if method not in ("GET", "HEAD", "OPTIONS"))
    return found


async def test_no_change_by_cookie_without_a_token(ann: AsyncClient) -> None:
    """With a cookie alone every change of identity is refused, as form and as JSON in disguise."""
    changes = _changes(ann)
    assert len(changes) > 10
    for method, path in changes:
        for content_type in ("application/x-www-form-urlencoded", "text/plain", "application/json"):
            answer = await ann.request(method, path, content=b"{}", headers={"content-type": content_type})
            assert (answer.status_code, answer.json()["type"].rpartition("/")[2]) == (403, "csrf-token"), path


async def test_somebody_elses_token_does_not_fit(ann: AsyncClient) -> None:
    """A token from another session, or from nobody's page, is refused."""
    cookie = ann.cookies["identity_session"]
    ann.cookies.clear()
    page = await ann.get("/login", headers=HTML)
    found = re.search(r'name="csrf_token" value="([^"]+)"', page.text)
    assert found
    ann.cookies.set("identity_session", cookie, domain="platform.test")
    answer = await ann.post("/account/profile", data={"csrf_token": found.group(1), "display_name": "Eve"})
    assert answer.status_code == 403


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
    ],
)
@pytest.mark.parametrize("path", ["/login", "/logout", "/register", "/auth/jwt/login", "/auth/register"])
async def test_foreign_pages_cannot_sign_anybody_in_or_out(
    client: AsyncClient, path: str, headers: dict[str, str]
) -> None:
    """Login and logout CSRF: unsafe requests from another origin are refused on public routes too."""
    answer = await client.post(path, data=SIGN_IN, headers=headers)
    assert (answer.status_code, answer.json()["type"].rpartition("/")[2]) == (403, "cross-site")
    assert "set-cookie" not in answer.headers


async def test_a_planted_cookie_is_not_kept(client: AsyncClient) -> None:
    """Signing in never adopts the session id that the browser brought along."""
    await client.post("/auth/register", json={"email": "ann@example.org", "password": PASSWORD})
    planted = "planted-by-somebody-else-planted-by-somebody"
    client.cookies.set("identity_session", planted, domain="platform.test")
    entered = await client.post("/login", data=SIGN_IN)
    assert entered.status_code == 303
    given = re.search(r"identity_session=([^;]+)", entered.headers["set-cookie"])
    assert given
    assert given.group(1) != planted
    client.cookies.clear()
    client.cookies.set("identity_session", planted, domain="platform.test")
    assert (await client.get("/users/me")).status_code == 401


async def test_cookies_are_shut_away(ann: AsyncClient) -> None:
    """Session and device cookies are HttpOnly and SameSite=Lax, for the whole host and no domain."""
    ann.cookies.clear()
    entered = await ann.post("/auth/jwt/login", json=SIGN_IN)
    assert entered.status_code == 200
    assert "set-cookie" not in entered.headers
    cookies = (await ann.post("/login", data=SIGN_IN)).headers.get_list("set-cookie")
    assert len(cookies) == 2
    for cookie in cookies:
        assert "HttpOnly" in cookie
        assert "samesite=lax" in cookie.lower()
        assert "Path=/" in cookie
        assert "domain" not in cookie.lower()


@pytest.mark.parametrize("field", ["is_superuser", "is_verified", "roles", "owner", "status", "id", "urn", "epoch"])
async def test_protected_fields_cannot_be_set_by_oneself(client: AsyncClient, field: str) -> None:
    """A protected field in register or the own profile is a 422, and nothing else of the request is applied."""
    value: object = True if field.startswith("is_") else "x"
    email = f"{field.replace('_', '-')}@example.org"
    body = {"email": email, "password": PASSWORD, field: value}
    assert (await client.post("/auth/register", json=body)).status_code == 422
    assert (await client.post("/auth/jwt/login", json={"email": email, "password": PASSWORD})).status_code == 401
    await client.post("/auth/register", json={"email": email, "password": PASSWORD})
    tokens = (await client.post("/auth/jwt/login", json={"email": email, "password": PASSWORD})).json()
    headers = {"authorization": f"Bearer {tokens['access_token']}"}
    change = {"display_name": "Root", field: value}
    assert (await client.patch("/users/me", headers=headers, json=change)).status_code == 422
    assert (await client.get("/users/me", headers=headers)).json()["display_name"] != "Root"


async def test_no_secret_is_logged(ann: AsyncClient, capfd: pytest.CaptureFixture[str]) -> None:
    """Passwords, tokens and cookies of a whole visit appear nowhere in the log."""
    cookie = ann.cookies["identity_session"]
    await ann.get("/account", headers=HTML)
    ann.cookies.clear()
    tokens = (await ann.post("/auth/jwt/login", json=SIGN_IN)).json()
    await ann.get("/users/me", headers={"authorization": f"Bearer {tokens['access_token']}"})
    await ann.post("/auth/jwt/refresh", json={"refresh_token": tokens["refresh_token"]})
    await ann.post("/auth/jwt/login", json={**SIGN_IN, "password": "a wrong but secret one"})
    written = "".join(capfd.readouterr())
    secrets = (PASSWORD, cookie, tokens["access_token"], tokens["refresh_token"], "a wrong but secret one")
    assert [secret for secret in secrets if secret in written] == []
