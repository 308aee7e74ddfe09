"""The people of a run: an administrator that it was given, two ordinary persons that it makes, and nobody."""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass, field

import httpx

from au_sys_python_factory.errors import FactoryError

TOKEN = re.compile(r'name="csrf_token"\s+value="([^"]+)"|value="([^"]+)"\s+name="csrf_token"')


class CannotSignIn(FactoryError):
    """Without its people a gauntlet proves nothing."""


@dataclass(slots=True)
class Account:
    """Address, password and, once signed in, identity. Its repr shows no secret."""

    email: str
    password: str = field(repr=False)
    id: str = ""
    access_token: str = field(default="", repr=False)
    refresh_token: str = field(default="", repr=False)


@dataclass(slots=True)
class Sessions:
    """Signed-in clients, made when the first row asks for one."""

    base_url: str
    accounts: dict[str, Account]
    timeout: float = 30.0
    _open: dict[tuple[str, str, str], httpx.AsyncClient] = field(default_factory=dict)
    _csrf: dict[tuple[str, str, str], str] = field(default_factory=dict)

    async def client(self, who: str, kind: str, fresh: str) -> tuple[httpx.AsyncClient, str]:
        """A client that sends who it is, and the CSRF token for its unsafe requests ("" where none is due)."""
        key = (who, kind, fresh)
        if key not in self._open:
            self._open[key] = self.plain()
            if who != "anonymous":
                await self._sign_in(key)
        return self._open[key], self._csrf.get(key, "")

    def plain(self) -> httpx.AsyncClient:
        """A client that is nobody; proxies of the environment are not for a local shell."""
        return httpx.AsyncClient(base_url=self.base_url, timeout=self.timeout, trust_env=False, follow_redirects=False)

    async def close(self) -> None:
        """Close every client."""
        for client in self._open.values():
            await client.aclose()
        self._open.clear()

    async def tokens(self, account: Account) -> tuple[str, str]:
        """Access and refresh token of a new session; a one-time password is replaced on the way.

        Raises:
            CannotSignIn: with the answer's status and problem.
        """
        answer = await self._login(account)
        if answer.get("must_change_password"):
            await self._change_password(account, str(answer["access_token"]))
            answer = await self._login(account)
        return str(answer["access_token"]), str(answer.get("refresh_token", ""))

    async def _login(self, account: Account) -> dict[str, object]:
        async with self.plain() as client:
            form = {"username": account.email, "password": account.password}
            return expect_json(await client.post("/auth/jwt/login", data=form), 200, f"signing in {account.email}")

    async def _change_password(self, account: Account, token: str) -> None:
        chosen = new_password()
        async with self.plain() as client:
            expect_json(
                await client.patch(
                    "/users/me",
                    json={"current_password": account.password, "password": chosen},
                    headers={"Authorization": f"Bearer {token}"},
                ),
                200,
                f"changing the one-time password of {account.email}",
            )
        account.password = chosen

    async def _sign_in(self, key: tuple[str, str, str]) -> None:
        who, kind, fresh = key
        account, client = self.accounts[who], self._open[key]
        if kind == "cookie":
            self._csrf[key] = await self._sign_in_by_page(client, account)
            return
        if fresh or not account.access_token:
            access, refresh = await self.tokens(account)
        else:
            access, refresh = account.access_token, account.refresh_token
        if not fresh:
            account.access_token, account.refresh_token = access, refresh
        client.headers["Authorization"] = f"Bearer {access}"

    async def _sign_in_by_page(self, client: httpx.AsyncClient, account: Account) -> str:
        page = await client.get("/login", headers={"Accept": "text/html"})
        form = {"csrf_token": csrf_token(page.text), "email": account.email, "password": account.password}
        answer = await client.post("/login", data=form, headers={"Origin": self.base_url})
        if answer.status_code != 303:
            raise CannotSignIn(f"signing in {account.email} through the page: status {answer.status_code}")
        return csrf_token((await client.get("/account", headers={"Accept": "text/html"})).text)


async def make_person(sessions: Sessions, who: str, run: str, admin: Account | None) -> Account:
    """An ordinary person: registered, or made by the administrator where registration is not open.

    Raises:
        CannotSignIn: neither worked.
    """
    account = Account(f"gauntlet-{who}-{run}@fsp.example", new_password())
    async with sessions.plain() as client:
        body = {"email": account.email, "password": account.password}
        answer = await client.post("/auth/register", json=body)
        if answer.status_code not in (200, 201, 202) and admin is not None:
            body = {"email": account.email}
            made = expect_json(
                await client.post("/users", json={**body, "is_verified": True}, headers=bearer(admin)),
                201,
                "making a person",
            )
            account.password = str(made["one_time_password"])
    await complete(sessions, account)
    return account


async def complete(sessions: Sessions, account: Account) -> None:
    """Sign an account in and learn its id."""
    account.access_token, account.refresh_token = await sessions.tokens(account)
    async with sessions.plain() as client:
        me = expect_json(await client.get("/users/me", headers=bearer(account)), 200, f"asking who {account.email} is")
    account.id = str(me["id"])


def bearer(account: Account) -> dict[str, str]:
    """The header that says who asks."""
    return {"Authorization": f"Bearer {account.access_token}"}


def csrf_token(page: str) -> str:
    """The token in the first form of a page, or ""."""
    found = TOKEN.search(page)
    return (found[1] or found[2]) if found else ""


def new_password() -> str:
    """Random, and long enough for any policy."""
    return f"G-{secrets.token_urlsafe(24)}"


def expect_json(answer: httpx.Response, status: int, doing: str) -> dict[str, object]:
    """The JSON object of an answer.

    Raises:
        CannotSignIn: another status, or no JSON object.
    """
    try:
        document = answer.json()
    except ValueError:
        document = None
    if answer.status_code != status or not isinstance(document, dict):
        title = document.get("title", "") if isinstance(document, dict) else answer.text[:200]
        raise CannotSignIn(f"{doing}: status {answer.status_code} {title}".strip())
    return document
