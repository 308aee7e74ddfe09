"""What the memory stores share: one bag of dictionaries, copied before a transaction and put back when it fails."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime
from uuid import UUID

from skriptoteket.core.catalog.models import Category, Profession, Tool
from skriptoteket.core.governance.environments.models import EnvironmentDecision
from skriptoteket.core.governance.nominations.models import Nomination, NominationDecision
from skriptoteket.core.governance.stewardship.models import StewardshipRecord
from skriptoteket.core.governance.suggestions.models import Suggestion, SuggestionDecision
from skriptoteket.core.identifiers import RunId, ToolId, VersionId, WorkerId
from skriptoteket.core.interaction.models import ToolSession
from skriptoteket.core.preferences.models import UserSettings
from skriptoteket.core.runs.models import Artifact, Run
from skriptoteket.core.runs.ports.records import Remembered, RunEvent, RunLogs, Upkeep
from skriptoteket.core.runs.ports.workers import Worker
from skriptoteket.core.runs.sight import RunAccess
from skriptoteket.core.schedules.models import Occurrence, Schedule
from skriptoteket.core.versions.models import DraftLock, ToolVersion, VersionDecision
from skriptoteket.core.versions.snapshots import SandboxSnapshot


@dataclass(slots=True)
class State:
    """Everything that is kept. Values are frozen, so copying the dictionaries is copying the state."""

    tools: dict[ToolId, Tool] = field(default_factory=dict)
    aliases: dict[str, ToolId] = field(default_factory=dict)
    maintainers: dict[ToolId, frozenset[str]] = field(default_factory=dict)
    favourites: dict[str, frozenset[ToolId]] = field(default_factory=dict)
    settings: dict[tuple[ToolId, str, bool], UserSettings] = field(default_factory=dict)
    seen: dict[tuple[ToolId, str], str] = field(default_factory=dict)
    sessions: dict[tuple[ToolId, str, str], ToolSession] = field(default_factory=dict)
    professions: dict[str, Profession] = field(default_factory=dict)
    categories: dict[str, Category] = field(default_factory=dict)
    orders: dict[str, tuple[str, ...]] = field(default_factory=dict)
    versions: dict[VersionId, ToolVersion] = field(default_factory=dict)
    decisions: dict[int, VersionDecision] = field(default_factory=dict)
    locks: dict[ToolId, DraftLock] = field(default_factory=dict)
    snapshots: dict[UUID, SandboxSnapshot] = field(default_factory=dict)
    suggestions: dict[UUID, Suggestion] = field(default_factory=dict)
    suggestion_decisions: dict[UUID, SuggestionDecision] = field(default_factory=dict)
    nominations: dict[UUID, Nomination] = field(default_factory=dict)
    nomination_decisions: dict[UUID, NominationDecision] = field(default_factory=dict)
    schedules: dict[UUID, Schedule] = field(default_factory=dict)
    occurrences: dict[tuple[UUID, datetime], Occurrence] = field(default_factory=dict)
    stewardship: dict[UUID, StewardshipRecord] = field(default_factory=dict)
    runs: dict[RunId, Run] = field(default_factory=dict)
    leases: dict[RunId, float] = field(default_factory=dict)
    claimed: dict[RunId, int] = field(default_factory=dict)
    artifacts: dict[RunId, tuple[Artifact, ...]] = field(default_factory=dict)
    logs: dict[RunId, RunLogs] = field(default_factory=dict)
    events: dict[RunId, tuple[RunEvent, ...]] = field(default_factory=dict)
    keys: dict[str, tuple[Remembered, datetime]] = field(default_factory=dict)
    workers: dict[WorkerId, Worker] = field(default_factory=dict)
    drains: dict[WorkerId, datetime] = field(default_factory=dict)
    streams: dict[UUID, tuple[str, float]] = field(default_factory=dict)
    accesses: dict[UUID, RunAccess] = field(default_factory=dict)
    upkeep: dict[str, Upkeep] = field(default_factory=dict)
    environment_decisions: dict[UUID, EnvironmentDecision] = field(default_factory=dict)

    def copies(self) -> Mapping[str, object]:
        """A copy of every dictionary, by name."""
        return {each.name: dict(getattr(self, each.name)) for each in fields(self)}

    def put_back(self, copies: Mapping[str, object]) -> None:
        """Forget everything since the copies were made."""
        for name, content in copies.items():
            setattr(self, name, content)
