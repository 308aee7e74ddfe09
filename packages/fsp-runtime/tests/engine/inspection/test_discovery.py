"""``/discovery`` tells each caller what is theirs to see."""

from collections.abc import Callable
from typing import Any

from fastapi import APIRouter

from fastapi_services_platform import Permission, PlatformSettings, RouterMount, Tier, access
from fastapi_services_platform.testing import started_app
from fastapi_services_platform.testing.stand_ins import believing_identity

ADA = {"authorization": "Bearer ada"}
READ, FORBID, OPERATE = "demo.note.read", "demo.note.forbid", "platform.capabilities.read"


def notes() -> RouterMount:
    router = APIRouter()
    for path, declared in (
        ("/open", access(public=True)),
        ("/mine", access(authenticated=True)),
        ("/read", access(permission=READ)),
        ("/forbidden", access(permission=FORBID)),
    ):

        async def endpoint() -> str:
            return "x"

        router.add_api_route(path, declared(endpoint))
    return RouterMount("api", router, Tier.API)


async def seen(
    settings: PlatformSettings, sample: Callable[..., Any], denied: set[str], headers: dict[str, str]
) -> tuple[set[str], dict[str, Any], list[str] | None]:
    """The demo's routes, what is told of the demo, and the permissions of the caller."""
    permissions = (Permission(READ, "Read notes."), Permission(FORBID, "Forbid notes."))
    demo = sample(routers=(notes(),), permissions=permissions)
    capabilities = [demo, believing_identity(frozenset(denied))]
    async with started_app(settings=settings, capabilities=capabilities) as client:
        found = (await client.get("/discovery", headers=headers)).json()
    routes = {route["path"] for route in found["routes"] if route["capability"] == "demo"}
    told = next(item for item in found["capabilities"] if item["name"] == "demo")
    return routes, told, found.get("permissions")


async def test_a_stranger_sees_what_is_open(settings: PlatformSettings, sample: Callable[..., Any]) -> None:
    """And of capabilities their name, version, summary and state."""
    routes, told, permissions = await seen(settings, sample, set(), {})
    assert (routes, permissions) == ({"/open"}, None)
    assert told == {"name": "demo", "version": "1.0", "summary": "The demo", "state": "running"}


async def test_a_caller_sees_what_they_may_call(settings: PlatformSettings, sample: Callable[..., Any]) -> None:
    """With the permissions that they hold."""
    routes, told, permissions = await seen(settings, sample, {FORBID, OPERATE}, ADA)
    assert routes == {"/open", "/mine", "/read"}
    assert (READ in (permissions or []), FORBID in (permissions or []), "why" in told) == (True, False, False)


async def test_an_operator_sees_everything(settings: PlatformSettings, sample: Callable[..., Any]) -> None:
    """Also what they may not call, and why each capability is there."""
    routes, told, _ = await seen(settings, sample, {FORBID}, ADA)
    assert routes == {"/open", "/mine", "/read", "/forbidden"}
    assert (told["required"], told["permissions"], told["database"]) == (True, [READ, FORBID], None)
    assert told["why"][1] == "It is required: the platform does not start without it."
