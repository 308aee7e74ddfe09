"""Organizations: tenants whose slug is the domain of access rules."""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, NewType
from uuid import UUID

from au_sys_identity.core.errors import InvalidInput
from au_sys_identity.core.subjects.models import SubjectId

DEFAULT_ORGANIZATION = UUID("00000000-0000-7000-8000-000000000001")
"""There from the start: an installation with one tenant never meets the idea."""
DEFAULT_SLUG = "default"

AuthorizedOrganizationId = NewType("AuthorizedOrganizationId", UUID)
"""An organization in which the caller was found to hold a right. Only the access check makes one."""

_SLUG = re.compile(r"[a-z][a-z0-9-]{1,61}[a-z0-9]")
_RESERVED = frozenset({"all", "any", "none", "system"})


@dataclass(frozen=True, slots=True)
class Organization:
    """A tenant."""

    id: UUID
    slug: str
    name: str
    created_at: datetime
    updated_at: datetime
    status: Literal["active", "closed"] = "active"
    version: int = 1

    @property
    def urn(self) -> str:
        """How the audit trail names it."""
        return f"urn:au:organization:{self.id}"


@dataclass(frozen=True, slots=True)
class Membership:
    """Somebody who belongs to an organization."""

    organization_id: UUID
    subject_id: SubjectId
    created_at: datetime
    created_by: str


def checked_slug(text: str) -> str:
    """A slug that may stand in rules and paths.

    Raises:
        InvalidInput: it may not.
    """
    if not _SLUG.fullmatch(text) or text in _RESERVED:
        raise InvalidInput(
            "slug", "is not a slug", "Use 3 to 63 of a-z, 0-9 and -, a letter first, no - at the end; all is reserved."
        )
    return text
