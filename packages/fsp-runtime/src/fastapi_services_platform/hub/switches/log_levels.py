"""Read and change the levels of loggers; every change is audited before it takes effect."""

import re

from fastapi_services_platform.engine.processes.siblings import Siblings
from fastapi_services_platform.errors import PlatformError
from fastapi_services_platform.observability.audit import AuditEvent, AuditTrail
from fastapi_services_platform.observability.logger_factory import LEVELS, changed_levels, levels, set_level

LEVEL_CHANGED = "log-level"
_NAME = re.compile(r"[A-Za-z0-9_.]{0,200}")


class UnknownLogLevel(PlatformError):
    """The level or the name of the logger is not one."""

    def __init__(self, problem: str, fix: str) -> None:
        super().__init__(problem, fix)


class LogLevels:
    """Changes hold for every process of this parent until it ends."""

    def __init__(self, audit: AuditTrail, siblings: Siblings) -> None:
        self._audit = audit
        self._siblings = siblings

    def all(self) -> dict[str, str]:
        """The level of every known logger; the empty name is the default."""
        return levels()

    def changed(self) -> dict[str, str]:
        """Names whose level was set while the platform ran."""
        return changed_levels()

    async def change(self, logger: str, level: str | None, *, by: str) -> None:
        """Set the level of a logger and of all below it; ``None`` takes the change back.

        Raises:
            UnknownLogLevel: there is no such level, or the name cannot be a logger's.
        """
        if level is not None and level not in LEVELS:
            raise UnknownLogLevel(f"level: {level!r} is no level.", f"use one of {', '.join(LEVELS)}.")
        if _NAME.fullmatch(logger) is None:
            raise UnknownLogLevel("logger: this is no logger's name.", "use letters, digits, _ and dots.")
        before = levels().get(logger, "inherited")
        details = {"before": before, "after": level or "inherited"}
        event = AuditEvent("platform.loglevel_changed", by, resource=f"logger:{logger or 'default'}", details=details)
        await self._audit.record(event)
        set_level(logger, level)
        await self._siblings.ask(LEVEL_CHANGED, [logger, level])


async def take_over_level(content: object) -> bytes:
    """Set what a sibling was told to set."""
    match content:
        case [str(logger), (None | "debug" | "info" | "warning" | "error") as level]:
            set_level(logger, level)
            return b"done"
    raise ValueError("no level of a logger")
