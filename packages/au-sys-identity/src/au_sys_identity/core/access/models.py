"""Role, assignment, decision with reason."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import NewType
from uuid import UUID

Permission = NewType("Permission", str)
"""``<capability>.<noun>.<verb>``."""

PLATFORM_ADMIN = "platform-admin"
EVERYWHERE = "*"
DEFAULT_DOMAIN = "default"


@dataclass(frozen=True, slots=True)
class Role:
    """A named set of permissions. ``source`` is ``bundle`` for what a capability contributes, else ``local``.

    A final ``*`` in a permission stands for any rest; ``*`` alone for everything.
    """

    name: str
    description: str
    permissions: frozenset[str]
    domain: str = EVERYWHERE
    protected: bool = False
    source: str = "local"
    default: bool = False
    version: int = 1


@dataclass(frozen=True, slots=True)
class Assignment:
    """A role held by a subject in a domain, perhaps for a time."""

    id: UUID
    subject: str
    role: str
    domain: str
    created_at: datetime
    created_by: str
    expires_at: datetime | None = None
    source: str = "local"

    def counts(self, now: datetime) -> bool:
        """Whether it has not run out."""
        return self.expires_at is None or now < self.expires_at


@dataclass(frozen=True, slots=True)
class Decision:
    """May she? The answer with the reason that a person can act on; ``via`` is the role that gave it."""

    allowed: bool
    reason: str
    via: str | None = None


@dataclass(slots=True)
class Catalogue:
    """What the capabilities on this platform contributed: permissions with their summaries, and bundles as roles.

    Filled once, at start, when all capabilities are known.
    """

    permissions: dict[str, str] = field(default_factory=dict)
    bundles: dict[str, Role] = field(default_factory=dict)


def covers(pattern: str, permission: str) -> bool:
    """Whether a granted pattern includes a permission or another pattern."""
    if pattern in ("*", permission):
        return True
    return pattern.endswith(".*") and permission.startswith(pattern[:-1])


def role_name(text: str) -> str:
    """``role:helpdesk`` and ``helpdesk`` are the same."""
    return text.removeprefix("urn:au:role:").removeprefix("role:")
