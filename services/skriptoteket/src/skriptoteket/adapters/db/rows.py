"""Rows and domain values, one way and the other."""

from dataclasses import asdict

from sqlalchemy import RowMapping

from skriptoteket.core.catalog.models import Tool
from skriptoteket.core.identifiers import RunId, ToolId, VersionId, WorkerId
from skriptoteket.core.runs.models import (
    InputFile,
    Lane,
    Limits,
    OutcomeCode,
    Run,
    RunContext,
    RunKind,
    RunState,
    Usage,
)
from skriptoteket.core.runs.ports.workers import Worker
from skriptoteket.core.versions.models import (
    ArchivedReason,
    Behaviour,
    DraftLock,
    ToolVersion,
    Verdict,
    VersionDecision,
    VersionState,
)
from skriptoteket.core.versions.snapshots import SandboxSnapshot

Row = RowMapping

_BEHAVIOUR = tuple(Behaviour.__dataclass_fields__)
_TOOL_TAGS = ("professions", "categories")
_RUN_RENAMED = {"values": "input_values"}


def tool_row(tool: Tool) -> dict[str, object]:
    """A tool without its tags, which have tables of their own."""
    return {name: getattr(tool, name) for name in Tool.__dataclass_fields__ if name not in _TOOL_TAGS}


def tool_of(row: Row, professions: tuple[str, ...], categories: tuple[str, ...]) -> Tool:
    """The tool of a row and its tags."""
    given = {name: row[name] for name in Tool.__dataclass_fields__ if name not in _TOOL_TAGS}
    return Tool(**given, professions=professions, categories=categories)


def version_row(version: ToolVersion | SandboxSnapshot) -> dict[str, object]:
    """A version or snapshot, behaviour spread over its columns."""
    row = {name: getattr(version, name) for name in type(version).__dataclass_fields__ if name != "behaviour"}
    behaviour = {name: getattr(version.behaviour, name) for name in _BEHAVIOUR}
    for name in ("input_schema", "settings_schema"):
        behaviour[name] = [dict(field) for field in behaviour[name]]
    behaviour["requirements"] = list(version.behaviour.requirements)
    behaviour["limits"] = dict(version.behaviour.limits)
    return {**row, **behaviour}


def version_of(row: Row) -> ToolVersion:
    """The version of a row."""
    given = {name: row[name] for name in ToolVersion.__dataclass_fields__ if name != "behaviour"}
    given["state"] = VersionState(given["state"])
    given["archived_reason"] = ArchivedReason(given["archived_reason"]) if given["archived_reason"] else None
    return ToolVersion(**given, behaviour=_behaviour_of(row))


def snapshot_of(row: Row) -> SandboxSnapshot:
    """The snapshot of a row."""
    given = {name: row[name] for name in SandboxSnapshot.__dataclass_fields__ if name != "behaviour"}
    return SandboxSnapshot(**given, behaviour=_behaviour_of(row))


def _behaviour_of(row: Row) -> Behaviour:
    behaviour = {name: row[name] for name in _BEHAVIOUR}
    for name in ("input_schema", "settings_schema", "requirements"):
        behaviour[name] = tuple(behaviour[name])
    return Behaviour(**behaviour)


def decision_row(decision: VersionDecision) -> dict[str, object]:
    """A verdict; *by* and *at* are words of SQL, so the columns have longer names."""
    row = {name: getattr(decision, name) for name in VersionDecision.__dataclass_fields__}
    renamed = {"decided_by": row.pop("by"), "decided_at": row.pop("at")}
    return {**row, **renamed}


def decision_of(row: Row) -> VersionDecision:
    """The verdict of a row."""
    return VersionDecision(
        row["id"],
        VersionId(row["version_id"]),
        ToolId(row["tool_id"]),
        Verdict(row["verdict"]),
        row["rationale"],
        row["decided_by"],
        row["decided_at"],
        row["behaviour_hash"],
        row["resulting_version_id"],
    )


def lock_of(row: Row) -> DraftLock:
    """The lock of a row."""
    return DraftLock(**{name: row[name] for name in DraftLock.__dataclass_fields__})


def run_row(run: Run) -> dict[str, object]:
    """A run; parts that are values become JSON."""
    row = {_RUN_RENAMED.get(name, name): getattr(run, name) for name in Run.__dataclass_fields__}
    row["limits"] = asdict(run.limits)
    row["usage"] = asdict(run.usage)
    row["files"] = [asdict(file) for file in run.files]
    for name in ("input_values", "settings", "isolation"):
        row[name] = dict(row[name])
    for name in ("requirements", "outputs", "next_actions"):
        row[name] = list(row[name])
    for name in ("action", "session_state", "state_out"):
        row[name] = dict(row[name]) if row[name] is not None else None
    return row


def run_of(row: Row) -> Run:
    """The run of a row."""
    given = {name: row[_RUN_RENAMED.get(name, name)] for name in Run.__dataclass_fields__}
    given["id"] = RunId(given["id"])
    given["kind"] = RunKind(given["kind"])
    given["context"] = RunContext(given["context"])
    given["lane"] = Lane(given["lane"])
    given["state"] = RunState(given["state"])
    given["outcome"] = OutcomeCode(given["outcome"]) if given["outcome"] else None
    given["limits"] = Limits(**given["limits"])
    given["usage"] = Usage(**given["usage"])
    given["files"] = tuple(InputFile(**file) for file in given["files"])
    for name in ("requirements", "outputs", "next_actions"):
        given[name] = tuple(given[name])
    given["check_only"] = bool(given["check_only"])
    given["lease_owner"] = WorkerId(given["lease_owner"]) if given["lease_owner"] else None
    return Run(**given)


def worker_row(worker: Worker) -> dict[str, object]:
    """A worker's record."""
    row = {name: getattr(worker, name) for name in Worker.__dataclass_fields__}
    return {**row, "capabilities": dict(worker.capabilities), "environments": list(worker.environments)}


def worker_of(row: Row) -> Worker:
    """The worker of a row."""
    given = {name: row[name] for name in Worker.__dataclass_fields__}
    return Worker(**{**given, "environments": tuple(given["environments"])})
