"""What a capability hands over is looked at before it counts: names fit their owner, parts that belong together do."""

import re
from collections.abc import Iterable

from fastapi_services_platform.capability.contribution import Contribution, FeatureFlag, McpTool, Permission
from fastapi_services_platform.capability.discovery import HUB
from fastapi_services_platform.config.feature_flags import Flag
from fastapi_services_platform.engine.background.schedules import BadSchedule, check_schedule
from fastapi_services_platform.engine.inventory import Inventory
from fastapi_services_platform.errors import InvalidContribution
from fastapi_services_platform.http.routing import RouteEntry

_TOOL = re.compile(r"[A-Za-z0-9_.-]{1,64}")


def check_contribution(name: str, contribution: Contribution) -> None:
    """Whether names fit their owner, nothing is there twice, and bundles name permissions that exist in it.

    Raises:
        InvalidContribution: it names the part at fault.
    """
    space = "platform" if name == HUB else name
    _check_permissions(name, space, contribution.permissions)
    _refuse_twice(name, contribution)
    for job in contribution.jobs:
        try:
            check_schedule(job)
        except BadSchedule as error:
            raise InvalidContribution(name, f"job {job.name!r}: {error}.", "give interval=… or cron=….") from None
    own = {permission.name for permission in contribution.permissions}
    for bundle in contribution.bundles:
        for missing in sorted({item for item in bundle.permissions if item.startswith(f"{space}.")} - own):
            raise InvalidContribution(
                name,
                f"bundle {bundle.name!r} holds {missing!r}, which is not contributed.",
                "contribute the permission.",
            )
    _check_flags(name, space, contribution.flags)
    _check_tools(name, contribution.mcp_tools)


def described_flags(contribution: Contribution) -> dict[str, Flag]:
    """The contributed flags as the flags in force know them."""
    return {
        item.name: Flag(
            type="boolean"
            if isinstance(item.default, bool)
            else "string"
            if isinstance(item.default, str)
            else "number",
            default=item.default,
            description=item.description,
            owner=item.owner,
            expires=item.expires,
        )
        for item in contribution.flags
    }


def _check_permissions(name: str, space: str, permissions: Iterable[Permission]) -> None:
    for permission in permissions:
        if permission.name.count(".") != 2 or not permission.name.startswith(f"{space}."):
            raise InvalidContribution(
                name,
                f"permission {permission.name!r} is not named <capability>.<noun>.<verb>.",
                f"start it with {space}.",
            )


def _refuse_twice(name: str, contribution: Contribution) -> None:
    for kind, parts in (
        ("routers", contribution.routers),
        ("event handlers", contribution.event_handlers),
        ("commands", contribution.commands),
        ("feature flags", contribution.flags),
        ("MCP tools", contribution.mcp_tools),
    ):
        names = [str(part.name) for part in parts]
        for twice in sorted({item for item in names if names.count(item) > 1}):
            raise InvalidContribution(name, f"two {kind} are named {twice!r}.", "give each its own name.")


def _check_flags(name: str, space: str, flags: Iterable[FeatureFlag]) -> None:
    for flag in flags:
        if not flag.name.startswith(f"{space}."):
            raise InvalidContribution(
                name, f"feature flag {flag.name!r} is not named <capability>.<flag>.", f"start it with {space}."
            )
        for part in ("description", "owner"):
            if not getattr(flag, part).strip():
                raise InvalidContribution(name, f"feature flag {flag.name!r} has no {part}.", f"give its {part}.")


def _check_tools(name: str, tools: Iterable[McpTool]) -> None:
    for tool in tools:
        if _TOOL.fullmatch(tool.name) is None:
            raise InvalidContribution(
                name, f"MCP tool {tool.name!r} is not named like may_i.", "use letters, digits, _, - and ., at most 64."
            )
        if not tool.summary.strip():
            raise InvalidContribution(
                name, f"MCP tool {tool.name!r} has no summary.", "say when a model should use it."
            )


def operation_of(offered: McpTool, owner: str, inventory: Inventory) -> tuple[RouteEntry, str] | None:
    """The route and the method of a tool's operation; ``None`` when configuration may have switched its router off.

    Raises:
        InvalidContribution: the capability has no operation of that id.
    """
    for entry in inventory.routes:
        if entry.owner.name == owner and getattr(entry.original, "operation_id", None) == offered.operation:
            return entry, min(entry.methods - {"HEAD", "OPTIONS"})
    loaded = inventory.find(owner)
    if loaded is not None and loaded.switched_off:
        return None
    raise InvalidContribution(
        owner,
        f"MCP tool {offered.name!r} names the operation {offered.operation!r}, which it has not.",
        "name the operation_id of one of its own routes.",
    )


def check_tools(inventory: Inventory) -> None:
    """Whether every tool leads to an operation, unless that is switched off, and no two have one name.

    Raises:
        InvalidContribution: it names the tool.
    """
    owners: dict[str, str] = {}
    for owner, offered in inventory.mcp_tools:
        operation_of(offered, owner, inventory)
        first = owners.setdefault(offered.name, owner)
        if first != owner:
            raise InvalidContribution(
                owner, f"MCP tool {offered.name!r} is one of {first!r} too.", "choose another name."
            )
