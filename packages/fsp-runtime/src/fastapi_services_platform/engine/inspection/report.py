"""What the command line tells: it assembles the platform without opening anything but what it was asked about."""

import asyncio
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic_settings import BaseSettings

from fastapi_services_platform.capability.contribution import Migrations
from fastapi_services_platform.capability.ordering import providers_of
from fastapi_services_platform.config.settings import platform_settings
from fastapi_services_platform.engine.app_factory import PlatformApp, create_app
from fastapi_services_platform.engine.inspection.quality import quality_of
from fastapi_services_platform.engine.inspection.reasons import reasons_of
from fastapi_services_platform.engine.inventory import LoadedCapability
from fastapi_services_platform.engine.platform import Platform
from fastapi_services_platform.engine.plugin_loader import find_capabilities
from fastapi_services_platform.errors import ConfigurationError
from fastapi_services_platform.http.permissions import Access
from fastapi_services_platform.persistence import migrations as alembic_runs
from fastapi_services_platform.persistence.databases import Database

if TYPE_CHECKING:
    import click

Row = dict[str, Any]  # Any: values are printed or turned into JSON


async def assembled() -> PlatformApp:
    """The platform of the environment, assembled and not started.

    Raises:
        PlatformError: what would stop the start.
    """
    app = create_app(platform_settings())
    if not isinstance(app, PlatformApp):  # pragma: no cover - create_app makes nothing else
        raise TypeError("create_app returned another application")
    app.edge.index = await app.assembly.assemble(find_capabilities(None))
    return app


async def capability_report() -> Row:
    """Everything that ``fsp list --json`` prints."""
    app = await assembled()
    return {
        "platform": app.platform.settings.name,
        "capabilities": [_capability(app.platform, item) for item in app.platform.inventory.capabilities],
    }


def _capability(platform: Platform, item: LoadedCapability) -> Row:
    contribution, manifest = item.contribution, item.manifest
    return {
        "name": item.name,
        "version": manifest.version,
        "summary": manifest.summary,
        "distribution": item.distribution,
        "state": item.state,
        "reason": item.reason,
        "required": item.required,
        "why": list(reasons_of(item, platform.inventory)),
        **_quality(platform, item),
        "provides": list(manifest.provides),
        "requires": list(manifest.requires),
        "optional": list(manifest.optional),
        "routes": sum(entry.owner is item for entry in platform.inventory.routes),
        "routers": [{"name": mount.name, "tier": mount.tier.name.lower()} for mount in contribution.routers],
        "permissions": [permission.name for permission in contribution.permissions],
        "bundles": [bundle.name for bundle in contribution.bundles],
        "database": _database(platform, item),
        "processes": [
            {"name": process.name, "command": list(process.command), "summary": process.summary}
            for process in contribution.processes
        ],
        "commands": [command.name for command in contribution.commands],
        "flags": [flag.name for flag in contribution.flags],
        "mcp_tools": [
            {"name": tool.name, "summary": tool.summary, "operation": tool.operation} for tool in contribution.mcp_tools
        ],
        "jobs": [job.name for job in contribution.jobs],
        "menu": [entry.href for entry in contribution.menu],
        "settings": _variables(manifest.settings),
        "health_checks": [check.name for check in contribution.health_checks],
        "entry_page": contribution.entry_page,
        "timings": item.timings,
    }


async def contributed_commands() -> "dict[str, tuple[click.Command, ...]]":
    """Commands by the capability that contributes them, those that are switched off left out.

    Raises:
        PlatformError: what would stop the start.
    """
    app = await assembled()
    found: dict[str, tuple[click.Command, ...]] = {}
    for item in app.platform.inventory.active():
        switches = app.assembly.factory.features_of(item.name).commands
        on = tuple(command for command in item.contribution.commands if switches.get(str(command.name), True))
        if on:
            found[item.name] = on
    return found


