"""What somebody was told and has not read yet, as the first page shows it; nothing when no capability keeps notices."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from fastapi_services_platform.container.registry import Registry
from fastapi_services_platform.observability.logger_factory import get_logger
from fastapi_services_platform.security.ports import NoticeBoard, PostedNotice

_log = get_logger(__name__)
_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Unread:
    """The latest notices, how many there are in all, and the page that has them."""

    latest: Sequence[PostedNotice] = ()
    count: int = 0
    page: str = ""


class Notices:
    """Asks whoever provides the port."""

    def __init__(self, container: Registry) -> None:
        self._container = container

    async def unread(self, urn: str) -> Unread:
        """A board that does not answer leaves the page without notices, not the person without a page."""
        if NoticeBoard not in self._container:
            return Unread()
        try:
            board = await self._container.get(NoticeBoard)
            latest, count = await board.unread(urn, _SHOWN)
        except Exception as error:
            _log.error("notices.not_read", exc_info=error)
            return Unread()
        return Unread([replace(item, href=_path(item.href)) for item in latest[:_SHOWN]], count, _path(board.page))


def _path(href: str) -> str:
    """The address when it stays on the platform."""
    return href if href.startswith("/") and not href.startswith(("//", "/\\")) else ""
