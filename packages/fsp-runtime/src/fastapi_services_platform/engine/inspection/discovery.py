"""What ``/discovery`` tells of the platform, as far as the caller may see it.

A stranger learns what runs here and which routes are open. Who is signed in also learns the routes that they may call
and the permissions that they hold, and an operator why each capability is there, in which order, with which database.
"""

from fastapi_services_platform.engine.inspection.quality import quality_of
from fastapi_services_platform.engine.inspection.reasons import reasons_of
from fastapi_services_platform.engine.inventory import LoadedCapability
from fastapi_services_platform.engine.platform import Platform
from fastapi_services_platform.http.routing import RouteEntry
from fastapi_services_platform.resilience.pools import blocking
from fastapi_services_platform.security.ports import Authorizer
from fastapi_services_platform.security.principal import Principal

OPERATORS = "platform.capabilities.read"
"""Who holds it sees everything."""


async def discovered(platform: Platform, caller: Principal | None) -> dict[str, object]:
    """Capabilities in the order of their start, and routes in that of registration."""
    inventory = platform.inventory
    held = await _held(platform, caller)
    shown = [item for item in inventory.capabilities if item.state != "off" or OPERATORS in held]
    found: dict[str, object] = {
        "platform": platform.settings.name,
        "capabilities": [await _told(platform, item, held) for item in shown],
        "routes": [_route(entry) for entry in inventory.routes if _is_open(entry, caller, held)],
    }
    if caller is not None:
        found["permissions"] = sorted(held)
    return found


async def _held(platform: Platform, caller: Principal | None) -> frozenset[str]:
    container = platform.container
    if caller is None or Authorizer not in container:
        return frozenset()
    authorizer = await container.get(Authorizer)
    known = [permission.name for permission in platform.inventory.permissions]
    return frozenset([name for name in known if (await authorizer.authorize(caller, name)).allowed])


def _is_open(entry: RouteEntry, caller: Principal | None, held: frozenset[str]) -> bool:
    if entry.access.public or OPERATORS in held:
        return True
    return caller is not None and (entry.access.permission is None or entry.access.permission in held)


def _route(entry: RouteEntry) -> dict[str, object]:
    return {"path": entry.path, "methods": sorted(entry.methods), "capability": entry.owner.name}


async def _told(platform: Platform, item: LoadedCapability, held: frozenset[str]) -> dict[str, object]:
    manifest = item.manifest
    told: dict[str, object] = {
        "name": item.name,
        "version": manifest.version,
        "summary": manifest.summary,
        "state": item.state,
    }
    if OPERATORS not in held:
        return told
    wanted = manifest.database or item.contribution.migrations is not None
    return {
        **told,
        "why": list(reasons_of(item, platform.inventory)),
        "grade": (await blocking(quality_of, item, platform.inventory)).grade,
        "required": item.required,
        "distribution": item.distribution,
        "provides": list(manifest.provides),
        "requires": list(manifest.requires),
        "optional": list(manifest.optional),
        "permissions": [permission.name for permission in item.contribution.permissions],
        "database": platform.database(item.name).dialect if wanted else None,
    }
