"""Name, version, requires, provides: what is known of a capability before any of its code works."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from pydantic_settings import BaseSettings

from fastapi_services_platform.security.principal import Reversibility

if TYPE_CHECKING:
    from fastapi_services_platform.capability.contribution import Contribution
    from fastapi_services_platform.engine.platform import Platform


@dataclass(frozen=True, slots=True)
class Manifest:
    """The description of a capability.

    ``provides`` and ``requires`` name ports with their version (``authenticator@1``); ``optional`` ports are used
    when present;
    ``after`` orders behind other capabilities without needing them. ``runtime`` is a PEP 440 specifier for the
    runtime's version. ``reversibility`` holds for every change that says nothing of its own.
    """

    name: str
    version: str
    summary: str
    runtime: str = ">=2.0,<3"
    provides: tuple[str, ...] = ()
    requires: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    settings: type[BaseSettings] | None = None
    database: bool = False
    reversibility: Reversibility = "recoverable"


class Capability(Protocol):
    """What an entry point in the group ``au_sys_plugins`` leads to: a class without constructor arguments, or an
    object.

    It may have the coroutine methods ``initialize(platform)``, ``startup()`` and ``shutdown()`` (see
    :class:`Initializes`, :class:`Starts` and :class:`Stops`); one that needs none of them writes none.
    """

    manifest: Manifest


@runtime_checkable
class Initializes(Protocol):
    """A capability with something to hand over. It wires and returns data; it opens nothing."""

    async def initialize(self, platform: "Platform") -> "Contribution": ...


@runtime_checkable
class Starts(Protocol):
    """A capability with work to do once everything is mounted and migrated."""

    async def startup(self) -> None: ...


@runtime_checkable
class Stops(Protocol):
    """A capability with something to close."""

    async def shutdown(self) -> None: ...
