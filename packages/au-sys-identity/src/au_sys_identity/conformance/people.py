"""People, machines and groups of a test, made over HTTP: an administrator, whoever joins, and what they answer for."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import httpx

PASSWORD = "correct horse battery staple"  # noqa: S105  # of people who exist in tests only
Header = dict[str, str]
Json = dict[str, Any]  # Any: JSON


def slug(answer: "httpx.Response") -> str:
    """The end of a problem's type; the status when it is no problem."""
    kind = answer.json().get("type", "") if answer.content else ""
    return str(kind).rpartition("/")[2] or str(answer.status_code)


class Together:
    """What the tests of graph, custody, groups and organizations do again and again."""

    def __init__(self, api: "httpx.AsyncClient", admin: Header) -> None:
        self.api = api
        self.admin = admin

    async def signed_in(self, email: str, password: str = PASSWORD) -> Header:
        """The header of a signed-in program."""
        answer = await self.api.post("/auth/jwt/login", json={"email": email, "password": password})
        return {"authorization": f"Bearer {answer.json()['access_token']}"}

    async def person(self, name: str) -> tuple[str, Header]:
        """Somebody who registered: her URN, and how she is signed in."""
        email = f"{name}@example.org"
        await self.api.post("/auth/register", json={"email": email, "password": PASSWORD})
        header = await self.signed_in(email)
        return str((await self.api.get("/users/me", headers=header)).json()["urn"]), header

    async def made(self, path: str, body: Mapping[str, object], who: Header | None = None) -> Json:
        """What a POST makes."""
        answer = await self.api.post(path, headers=who or self.admin, json=dict(body))
        assert answer.status_code in (200, 201), answer.text
        found: Json = answer.json()
        return found

    async def provider(self, name: str = "Acme AI") -> str:
        """The URN of a new AI provider."""
        return str((await self.made("/iam/ai-providers", {"name": name, "vendor": "Acme"}))["urn"])

    async def agent(self, custodian: str, provider: str, *, parent: str | None = None, name: str = "Helper") -> str:
        """The URN of a new agent."""
        body = {
            "name": name, "purpose": "Sorts mail", "custodian": custodian, "provider": provider, "parent": parent,
            "model_spec": {"names": ["acme-1"]}, "mfa": {"mode": "none"}, "cap": "none",
        }  # fmt: skip
        return str((await self.made("/iam/ai-agents", body))["urn"])

    async def key(self, machine: str) -> Header:
        """A key that reads people, with the role for it."""
        await self.made(f"/rbac/users/{machine}/roles", {"role": "helpdesk"})
        path = "ai-agents" if ":agent:" in machine else "service-accounts"
        made = await self.made(f"/iam/{path}/{machine}/keys", {"name": "Night", "scopes": ["identity.users.read"]})
        return {"x-api-key": str(made["secret"])}

    async def group(self, name: str) -> str:
        """The URN of a new group."""
        return str((await self.made("/iam/groups", {"name": name}))["urn"])

    async def link(self, source: str, relation: str, target: str, who: Header | None = None) -> "httpx.Response":
        """The answer to an edge that is asked for."""
        body = {"source": source, "relation": relation, "target": target}
        return await self.api.post("/iam/graph/link", headers=who or self.admin, json=body)

    async def acts(self, key: Header) -> str:
        """How a machine's request ends."""
        return slug(await self.api.get("/users", headers=key))
