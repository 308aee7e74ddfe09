"""The errors of a capability as a tree: what its routes may raise and nobody may forget to map."""

import sys
from collections.abc import Iterable, Iterator

from fastapi_services_platform.capability.manifest import Capability

_INNER = frozenset({"manifest", "plugin"})


def package_of(capability: Capability) -> str:
    """The package that a capability is the plug-in of."""
    parts = type(capability).__module__.split(".")
    inner = next((number for number, part in enumerate(parts) if part in _INNER and number), len(parts))
    return ".".join(parts[:inner])


def leaves_of(package: str, mapped: Iterable[type[Exception]]) -> list[type[Exception]]:
    """The leaves of every tree that a mapped error stands in or that a module ``errors`` of the package begins."""
    begun = {kind for error in mapped for kind in _above(error, package)}
    begun |= {kind for kind in _declared(package) if kind.__bases__[0] in (Exception, ValueError, LookupError)}
    roots = {kind for kind in begun if not any(_is_of(parent, package) for parent in kind.__bases__)}
    found = {leaf for root in roots for leaf in _leaves(root)}
    return sorted((leaf for leaf in found if _is_of(leaf, package)), key=lambda leaf: leaf.__qualname__)


def _is_of(kind: type, package: str) -> bool:
    return f"{kind.__module__}.".startswith(f"{package}.")


def _above(error: type[Exception], package: str) -> Iterator[type[Exception]]:
    return (kind for kind in error.__mro__ if issubclass(kind, Exception) and _is_of(kind, package))


def _declared(package: str) -> Iterator[type[Exception]]:
    for name, module in list(sys.modules.items()):
        if name.startswith(f"{package}.") and name.endswith(".errors"):
            own = (item for item in vars(module).values() if isinstance(item, type) and item.__module__ == name)
            yield from (item for item in own if issubclass(item, Exception))


def _leaves(kind: type[Exception]) -> Iterator[type[Exception]]:
    below = kind.__subclasses__()
    if not below:
        yield kind
    for child in below:
        yield from _leaves(child)
