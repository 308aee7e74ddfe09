"""Which feature flags routes depend on: read off their dependencies, without a request."""

from collections.abc import Iterator

from fastapi import APIRouter

_ATTRIBUTE = "__fsp_flag__"


def mark_flagged(dependency: object, name: str) -> None:
    """Note that a dependency asks for a flag."""
    setattr(dependency, _ATTRIBUTE, name)


def flags_asked_for(router: APIRouter) -> Iterator[str]:
    """The flags that a router and its own routes depend on; what it includes from others is not looked into."""
    for part in (router, *router.routes):
        for declared in getattr(part, "dependencies", ()):
            name: str | None = getattr(declared.dependency, _ATTRIBUTE, None)
            if name is not None:
                yield name
