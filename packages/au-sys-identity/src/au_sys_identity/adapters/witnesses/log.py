"""Heads in the log, which is kept elsewhere."""

from collections.abc import AsyncIterator

from au_sys_identity.core.audit.heads import Head
from fastapi_services_platform import get_logger

_logger = get_logger(__name__)


class LogWitness:
    """It cannot be asked; whoever keeps the log can."""

    name = "log"

    async def tell(self, head: Head) -> None:
        """See :class:`~au_sys_identity.core.audit.ports.Witness`."""
        _logger.info("audit.head", **head.shown())

    async def heads(self) -> AsyncIterator[Head]:
        """None."""
        nothing: tuple[Head, ...] = ()
        for head in nothing:
            yield head
