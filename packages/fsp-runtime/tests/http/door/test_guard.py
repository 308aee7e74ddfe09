"""The guard: what it is shown, when it is asked, and that the endpoint misses nothing."""

from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field

import pytest
from fastapi import APIRouter, WebSocket
from httpx import AsyncClient
from pydantic import BaseModel
from starlette.requests import HTTPConnection, Request

from fastapi_services_platform import (
    Anonymous,
    Authentication,
    Authenticator,
    Authorizer,
    Decision,
    GuardedRequest,
    Permission,
    PlatformSettings,
    Principal,
    Refused,
    RequestGuard,
    RouterMount,
    Service,
    Tier,
    access,
    guarded,
    reversible,
)
from fastapi_services_platform.testing import started_app
from fastapi_services_platform.testing.stand_ins import Prepared

router = APIRouter()


class Note(BaseModel):
    text: str


@router.post("/notes")
@access(permission="demo.note.write")
@reversible("irreversible")
async def write(note: Note) -> dict[str, str]:
    return {"text": note.text}


@router.post("/raw")
@access(authenticated=True)
async def raw(request: Request) -> dict[str, int]:
    return {"size": len(await request.body())}


@router.websocket("/talk")
@access(authenticated=True)
async def talk(socket: WebSocket) -> None:
    await socket.accept()
    await socket.send_text(await socket.receive_text())
    await socket.close()


@router.post("/marked")
@access(authenticated=True)
@guarded
async def marked() -> None:
    return None


@dataclass
class Watching:
    """Programs are ``app-…``; it notes what it is asked, and refuses or fails as it is told."""

    seen: list[tuple[str, str, str, bytes]] = field(default_factory=list)
    refuse: str = ""
    forbids: bool = False

    async def authenticate(self, connection: HTTPConnection) -> Authentication:
        name = connection.headers.get("authorization", "").removeprefix("Bearer ")
        if not name:
            return Anonymous()
        return Principal(f"urn:{name}", "app" if name.startswith("app") else "person", name, "password")

    async def authorize(self, principal: Principal, permission: str, resource: str = "") -> Decision:
        return Decision(not self.forbids, "as told")

    async def before(self, request: GuardedRequest) -> Refused | None:
        return await self._note("before", request)

    async def after(self, request: GuardedRequest) -> Refused | None:
        return await self._note("after", request)

    async def _note(self, when: str, request: GuardedRequest) -> Refused | None:
        self.seen.append((when, request.method, request.reversibility, await request.body()))
        if self.refuse == "fail":
            raise RuntimeError("broken")
        return Refused("demo/no", "Not so.", status=403) if self.refuse == when else None


@pytest.fixture
def guard() -> Watching:
    return Watching()


@pytest.fixture
async def client(
    sample: Callable[..., Prepared], settings: PlatformSettings, guard: Watching
) -> AsyncIterator[AsyncClient]:
    ports = (Authenticator, Authorizer, RequestGuard)
    identity = sample(
        "identity",
        manifest={"provides": ("authenticator@1", "authorizer@1", "request-guard@1")},
        services=tuple(Service(port, lambda _scope: guard) for port in ports),
    )
    may = (Permission("demo.note.write", "Write notes"),)
    demo = sample(permissions=may, routers=(RouterMount("api", router, Tier.API),))
    async with started_app(settings=settings, capabilities=[identity, demo]) as client:
        yield client


APP = {"authorization": "Bearer app-one"}


async def test_a_program_passes_the_guard_and_its_body_arrives(client: AsyncClient, guard: Watching) -> None:
    """The guard sees body and reversibility before and after the permission; the endpoint sees the body too."""
    body = b'{"text": "hello"}'
    answer = await client.post("/notes", headers={**APP, "content-type": "application/json"}, content=body)
    assert (answer.status_code, answer.json()) == (200, {"text": "hello"})
    assert guard.seen == [("before", "POST", "irreversible", body), ("after", "POST", "irreversible", body)]


async def test_a_body_in_parts_arrives_whole(client: AsyncClient, guard: Watching) -> None:
    """Read ahead by the guard, it is as long for the endpoint."""

    async def parts() -> AsyncIterator[bytes]:
        for _ in range(3):
            yield b"x" * 1000

    answer = await client.post("/raw", headers=APP, content=parts())
    assert (answer.json(), guard.seen[0][2], len(guard.seen[0][3])) == ({"size": 3000}, "recoverable", 3000)


async def test_what_the_guard_refuses_does_not_run(client: AsyncClient, guard: Watching) -> None:
    """Its slug and status are the answer; a refusal before the permission is the only question asked."""
    guard.refuse = "before"
    answer = await client.post("/notes", headers=APP, json={"text": "x"})
    assert (answer.status_code, answer.json()["type"].rpartition("/problems/")[2]) == (403, "demo/no")
    assert [when for when, *_ in guard.seen] == ["before"]
    guard.refuse = "after"
    assert (await client.post("/notes", headers=APP, json={"text": "x"})).status_code == 403


async def test_without_the_permission_the_last_question_is_not_asked(client: AsyncClient, guard: Watching) -> None:
    """What is used up by an act is not used up by a refused one."""
    guard.forbids = True
    answer = await client.post("/notes", headers=APP, json={"text": "x"})
    assert (answer.status_code, [when for when, *_ in guard.seen]) == (403, ["before"])


async def test_a_guard_that_fails_lets_nothing_through(client: AsyncClient, guard: Watching) -> None:
    """503, and the endpoint has not run."""
    guard.refuse = "fail"
    assert (await client.post("/notes", headers=APP, json={"text": "x"})).status_code == 503


async def test_people_are_asked_where_an_endpoint_is_marked(client: AsyncClient, guard: Watching) -> None:
    """And nowhere else."""
    ann = {"authorization": "Bearer ann"}
    assert (await client.post("/raw", headers=ann, content=b"x")).status_code == 200
    assert guard.seen == []
    assert (await client.post("/marked", headers=ann)).status_code == 200
    assert len(guard.seen) == 2


async def test_a_websocket_has_no_body(client: AsyncClient, guard: Watching) -> None:
    """The guard is asked about the handshake, and takes nothing of what is said."""
    app = client._transport.app  # type: ignore[attr-defined]  # the transport of the testing kit holds the app
    said: list[dict[str, object]] = []
    heard: Iterator[dict[str, object]] = iter(
        [{"type": "websocket.connect"}, {"type": "websocket.receive", "text": "hello"}]
    )

    async def receive() -> dict[str, object]:
        return next(heard)

    async def send(message: dict[str, object]) -> None:
        said.append(message)

    headers = [(b"host", b"platform.test"), (b"authorization", b"Bearer app-one")]
    scope = {"type": "websocket", "scheme": "ws", "path": "/talk", "query_string": b"", "headers": headers}
    await app({**scope, "client": ("127.0.0.1", 1), "subprotocols": []}, receive, send)
    assert [when for when, *_ in guard.seen] == ["before", "after"]
    assert [message.get("text") for message in said if message["type"] == "websocket.send"] == ["hello"]