def _quality(platform: Platform, item: LoadedCapability) -> Row:
    found = quality_of(item, platform.inventory)
    return {"grade": found.grade, "lacking": [asdict(fact) for fact in found.facts if fact.lacking]}


def _variables(settings: type[BaseSettings] | None) -> list[str]:
    if settings is None:
        return []
    prefix = str(settings.model_config.get("env_prefix") or "")
    return [f"{prefix}{name}".upper() for name in settings.model_fields]


def _database(platform: Platform, item: LoadedCapability) -> Row | None:
    if not item.manifest.database and item.contribution.migrations is None:
        return None
    address = platform.database(item.name).address
    kept = item.contribution.migrations
    return {"address": address, "head": alembic_runs.head_of(item.name, kept) if kept is not None else None}


async def route_report() -> list[Row]:
    """Every route in order of registration."""
    app = await assembled()
    return [
        {
            "methods": sorted(entry.methods) or [entry.kind.upper()],
            "path": entry.path,
            "name": entry.name,
            "access": _access(entry.access),
            "capability": entry.owner.name,
            "router": entry.mount_name,
        }
        for entry in app.platform.inventory.routes
    ]


def _access(declared: Access) -> str:
    if declared.public:
        return "public"
    return declared.permission or "signed in"


async def dependency_edges() -> list[tuple[str, str, str]]:
    """(who needs, who provides, port)."""
    app = await assembled()
    manifests = [item.manifest for item in app.platform.inventory.active()]
    provided = providers_of(manifests)
    return [
        (manifest.name, provided[port], port)
        for manifest in manifests
        for port in (*manifest.requires, *manifest.optional)
        if port in provided
    ]


async def migration_report(step: str, capability: str | None, revision: str = "head") -> list[Row]:
    """Carry out ``status``, ``upgrade``, ``downgrade`` or ``check`` and say where each database stands then.

    Raises:
        ConfigurationError: no capability of that name has migrations.
        MigrationError: an upgrade or a downgrade failed.
    """
    app = await assembled()
    chosen = [(name, kept) for name, kept in migrated(app) if capability in (None, name)]
    if capability is not None and not chosen:
        known = ", ".join(name for name, _ in migrated(app)) or "none"
        raise ConfigurationError(f"{capability} has no migrations (those that have: {known}).", key="--capability")
    rows: list[Row] = []
    try:
        for name, kept in chosen:
            database = app.platform.database(name)
            if step == "upgrade":
                await database.migrate(kept)
            elif step == "downgrade":
                await alembic_runs.downgrade(database, kept, revision)
            state = await stands(database, kept)
            if kept.outbox and state.at_head:
                outbox = await alembic_runs.status(database, alembic_runs.OUTBOX)
                state = state if outbox.at_head else replace(state, current=f"{state.current}, outbox behind")
            said = "at head" if state.at_head else "behind"
            row: Row = {"database": name, "current": state.current, "head": state.head, "state": said}
            if step == "check" and state.at_head:
                row["differences"] = await alembic_runs.drift(database, kept)
                row["state"] = "differs" if row["differences"] else "at head"
            rows.append(row)
    finally:
        await close_databases(app)
    return rows


async def stands(database: Database, kept: Migrations) -> alembic_runs.MigrationStatus:
    """Where a database stands; to ask a file that is not there would make it."""
    file = database.file
    if file is not None and not await asyncio.to_thread(Path(file).exists):
        return alembic_runs.MigrationStatus(database.name, None, alembic_runs.head_of(database.name, kept))
    return await alembic_runs.status(database, kept)


def migrated(app: PlatformApp) -> list[tuple[str, Migrations]]:
    """Capabilities with migrations."""
    return [
        (item.name, item.contribution.migrations)
        for item in app.platform.inventory.active()
        if item.contribution.migrations is not None
    ]


async def close_databases(app: PlatformApp) -> None:
    """Close what a report opened."""
    for database in app.platform.databases:
        await database.close()
