"""Service instances of one lifetime, opened in order and closed in reverse."""

import asyncio
import inspect
from collections.abc import AsyncGenerator, Callable, Mapping
from contextvars import ContextVar
from typing import Any, TypeVar, cast

from fastapi_services_platform.capability.contribution import Service
from fastapi_services_platform.errors import ServiceCycle, ServiceLifetimeError, ServiceNotRegistered
from fastapi_services_platform.observability.logger_factory import get_logger

T = TypeVar("T")

_log = get_logger(__name__)
_building: ContextVar[tuple[object, ...]] = ContextVar("fsp_services_being_built", default=())


def _name(interface: object) -> str:
    return getattr(interface, "__qualname__", None) or str(interface)


class Scope:
    """Gives services by type. A request scope has the app's scope as parent; the app's scope has none."""

    __slots__ = ("_closers", "_instances", "_locks", "_parent", "_recipes")

    def __init__(self, recipes: Mapping[object, Service], parent: "Scope | None") -> None:
        self._recipes = recipes
        self._parent = parent
        self._instances: dict[object, object] = {}
        self._closers: list[tuple[object, AsyncGenerator[Any]]] = []  # Any: each yields a service of its own type
        self._locks: dict[object, asyncio.Lock] = {}

    async def get(self, interface: Callable[..., T]) -> T:
        """The service of a type, built on first use.

        Raises:
            ServiceNotRegistered: there is no recipe.
            ServiceLifetimeError: it lives one request and this is the app's scope.
            ServiceCycle: recipes need each other; the error holds the whole path.
        """
        found = self._instances.get(interface)
        if found is not None:
            return cast(T, found)  # the recipe of a type makes values of that type
        recipe = self._recipes.get(interface)
        if recipe is None:
            raise ServiceNotRegistered(_name(interface), [_name(known) for known in self._recipes])
        if recipe.lifetime == "app" and self._parent is not None:
            return await self._parent.get(interface)
        if recipe.lifetime == "request" and self._parent is None:
            raise ServiceLifetimeError(_name(interface))
        return cast(T, await self._build_once(interface, recipe))  # as above

    async def _build_once(self, interface: object, recipe: Service) -> object:
        path = _building.get()
        if interface in path:
            raise ServiceCycle([_name(step) for step in (*path[path.index(interface) :], interface)])
        async with self._locks.setdefault(interface, asyncio.Lock()):
            if interface in self._instances:
                return self._instances[interface]
            token = _building.set((*path, interface))
            try:
                instance = await self._build(interface, recipe)
            finally:
                _building.reset(token)
            self._instances[interface] = instance
            return instance

    async def _build(self, interface: object, recipe: Service) -> object:
        made = recipe.factory(self)
        if isinstance(made, AsyncGenerator):
            instance: object = await anext(made)
            self._closers.append((interface, made))
            return instance
        return await made if inspect.isawaitable(made) else made

    async def close(self) -> None:
        """Close what was opened, last first; every error is logged and the first is raised after all are closed."""
        first: Exception | None = None
        while self._closers:
            interface, generator = self._closers.pop()
            try:
                await anext(generator, None)
            except Exception as error:
                _log.error("service.close_failed", service=_name(interface), error=repr(error))
                first = first or error
        self._instances.clear()
        if first is not None:
            raise first
