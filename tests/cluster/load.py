"""People at work: each signs in once, then reads and writes without a pause; every answer is counted."""

import asyncio
import secrets
from collections import Counter
from dataclasses import dataclass, field

import httpx
from tests.cluster.nodes import EMAIL


@dataclass
class Load:
    """What came back: answers by operation and status, and what went wrong in words."""

    answers: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)
    stopping: asyncio.Event = field(default_factory=asyncio.Event)
    working: int = 0
    """People who have signed in and begun."""

    async def person(self, url: str, password: str, *, keeps: bool) -> None:
        """Until told to stop: who am I, put a document, read it back; on one kept connection, or on a new one each."""
        limits = httpx.Limits(max_keepalive_connections=1 if keeps else 0)
        async with httpx.AsyncClient(base_url=url, timeout=60, trust_env=False, limits=limits) as client:
            name = secrets.token_hex(6)
            headers = {"Authorization": f"Bearer {await _token(client, password)}"}
            number = 0
            self.working += 1
            while not self.stopping.is_set():
                number += 1
                place = f"/storage/cluster/{name}-{number % 5}"
                await self._ask(client, "read", "GET", "/users/me", headers, None)
                await self._ask(client, "write", "PUT", place, headers, {"number": number})
                found = await self._ask(client, "read back", "GET", place, headers, None)
                if found is not None and found.json().get("number") != number and found.is_success:
                    self.failures.append(f"{place}: wrote {number}, read {found.text[:80]}")

    async def _ask(
        self, client: httpx.AsyncClient, what: str, method: str, path: str, headers: dict[str, str], body: object
    ) -> httpx.Response | None:
        try:
            answer = await client.request(method, path, headers=headers, json=body)
        except httpx.HTTPError as error:
            self.answers[f"{what}: {type(error).__name__}"] += 1
            self.failures.append(f"{what} {path}: {error!r}")
            return None
        self.answers[f"{what}: {answer.status_code}"] += 1
        if not answer.is_success:
            self.failures.append(f"{what} {path}: {answer.status_code} {answer.text[:120]}")
        return answer


async def _token(client: httpx.AsyncClient, password: str) -> str:
    """Signing in is not what is measured: told to wait, people wait."""
    while True:
        answer = await client.post("/auth/jwt/login", data={"username": EMAIL, "password": password})
        if answer.status_code != httpx.codes.TOO_MANY_REQUESTS:
            return str(answer.raise_for_status().json()["access_token"])
        await asyncio.sleep(float(answer.headers.get("retry-after", "1")))
