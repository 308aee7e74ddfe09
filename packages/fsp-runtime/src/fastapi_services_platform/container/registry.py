"""Service recipes, and the services that live as long as the app."""

from collections.abc import Callable
from typing import Any, TypeVar

from fastapi_services_platform.capability.contribution import Service
from fastapi_services_platform.container.scope import Scope
from fastapi_services_platform.errors import PlatformError

T = TypeVar("T")


class Registry:
    """The container: one recipe per type. Services are built on first use and closed in reverse order of opening."""

    def __init__(self) -> None:
        self._recipes: dict[object, Service] = {}
        self._owners: dict[object, str] = {}
        self._app_scope = Scope(self._recipes, parent=None)

    def register(self, service: Service, owner: str = "platform") -> None:
        """Add a recipe.

        Raises:
            PlatformError: the type has a recipe already.
        """
        if service.interface in self._recipes:
            name = getattr(service.interface, "__name__", str(service.interface))
            raise PlatformError(
                f"{owner} and {self._owners[service.interface]} both register a service for {name}.",
                "switch one of the two capabilities off.",
            )
        self._recipes[service.interface] = service
        self._owners[service.interface] = owner

    def register_value(self, interface: type[Any], value: object, owner: str = "platform") -> None:
        """Register something that exists already; the container does not close it."""
        self.register(Service(interface, lambda _scope: value), owner)

    def withdraw(self, owner: str) -> None:
        """Forget every recipe of an owner whose start failed."""
        for interface in [known for known, who in self._owners.items() if who == owner]:
            del self._recipes[interface]
            del self._owners[interface]

    def __contains__(self, interface: object) -> bool:
        return interface in self._recipes

    def owner_of(self, interface: object) -> str | None:
        """The capability that registered the type."""
        return self._owners.get(interface)

    def recipes(self) -> tuple[Service, ...]:
        """Every recipe, in order of registration."""
        return tuple(self._recipes.values())

    async def get(self, interface: Callable[..., T]) -> T:
        """The app-lifetime service of a type.

        Raises:
            ServiceError: there is no recipe, recipes form a cycle, or the service lives one request.
        """
        return await self._app_scope.get(interface)

    def request_scope(self) -> Scope:
        """A scope for one request; whoever opens it closes it."""
        return Scope(self._recipes, parent=self._app_scope)

    async def close(self) -> None:
        """Close the app's services in reverse order; errors are logged, the first is raised at the end."""
        await self._app_scope.close()
