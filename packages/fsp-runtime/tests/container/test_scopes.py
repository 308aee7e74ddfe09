"""Services by type: two lifetimes, opened in order, closed in reverse."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from fastapi_services_platform import Service
from fastapi_services_platform.container.pings import ping_services
from fastapi_services_platform.container.registry import Registry
from fastapi_services_platform.errors import (
    PlatformError,
    ServiceCycle,
    ServiceLifetimeError,
    ServiceNotRegistered,
)


class Pool:
    """An app service."""


class Session:
    """A request service."""


class Other:
    """Another one."""


async def test_app_services_are_one_and_request_services_are_one_per_request() -> None:
    """The same pool everywhere, a session for each request."""
    registry = Registry()
    registry.register(Service(Pool, lambda _: Pool()))
    registry.register(Service(Session, lambda _: Session(), "request"))
    one, two = registry.request_scope(), registry.request_scope()
    assert await one.get(Pool) is await two.get(Pool)
    assert await one.get(Session) is await one.get(Session)
    assert await one.get(Session) is not await two.get(Session)


async def test_what_is_asked_for_at_once_is_built_once() -> None:
    """Fifty requests that meet an unbuilt service wait for the same one."""
    registry, built = Registry(), 0

    async def make(_scope: Any) -> Pool:
        nonlocal built
        await asyncio.sleep(0)
        built += 1
        return Pool()

    registry.register(Service(Pool, make))
    pools = await asyncio.gather(*(registry.request_scope().get(Pool) for _ in range(50)))
    assert (built, len(set(map(id, pools)))) == (1, 1)


async def test_services_close_in_reverse_and_the_first_error_is_kept() -> None:
    """Every clean-up runs; its first error is raised at the end."""
    registry, steps = Registry(), list[str]()

    def opened(name: str, *, fails: bool = False) -> Any:
        async def factory(_scope: Any) -> AsyncIterator[str]:
            steps.append(f"open {name}")
            yield name
            steps.append(f"close {name}")
            if fails:
                raise RuntimeError(name)

        return factory

    registry.register(Service(Pool, opened("pool", fails=True)))
    registry.register(Service(Session, opened("session", fails=True)))
    registry.register(Service(Other, opened("other")))
    for interface in (Pool, Session, Other):
        await registry.get(interface)
    with pytest.raises(RuntimeError, match="session"):
        await registry.close()
    assert steps == ["open pool", "open session", "open other", "close other", "close session", "close pool"]


async def test_errors_name_the_way() -> None:
    """Unknown, cyclic, outlived and doubly registered services."""
    registry = Registry()
    registry.register(Service(Session, lambda _: Session(), "request"), "demo")
    registry.register(Service(Pool, lambda scope: scope.get(Other)))
    registry.register(Service(Other, lambda scope: scope.get(Pool)))
    with pytest.raises(ServiceNotRegistered, match="No service is registered for int"):
        await registry.get(int)
    with pytest.raises(ServiceLifetimeError, match="Session lives one request"):
        await registry.get(Session)
    with pytest.raises(ServiceCycle, match="Pool → Other → Pool"):
        await registry.get(Pool)
    with pytest.raises(PlatformError, match="two and demo both register a service for Session"):
        registry.register(Service(Session, lambda _: Session()), "two")


async def test_pings_tell_health() -> None:
    """A ping that raises is unhealthy, and the error's text stays inside."""
    registry = Registry()

    async def fine(_service: Any) -> None:
        return

    async def broken(_service: Any) -> None:
        raise RuntimeError("password=hunter2")

    registry.register(Service(Pool, lambda _: Pool(), ping=fine))
    registry.register(Service(Other, lambda _: Other(), ping=broken))
    found = await ping_services(registry)
    assert {name: (health.status, health.detail) for name, health in found.items()} == {
        "Pool": ("healthy", ""),
        "Other": ("unhealthy", "RuntimeError"),
    }
