"""OnlineBreachList over the range query of Pwned Passwords: five hexadecimal digits of a SHA-1 leave, never more.

The answer lists the rest of every hash that begins so; which one was meant is not told (k-anonymity). Without an answer
within a second the password counts as unknown: that list is a help, and must not be a lock.
"""

import asyncio
import hashlib

from fastapi_services_platform import GuardedClient, OutboundFailed, OutboundPolicy, OutboundRefused, get_logger

_log = get_logger(__name__)
ADDRESS = "https://api.pwnedpasswords.com/range/"  # the one server that speaks this protocol
POLICY = OutboundPolicy(max_bytes=256 * 1024, total_seconds=1.0)
_SHOWN = 5


class PwnedRange:
    """Asks for a range with padding, so that the size of the answer tells nothing either."""

    def __init__(self, client: GuardedClient, address: str = ADDRESS) -> None:
        self._client = client
        self._address = address

    async def contains(self, password: str) -> bool:
        """See :class:`~au_sys_identity.core.credentials.ports.OnlineBreachList`."""
        plain = password.encode("utf-8", "surrogatepass")
        digest = hashlib.sha1(plain, usedforsecurity=False).hexdigest().upper()
        try:
            async with asyncio.timeout(self._client.policy.total_seconds):
                answer = await self._client.request(
                    "GET", self._address + digest[:_SHOWN], headers={"add-padding": "true", "accept": "text/plain"}
                )
        except (OutboundFailed, OutboundRefused, TimeoutError) as error:
            _log.warning("breach_list.unreachable", error=type(error).__name__)
            return False
        if answer.status != 200:
            _log.warning("breach_list.unreachable", status=answer.status)
            return False
        return _counted(answer.body.decode("ascii", "replace"), digest[_SHOWN:])

    async def close(self) -> None:
        """Hang up."""
        await self._client.close()


def _counted(text: str, rest: str) -> bool:
    """Whether the rest is listed with a count; padding is listed with none."""
    for line in text.splitlines():
        found, _, count = line.strip().partition(":")
        if found.upper() == rest:
            return count.strip() not in ("", "0")
    return False
