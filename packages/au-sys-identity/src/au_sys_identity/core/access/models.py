"""Role, assignment, decision with reason."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import NewType
from uuid import UUID

from au_sys_identity.core.access.rules import Rule

Permission = NewType("Permission", str)
"""``<capability>.<noun>.<verb>``."""

PLATFORM_ADMIN = "platform-admin"
SYSTEM = "urn:au:system:identity"
"""Who acts when the platform itself or its operator's command line does."""
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
    requestable: bool = False


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
class Policy:
    """A rule as it is kept: what it says, since when, and where it came from."""

    id: UUID
    rule: Rule
    created_at: datetime
    created_by: str
    source: str = "local"


@dataclass(frozen=True, slots=True)
class PolicyFilter:
    """Which rules to list; ``after`` is the last id of the page before."""

    subject: str | None = None
    domain: str | None = None
    resource: str | None = None
    action: str | None = None
    effect: str | None = None
    after: UUID | None = None
    limit: int = 50


@dataclass(frozen=True, slots=True)
class Decision:
    """May she? The answer with the reason that a person can act on; ``via`` is the role that gave it."""

    allowed: bool
    reason: str
    via: str | None = None
    revision: int = 0


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


def role_subject(name: str) -> str:
    """How rules name a role."""
    return f"role:{name}"


def canonical_subject(text: str) -> str:
    """``urn:au:role:x`` is ``role:x``; everything else is as it is."""
    return f"role:{text.removeprefix('urn:au:role:')}" if text.startswith("urn:au:role:") else text


def rule_parts(permission: str) -> tuple[str, str]:
    """Resource and action of a permission: ``identity.users.read`` is ``read`` on ``/identity/users/*``."""
    if permission == EVERYWHERE:
        return EVERYWHERE, EVERYWHERE
    *path, action = permission.split(".")
    return f"/{'/'.join(path)}/*", action


def permission_of(resource: str, action: str) -> str | None:
    """The permission that a resource and an action make; ``None`` when it takes more than a permission to say it."""
    if (resource, action) == (EVERYWHERE, EVERYWHERE):
        return EVERYWHERE
    if not resource.endswith("/*") or not resource.startswith("/") or "|" in action:
        return None
    path = resource[1:-2].split("/")
    return ".".join([*path, action]) if all(part and ":" not in part[:1] and "." not in part for part in path) else None


def role_name(text: str) -> str:
    """``role:helpdesk`` and ``helpdesk`` are the same."""
    return text.removeprefix("urn:au:role:").removeprefix("role:")
