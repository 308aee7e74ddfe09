"""``POST /mcp``: an agent lists the operations that it may call as tools, and calls them through the same door."""

from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path
from typing import Any  # Any: JSON

import pytest
from fastapi import APIRouter
from httpx import AsyncClient, Response
from pydantic import BaseModel, Field

from fastapi_services_platform import McpTool, Permission, PlatformSettings, RouterMount, Tier, access
from fastapi_services_platform.errors import InvalidContribution
from fastapi_services_platform.fastapi import CurrentPrincipal
from fastapi_services_platform.testing import started_app
from fastapi_services_platform.testing.stand_ins import Prepared, believing_identity
from fastapi_services_platform.testing.started_app import settings_for

ADA = {"authorization": "Bearer ada"}
MODERN = {
    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
    "io.modelcontextprotocol/clientCapabilities": {},
}
TOOLS = (
    McpTool("note", "Read one note.", "get_note"),
    McpTool("add_note", "Write a note.", "add_note"),
    McpTool("forget", "Forget everything.", "forget"),
)
PERMISSIONS = tuple(Permission(f"demo.note.{verb}", verb) for verb in ("read", "write", "forget"))
router = APIRouter()


class Line(BaseModel):
    """A line with its number."""

    number: int = Field(ge=1)


class Note(BaseModel):
    """A note."""

    text: str = Field(max_length=20)
    lines: list[Line] = []


@router.get("/notes/{name}", operation_id="get_note")
@access(permission="demo.note.read")
async def get_note(name: str, who: CurrentPrincipal, times: int = 1) -> dict[str, object]:
    return {"name": name * times, "asked_by": who.urn}


@router.get("/notes/{name}/drafts", operation_id="get_drafts")
@access(permission="demo.note.read")
async def get_drafts(name: str) -> dict[str, str]:
    return {"drafts_of": name}


@router.post("/notes", operation_id="add_note", status_code=201)
@access(permission="demo.note.write")
async def add_note(note: Note) -> Note:
    return note


@router.delete("/notes", operation_id="forget", status_code=204)
@access(permission="demo.note.forget", reversibility="irreversible")
async def forget() -> None:
    return None


@pytest.fixture
async def client(settings: PlatformSettings, sample: Callable[..., Prepared]) -> AsyncIterator[AsyncClient]:
    demo = sample(routers=(RouterMount("notes", router, Tier.API),), permissions=PERMISSIONS, mcp_tools=TOOLS)
    door = believing_identity(denied=frozenset({"demo.note.forget"}))
    async with started_app(settings=settings, capabilities=[demo, door]) as started:
        yield started


async def ask(client: AsyncClient, method: str, params: Mapping[str, Any] | None = None, **headers: str) -> Response:
    """One request in the way of 2026-07-28."""
    said = {**(params or {}), "_meta": MODERN}
    routed = {"mcp-protocol-version": "2026-07-28", "mcp-method": method}
    if "name" in said:
        routed["mcp-name"] = said["name"]
    message = {"jsonrpc": "2.0", "id": 7, "method": method, "params": said}
    return await client.post("/mcp", json=message, headers={**ADA, **routed, **headers})


async def call(client: AsyncClient, tool: str, **arguments: object) -> dict[str, Any]:
    """The result of a tool."""
    answer = await ask(client, "tools/call", {"name": tool, "arguments": arguments})
    result: dict[str, Any] = answer.json()["result"]
    return result


async def test_tools_are_listed_with_the_schema_of_their_operation(client: AsyncClient) -> None:
    """What the caller may not call is not there; references lie inside the schema."""
    answer = (await ask(client, "tools/list")).json()
    assert (answer["id"], answer["result"]["resultType"], answer["result"]["cacheScope"]) == (7, "complete", "private")
    read, write = answer["result"]["tools"]
    assert (read["name"], read["description"], read["inputSchema"]["required"]) == ("note", "Read one note.", ["name"])
    assert set(read["inputSchema"]["properties"]) == {"name", "times"}
    assert (read["annotations"]["readOnlyHint"], write["annotations"]["readOnlyHint"]) == (True, False)
    assert write["inputSchema"]["properties"]["lines"]["items"] == {"$ref": "#/$defs/Line"}
    assert write["inputSchema"]["$defs"]["Line"]["required"] == ["number"]


async def test_a_call_is_a_request_of_the_same_caller(client: AsyncClient) -> None:
    """Arguments go to the path (escaped), the query and the body."""
    read = await call(client, "note", name="a b", times=2)
    assert (read["isError"], read["structuredContent"]) == (False, {"name": "a ba b", "asked_by": "urn:fsp:person:ada"})
    written = await call(client, "add_note", text="hello", lines=[{"number": 1}])
    assert written["structuredContent"] == {"text": "hello", "lines": [{"number": 1}]}


async def test_an_argument_leads_to_no_other_operation(client: AsyncClient) -> None:
    """A slash in it would; the tool was for one operation only."""
    answer = await ask(client, "tools/call", {"name": "note", "arguments": {"name": "ada/drafts"}})
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, -32602)
    assert "leads to another operation" in answer.json()["error"]["message"]


