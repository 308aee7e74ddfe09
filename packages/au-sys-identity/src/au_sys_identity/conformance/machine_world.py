"""An installation with an administrator, two people with passkeys and a machine that one of them answers for: ground
on which machine MFA, approvals and grants are tried over HTTP, in process or against a running server.
"""

import asyncio
import base64
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

BOOTSTRAP = "a-bootstrap-token-of-some-length-0123456789"
PASSWORD = "correct horse battery staple"  # noqa: S105  # of people who exist in tests only
SCOPES = ["identity.*"]
Header = dict[str, str]
Json = dict[str, Any]  # Any: JSON
Answer = Any  # Any: an httpx.Response, which only tests have


class Device(Protocol):
    """An authenticator with one passkey."""

    def create(self, options: Json) -> Json: ...

    def get(self, options: Json) -> Json: ...


@dataclass
class Someone:
    """A person who is signed in, with her authenticator."""

    email: str
    device: Device
    headers: Header = field(default_factory=dict)
    id: str = ""


def slug(answer: Answer) -> str:
    """The end of a problem's type."""
    return str(answer.json()["type"]).rpartition("/")[2]


@dataclass
class MachineWorld:
    """Made with :meth:`made`; ``api`` may be any client of the installation, or of another node of it."""

    api: Any  # Any: an httpx.AsyncClient, which only tests have
    admin: Someone
    ann: Someone
    bob: Someone
    machine: str = ""
    urn: str = ""
    key: Header = field(default_factory=dict)
    key_id: str = ""

    @classmethod
    async def made(cls, api: Any, device: Callable[[], Device]) -> "MachineWorld":  # Any: as the field
        """Everybody, signed in; ann answers for the machine."""
        admin, ann, bob = (Someone(f"{name}@example.org", device()) for name in ("admin", "ann", "bob"))
        world = cls(api, admin, ann, bob)
        for person in (admin, ann, bob):
            body: Json = {"email": person.email, "password": PASSWORD}
            await api.post("/auth/register", json=body | ({"bootstrap_token": BOOTSTRAP} if person is admin else {}))
            await world.sign_in(person)
            person.id = (await world.ok("GET", "/users/me", person.headers))["id"]
        made = await world.ok(
            "POST",
            "/iam/service-accounts",
            world.admin.headers,
            {"name": "Importer", "purpose": "Nightly import", "custodian": world.ann.id},
        )
        world.machine, world.urn = made["id"], made["urn"]
        await world.give("org-admin")
        key = await world.new_key()
        world.key, world.key_id = {"x-api-key": key["secret"]}, key["id"]
        return world

    async def sign_in(self, person: Someone) -> None:
        """By password."""
        body = {"email": person.email, "password": PASSWORD}
        answer = await self.api.post("/auth/jwt/login", json=body)
        person.headers = {"authorization": f"Bearer {answer.json()['access_token']}"}

    async def enrol(self, person: Someone) -> None:
        """Give somebody a passkey, and sign her in with it."""
        options = await self.ok("POST", "/mfa/passkeys/options", person.headers)
        made = {"attestation": person.device.create(options), "name": "Key"}
        await self.ok("POST", "/mfa/passkeys", person.headers, made)
        wanted = await self.ok("POST", "/auth/passkeys/options", {}, {})
        entered = await self.ok("POST", "/auth/passkeys/login", {}, {"assertion": person.device.get(wanted)})
        person.headers = {"authorization": f"Bearer {entered['access_token']}"}

    async def give(self, role: str) -> None:
        """Give the machine a role."""
        await self.ok("POST", f"/rbac/users/{self.urn}/roles", self.admin.headers, {"role": role})

    async def new_key(self) -> Json:
        """A further key of the machine."""
        body = {"name": "Night", "scopes": SCOPES}
        return await self.ok("POST", f"/iam/service-accounts/{self.machine}/keys", self.admin.headers, body)

    async def proves(self, mode: str, applies_to: str = "irreversible", **more: object) -> Json:
        """Set how the machine proves itself."""
        body = {"mode": mode, "applies_to": applies_to, **more}
        return await self.ok("PUT", f"/iam/service-accounts/{self.machine}/mfa", self.admin.headers, body)

    async def ask(self, method: str, path: str, **more: object) -> Json:
        """The machine asks for one act."""
        body = {"method": method, "path": path, "reason": "Because", **more}
        return await self.ok("POST", "/mfa/delegated/request", self.key, body)

    async def approve(self, person: Someone, asked: Json, *, signed: bool = True, **more: object) -> Answer:
        """Somebody approves what was asked, with her passkey or without."""
        body: Json = {"approval_id": asked["id"], "decision": "approve", "act_hash": asked["act_hash"]}
        if signed:
            body["assertion"] = sign(person.device, asked["act_hash"])
        return await self.api.post("/mfa/delegated/approve", headers=person.headers, json=body | more)

    async def act(self, method: str, path: str, approval: str = "", **more: Any) -> Answer:  # Any: of httpx
        """The machine calls, perhaps with an approval."""
        headers = self.key | ({"x-approval": approval} if approval else {}) | more.pop("headers", {})
        return await self.api.request(method, path, headers=headers, **more)

    async def ok(self, method: str, path: str, headers: Header, body: Json | None = None) -> Json:
        """The answer to a request that has to go well; another node may learn of a change a moment later."""
        answer = await self.api.request(method, path, headers=headers, json=body)
        for _ in range(20):
            if answer.status_code not in (401, 403):
                break
            await asyncio.sleep(0.1)
            answer = await self.api.request(method, path, headers=headers, json=body)
        assert answer.status_code < 300, (method, path, answer.status_code, answer.text)
        return dict(answer.json()) if answer.content else {}


def sign(device: Device, act_hash: str, *, rp_id: str = "platform.test") -> Json:
    """A passkey's signature over the hash of an act."""
    challenge = base64.urlsafe_b64encode(bytes.fromhex(act_hash)).rstrip(b"=").decode()
    return device.get({"rpId": rp_id, "challenge": challenge})
