"""Version states and behaviour: what a tool does, frozen under a number."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from skriptoteket.core.identifiers import ToolId, VersionId
from skriptoteket.core.json_values import JsonValue

Schema = tuple[Mapping[str, JsonValue], ...]
"""Fields of a form in stored normal form: absent keys omitted, order kept."""

ONE_FILE: Schema = ({"kind": "file", "name": "file", "min": 1, "max": 1},)
"""What ``input_schema: null`` means when a version is made."""


class VersionState(StrEnum):
    """Where a version is; rows are appended and never rewritten."""

    DRAFT = "draft"
    IN_REVIEW = "in_review"
    ACTIVE = "active"
    ARCHIVED = "archived"


class ArchivedReason(StrEnum):
    """Why a version is over."""

    WITHDRAWN = "withdrawn"
    CHANGES_REQUESTED = "changes_requested"
    SUPERSEDED = "superseded"
    CONSUMED = "consumed"


class Verdict(StrEnum):
    """What was decided about a version."""

    PUBLISH = "publish"
    REQUEST_CHANGES = "request_changes"
    WITHDRAW = "withdraw"
    ROLLBACK = "rollback"


@dataclass(frozen=True, slots=True)
class Behaviour:
    """Everything that changes what a version does; its hash is what reviewers approve."""

    source_code: str
    entrypoint: str = "run_tool"
    contract: int = 1
    environment: str = "standard@1"
    idempotent: bool = False
    input_schema: Schema = ONE_FILE
    settings_schema: Schema = ()
    usage_instructions: str = ""
    requirements: tuple[str, ...] = ()
    limits: Mapping[str, JsonValue] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ToolVersion:
    """One immutable snapshot of a tool's behaviour. Only state, audit and note fields ever change."""

    id: VersionId
    tool_id: ToolId
    version_number: int
    state: VersionState
    behaviour: Behaviour
    content_hash: str
    behaviour_hash: str
    created_by: str
    created_at: datetime
    derived_from: VersionId | None = None
    change_summary: str = ""
    archived_reason: ArchivedReason | None = None
    submitted_by: str | None = None
    submitted_at: datetime | None = None
    submit_note: str = ""
    reviewed_by: str | None = None
    reviewed_at: datetime | None = None
    published_by: str | None = None
    published_at: datetime | None = None
    activated_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class VersionDecision:
    """A verdict on a version, with its reason; append-only."""

    id: UUID
    version_id: VersionId
    tool_id: ToolId
    verdict: Verdict
    rationale: str
    by: str
    at: datetime
    behaviour_hash: str
    resulting_version_id: VersionId | None = None


@dataclass(frozen=True, slots=True)
class DraftLock:
    """Who writes a tool's draft right now."""

    tool_id: ToolId
    head_version_id: VersionId
    holder: str
    acquired_at: datetime
    expires_at: datetime
    forced_by: str | None = None

    def live(self, now: datetime) -> bool:
        """True until it expires."""
        return now < self.expires_at


def came_back(head: VersionId | None, versions: Sequence[ToolVersion]) -> ToolVersion | None:
    """The newest draft that a review or a withdrawal made beside a head that was there, and nobody went on from.

    ``versions`` are those of one tool.
    """
    known = {each.id: each for each in versions}
    beaten = {each.derived_from for each in versions}
    returned = (ArchivedReason.CHANGES_REQUESTED, ArchivedReason.WITHDRAWN)
    for each in sorted(versions, key=lambda one: one.version_number, reverse=True):
        if each.id == head:
            return None
        origin = known.get(each.derived_from) if each.derived_from is not None else None
        waits = each.state is VersionState.DRAFT and each.id not in beaten
        if head is not None and waits and origin is not None and origin.archived_reason in returned:
            return each
    return None
