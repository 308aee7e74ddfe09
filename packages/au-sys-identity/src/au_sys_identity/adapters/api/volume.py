"""The limit that counts whoever asks without a credential."""

from collections.abc import Awaitable, Callable

from starlette.requests import Request

from au_sys_identity.adapters.api.authentication import caller_or_none
from au_sys_identity.core.credentials.lockout import network_of
from au_sys_identity.core.sessions.volume import Volume
from fastapi_services_platform.fastapi import inject

_take: Callable[[Request], Awaitable[Volume]] = inject(Volume).dependency


async def within_volume(request: Request) -> None:
    """For ``dependencies=`` of a router: requests of nobody are counted by network.

    Raises:
        TooManyRequests: that were too many.
    """
    if caller_or_none(request) is None:
        volume = await _take(request)
        await volume.anything(network_of(request.client.host if request.client else None))
