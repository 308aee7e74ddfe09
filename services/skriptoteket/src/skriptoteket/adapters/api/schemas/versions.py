"""Draft, review and publish: wire shapes."""

from collections.abc import Mapping
from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from skriptoteket.core.catalog.models import Tool
from skriptoteket.core.versions.models import DraftLock, ToolVersion, VersionDecision
from skriptoteket.core.versions.publication import Published


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class VersionItem(BaseModel):
    """A version in a list."""

    id: str
    tool_id: str
    version_number: int
    state: str
    archived_reason: str | None
    entrypoint: str
    content_hash: str
    behaviour_hash: str
    environment: str
    derived_from: str | None
    created_by: str
    created_at: datetime
    submitted_by: str | None
    submitted_at: datetime | None
    reviewed_by: str | None
    reviewed_at: datetime | None
    published_by: str | None
    published_at: datetime | None
    activated_at: datetime | None
    change_summary: str
    is_draft_head: bool

    @classmethod
    def of(cls, tool: Tool, version: ToolVersion) -> "VersionItem":
        """The wire shape of a version in a list."""
        copied = {
            name: getattr(version, name)
            for name in VersionItem.model_fields
            if name not in ("id", "tool_id", "entrypoint", "environment", "derived_from", "is_draft_head")
        }
        return VersionItem(
            id=str(version.id),
            tool_id=str(version.tool_id),
            entrypoint=version.behaviour.entrypoint,
            environment=version.behaviour.environment,
            derived_from=str(version.derived_from) if version.derived_from is not None else None,
            is_draft_head=tool.draft_head_version_id == version.id,
            **copied,
        )


class VersionDetail(VersionItem):
    """A version with everything in it."""

    source_code: str
    input_schema: list[dict[str, JsonValue]]
    settings_schema: list[dict[str, JsonValue]]
    usage_instructions: str
    limits: dict[str, JsonValue]
    reduced_limits: dict[str, float]
    requirements: list[str]
    idempotent: bool
    contract: int
    submit_note: str

    @classmethod
    def whole(cls, tool: Tool, version: ToolVersion, reduced: Mapping[str, float]) -> "VersionDetail":
        """The wire shape of a version; ``reduced`` limits are lower than it asks for."""
        behaviour = version.behaviour
        return cls(
            **VersionItem.of(tool, version).model_dump(),
            source_code=behaviour.source_code,
            input_schema=[dict(field) for field in behaviour.input_schema],
            settings_schema=[dict(field) for field in behaviour.settings_schema],
            usage_instructions=behaviour.usage_instructions,
            limits=dict(behaviour.limits),
            reduced_limits=dict(reduced),
            requirements=list(behaviour.requirements),
            idempotent=behaviour.idempotent,
            contract=behaviour.contract,
            submit_note=version.submit_note,
        )


class BehaviourIn(_Strict):
    """Behaviour fields; what is absent is inherited, null means the default."""

    source_code: str | None = None
    entrypoint: str | None = None
    environment: str | None = None
    idempotent: bool | None = None
    input_schema: list[dict[str, JsonValue]] | None = None
    settings_schema: list[dict[str, JsonValue]] | None = None
    usage_instructions: str | None = None
    requirements: list[str] | None = None
    limits: dict[str, JsonValue] | None = None

    def given(self) -> dict[str, object]:
        """The behaviour fields that were sent."""
        return {name: getattr(self, name) for name in BehaviourIn.model_fields if name in self.model_fields_set}


class DraftIn(BehaviourIn):
    """A first draft, or a new one when there is none."""

    expected_draft_head_id: None = None
    derived_from: str | None = None
    change_summary: str = Field("", max_length=1000)


class SaveIn(BehaviourIn):
    """A new draft on the head."""

    expected_parent_version_id: str
    content_from: str | None = None
    change_summary: str = Field("", max_length=1000)


class SubmitIn(_Strict):
    """A word for the reviewer."""

    note: str = Field("", max_length=1000)


class RationaleIn(_Strict):
    """Why."""

    rationale: str


class PublishIn(RationaleIn):
    """The decision, and the hash of what was looked at."""

    expected_behaviour_hash: str
    expected_content_hash: str | None = None
    show: bool = False


class RollbackIn(RationaleIn):
    """The decision, and the hash of what was looked at."""

    expected_behaviour_hash: str
    expected_content_hash: str | None = None


class PublishedOut(BaseModel):
    """What a publication changed."""

    tool_id: str
    previous_active_version_id: str | None
    new_active_version_id: str
    archived_version_ids: list[str]

    @classmethod
    def of(cls, done: Published) -> "PublishedOut":
        """The wire shape of a publication."""
        previous = done.previous_active_version_id
        return cls(
            tool_id=str(done.tool_id),
            previous_active_version_id=str(previous) if previous is not None else None,
            new_active_version_id=str(done.new_active_version_id),
            archived_version_ids=[str(each) for each in done.archived_version_ids],
        )


class DecisionOut(BaseModel):
    """A verdict with its reason."""

    version_id: str
    verdict: str
    rationale: str
    by: str
    at: datetime
    behaviour_hash: str
    resulting_version_id: str | None

    @classmethod
    def of(cls, decision: VersionDecision) -> "DecisionOut":
        """The wire shape of a verdict."""
        resulting = decision.resulting_version_id
        return cls(
            version_id=str(decision.version_id),
            verdict=decision.verdict,
            rationale=decision.rationale,
            by=decision.by,
            at=decision.at,
            behaviour_hash=decision.behaviour_hash,
            resulting_version_id=str(resulting) if resulting is not None else None,
        )


class LockIn(_Strict):
    """The head that is to be edited."""

    head_version_id: str
    force: bool = False


class LockOut(BaseModel):
    """Who edits, and until when."""

    head_version_id: str
    holder: str
    acquired_at: datetime
    expires_at: datetime
    forced_by: str | None

    @classmethod
    def of(cls, lock: DraftLock) -> "LockOut":
        """The wire shape of a lock."""
        return cls(
            head_version_id=str(lock.head_version_id),
            holder=lock.holder,
            acquired_at=lock.acquired_at,
            expires_at=lock.expires_at,
            forced_by=lock.forced_by,
        )


class SchemasIn(_Strict):
    """Schemas to be looked at without saving."""

    input_schema: JsonValue = None
    settings_schema: JsonValue = None


class SchemaIssueOut(BaseModel):
    """One thing that is wrong."""

    schema_name: str = Field(serialization_alias="schema")
    path: str
    message: str


class SchemasOut(BaseModel):
    """Whether they could be saved."""

    valid: bool
    issues: list[SchemaIssueOut]


class DifferenceOut(BaseModel):
    """What changed from one version to the other."""

    source: list[tuple[str, str]]
    changed: dict[str, tuple[str, str]]
