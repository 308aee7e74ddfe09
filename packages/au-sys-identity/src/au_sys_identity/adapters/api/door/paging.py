"""Pages of a list: how many, and from where on. A cursor is signed for its list: nobody writes one, or reads one."""

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

from fastapi import Depends, Query, Request

from au_sys_identity.core.derivation import Derivation
from au_sys_identity.core.errors import InvalidInput
from au_sys_identity.core.subjects.models import SubjectId
from fastapi_services_platform.fastapi import inject

_MAC_BYTES = 16


class Cursors:
    """Makes and opens them."""

    def __init__(self, derivation: Derivation) -> None:
        self._derivation = derivation

    def made(self, place: str, value: str) -> str:
        """The cursor that stands for a value in a list."""
        return urlsafe_b64encode(self._mac(place, value.encode()) + value.encode()).decode().rstrip("=")

    def opened(self, place: str, cursor: str) -> str:
        """The value of a cursor.

        Raises:
            InvalidInput: it is none that was made here for this list.
        """
        try:
            text = urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        except ValueError:
            raise _foreign() from None
        mac, value = text[:_MAC_BYTES], text[_MAC_BYTES:]
        if not hmac.compare_digest(mac, self._mac(place, value)):
            raise _foreign()
        return value.decode()

    def _mac(self, place: str, value: bytes) -> bytes:
        return self._derivation.keyed_hash("cursor", place.encode(), value)[:_MAC_BYTES]


def _foreign() -> InvalidInput:
    return InvalidInput("cursor", "is none of this list", "Leave it out to begin anew.")


@dataclass(frozen=True, slots=True)
class Page:
    """What of a list is asked for; ``begin`` is the value of the cursor."""

    limit: int
    begin: str | None
    place: str
    cursors: Cursors

    @property
    def after(self) -> UUID | None:
        """The item before this page."""
        return UUID(self.begin) if self.begin else None

    @property
    def subject(self) -> SubjectId | None:
        """The subject before this page."""
        return SubjectId(UUID(self.begin)) if self.begin else None

    @property
    def offset(self) -> int:
        """How many items are before this page."""
        return int(self.begin or 0)

    def next(self, value: object) -> str:
        """The cursor of what comes after."""
        return self.cursors.made(self.place, str(value))

    def beyond(self, length: int) -> str | None:
        """The cursor of what comes after in a list of a known length."""
        end = self.offset + self.limit
        return self.next(end) if length > end else None


async def page_of(
    request: Request,
    cursors: Annotated[Cursors, inject(Cursors)],
    cursor: Annotated[str | None, Query(max_length=200, description="`next_cursor` of the page before.")] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> Page:
    """The page that a request asks for."""
    place = request.scope["path"].rstrip("/")
    return Page(limit, cursors.opened(place, cursor) if cursor else None, place, cursors)


Paged = Annotated[Page, Depends(page_of)]
