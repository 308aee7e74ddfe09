"""Every table and constraint: a module for each noun, gathered here so that none is missing."""

from skriptoteket.adapters.db.tables.catalog import (
    categories,
    favourites,
    maintainers,
    profession_categories,
    professions,
    seen_instructions,
    tool_categories,
    tool_professions,
    tool_slug_aliases,
    tools,
    trial_settings,
    user_settings,
)
from skriptoteket.adapters.db.tables.environments import environment_decisions
from skriptoteket.adapters.db.tables.governance import (
    nomination_decisions,
    nominations,
    stewardship_records,
    suggestion_decisions,
    suggestions,
)
from skriptoteket.adapters.db.tables.runs import (
    idempotency_keys,
    run_accesses,
    run_artifacts,
    run_events,
    run_logs,
    runs,
    tool_sessions,
    upkeep,
    workers,
)
from skriptoteket.adapters.db.tables.schedules import schedule_occurrences, schedules
from skriptoteket.adapters.db.tables.schema import metadata
from skriptoteket.adapters.db.tables.versions import (
    BEHAVIOUR_COLUMNS,
    draft_locks,
    sandbox_snapshots,
    tool_versions,
    version_decisions,
)

__all__ = [
    "BEHAVIOUR_COLUMNS",
    "categories",
    "draft_locks",
    "environment_decisions",
    "favourites",
    "idempotency_keys",
    "maintainers",
    "metadata",
    "nomination_decisions",
    "nominations",
    "profession_categories",
    "professions",
    "run_accesses",
    "run_artifacts",
    "run_events",
    "run_logs",
    "runs",
    "sandbox_snapshots",
    "schedule_occurrences",
    "schedules",
    "seen_instructions",
    "stewardship_records",
    "suggestion_decisions",
    "suggestions",
    "tool_categories",
    "tool_professions",
    "tool_sessions",
    "tool_slug_aliases",
    "tool_versions",
    "tools",
    "trial_settings",
    "upkeep",
    "user_settings",
    "version_decisions",
    "workers",
]
