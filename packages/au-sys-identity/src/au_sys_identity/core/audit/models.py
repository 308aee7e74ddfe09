"""What the log keeps of one fact, and how it is looked for."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Kept:
    """An event as stored: canonical JSON, personal details sealed. ``leaf_index`` is ``None`` until it is sequenced."""

    id: UUID
    at: datetime
    body: str
    leaf_index: int | None = None
    leaf_hash: bytes | None = None


@dataclass(frozen=True, slots=True)
class Shown:
    """An event with its details opened; those of an erased person are gone."""

    id: UUID
    at: datetime
    leaf_index: int
    leaf_hash: bytes
    members: Mapping[str, object]
    erased: bool = False


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which events: newest first, those before a leaf."""

    actor: str = ""
    action: str = ""
    target: str = ""
    outcome: str = ""
    since: datetime | None = None
    until: datetime | None = None
    before: int | None = None
    limit: int = 50


@dataclass(frozen=True, slots=True)
class Staged:
    """An event that waits for its place in the tree."""

    id: UUID
    at: datetime


@dataclass(frozen=True, slots=True)
class HeadKey:
    """The pair that signs heads and nothing else; the private half is sealed."""

    key_id: str
    public_key: bytes
    private_sealed: bytes
    created_at: datetime
