"""Ask services whether they work."""

import asyncio

from fastapi_services_platform.capability.contribution import Health
from fastapi_services_platform.container.registry import Registry

_PING_SECONDS = 2.0


async def ping_services(registry: Registry) -> dict[str, Health]:
    """The health of every app service that has a ping, by the name of its type. A ping that raises or hangs is
    unhealthy.
    """
    pinged = [recipe for recipe in registry.recipes() if recipe.ping is not None and recipe.lifetime == "app"]
    names = [getattr(recipe.interface, "__name__", str(recipe.interface)) for recipe in pinged]
    results = await asyncio.gather(*(_ping(registry, recipe.interface) for recipe in pinged))
    return dict(zip(names, results, strict=True))


async def _ping(registry: Registry, interface: type[object]) -> Health:
    recipe = next(known for known in registry.recipes() if known.interface is interface)
    try:
        async with asyncio.timeout(_PING_SECONDS):
            if recipe.ping is not None:
                await recipe.ping(await registry.get(interface))
    except TimeoutError:
        return Health("unhealthy", f"no answer within {_PING_SECONDS:g} s")
    except Exception as error:
        return Health("unhealthy", type(error).__name__)
    return Health("healthy")
