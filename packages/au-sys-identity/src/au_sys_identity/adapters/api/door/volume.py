"""The limit that counts whoever asks without a credential."""

from collections.abc import Awaitable, Callable
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from starlette.requests import Request

from au_sys_identity.adapters.api.door.authentication import caller_or_none
from au_sys_identity.core.credentials.lockout import network_of
from au_sys_identity.core.sessions.volume import Volume
from fastapi_services_platform.fastapi import inject

Given = ParamSpec("Given")
Answer = TypeVar("Answer")
_take: Callable[[Request], Awaitable[Volume]] = inject(Volume).dependency


def within_volume(endpoint: Callable[Given, Awaitable[Answer]]) -> Callable[Given, Awaitable[Answer]]:
    """For a public endpoint with ``request``, below ``@access``: requests of nobody are counted by network.

    A wrapper and no dependency: FastAPI takes a millisecond at the start for each dependency of a route.

    Raises (when called):
        TooManyRequests: that were too many.
    """

    @wraps(endpoint)
    async def counted(*given: Given.args, **named: Given.kwargs) -> Answer:
        request: Any = named["request"]  # Any: FastAPI gives every endpoint its request by name
        if caller_or_none(request) is None:
            volume = await _take(request)
            await volume.anything(network_of(request.client.host if request.client else None))
        return await endpoint(*given, **named)

    return counted