async def test_what_is_switched_off_is_no_tool(
    settings: PlatformSettings, sample: Callable[..., Prepared], tmp_path: Path
) -> None:
    """An operator who takes a router away takes its tools, and the platform starts."""
    (tmp_path / "router_factory_features.yaml").write_text("capabilities:\n  demo:\n    routers:\n      notes: false\n")
    demo = sample(routers=(RouterMount("notes", router, Tier.API),), permissions=PERMISSIONS, mcp_tools=TOOLS)
    off = settings_for(settings.data_dir, config_dir=tmp_path)
    async with started_app(settings=off, capabilities=[demo, believing_identity()]) as client:
        assert (await ask(client, "tools/list")).json()["result"]["tools"] == []


async def test_a_refusal_of_the_operation_is_an_answer_that_a_model_can_read(client: AsyncClient) -> None:
    """It names the field; the protocol itself did not fail."""
    refused = await call(client, "add_note", text="x" * 30)
    assert (refused["isError"], refused["structuredContent"]["status"]) == (True, 422)
    assert "text" in refused["content"][0]["text"]


@pytest.mark.parametrize(
    ("params", "said"),
    [
        ({"name": "forget"}, "there is no tool 'forget'"),
        ({"name": "nothing"}, "there is no tool 'nothing'"),
        ({"name": "note", "arguments": {"name": "a", "admin": True}}, "has no argument admin"),
        ({"name": "note", "arguments": {}}, "needs the argument name"),
        ({"name": "note", "arguments": [1]}, "arguments is no object"),
    ],
)
async def test_what_cannot_be_called_is_an_error(params: dict[str, Any], said: str, client: AsyncClient) -> None:
    """A tool that is not permitted is one that is not there."""
    answer = await ask(client, "tools/call", params)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, -32602)
    assert said in answer.json()["error"]["message"]


async def test_discovery_and_the_handshake_before_it(client: AsyncClient) -> None:
    """Newer clients discover, older ones shake hands; neither is remembered."""
    found = (await ask(client, "server/discover")).json()["result"]
    assert (found["supportedVersions"], found["capabilities"]) == (["2026-07-28"], {"tools": {}})
    hello = {"jsonrpc": "2.0", "id": "a", "method": "initialize", "params": {"protocolVersion": "2025-06-18"}}
    shaken = (await client.post("/mcp", json=hello, headers=ADA)).json()["result"]
    assert (shaken["protocolVersion"], "resultType" in shaken) == ("2025-06-18", False)
    done = {"jsonrpc": "2.0", "method": "notifications/initialized"}
    assert (await client.post("/mcp", json=done, headers=ADA)).status_code == 202
    listing = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
    older = await client.post("/mcp", json=listing, headers={**ADA, "mcp-protocol-version": "2025-11-25"})
    assert [tool["name"] for tool in older.json()["result"]["tools"]] == ["note", "add_note"]


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"{", 400, -32700),
        (b"[]", 400, -32600),
        (b'{"jsonrpc": "2.0", "id": 1, "method": "resources/list"}', 404, -32601),
        (b'{"jsonrpc": "2.0", "id": true, "method": "ping"}', 400, -32600),
        (b'{"jsonrpc": "1.0", "id": 1, "method": "ping"}', 400, -32600),
        (b'{"jsonrpc": "2.0", "id": 1, "method": "ping", "params": []}', 400, -32600),
    ],
)
async def test_what_is_no_message_is_an_error(body: bytes, status: int, code: int, client: AsyncClient) -> None:
    """With the code that JSON-RPC gives it."""
    answer = await client.post("/mcp", content=body, headers={**ADA, "content-type": "application/json"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)


async def test_headers_and_body_say_the_same(client: AsyncClient) -> None:
    """A proxy that routes by headers is not led astray; an unknown version is told the known one."""
    split = await ask(client, "tools/list", None, **{"mcp-method": "tools/call"})
    assert split.json()["error"]["code"] == -32020
    said = {"_meta": {**MODERN, "io.modelcontextprotocol/protocolVersion": "2030-01-01"}}
    message = {"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": said}
    routed = {**ADA, "mcp-protocol-version": "2030-01-01", "mcp-method": "tools/list"}
    unknown = (await client.post("/mcp", json=message, headers=routed)).json()["error"]
    assert (unknown["code"], unknown["data"]["supported"]) == (-32022, ["2026-07-28"])


async def test_nobody_calls_unseen(client: AsyncClient) -> None:
    """Without a credential nothing is listed; a cookie needs its proof against forgery as everywhere."""
    listing = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
    assert (await client.post("/mcp", json=listing)).status_code == 401
    assert (await client.post("/mcp", json=listing, headers={"cookie": "session=ada"})).status_code == 403


async def test_a_tool_without_an_operation_stops_the_start(
    settings: PlatformSettings, sample: Callable[..., Prepared]
) -> None:
    """The capability, the tool and the operation are named."""
    demo = sample(mcp_tools=(McpTool("note", "Read one note.", "nowhere"),))
    with pytest.raises(InvalidContribution, match=r"MCP tool 'note' names the operation 'nowhere'"):
        async with started_app(settings=settings, capabilities=[demo, believing_identity()]):
            raise AssertionError("it started")
