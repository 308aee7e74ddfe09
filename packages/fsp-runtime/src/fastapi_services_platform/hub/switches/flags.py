"""Feature flags: what is in force, and changes that are audited before they take effect."""

from dataclasses import dataclass

from fastapi_services_platform.config.feature_flags import FeatureFlags, Flag, FlagValue
from fastapi_services_platform.errors import ConfigurationError, PlatformError
from fastapi_services_platform.hub.switches.flag_changes import FlagChanged, SharedFlags
from fastapi_services_platform.observability.audit import AuditEvent, AuditTrail

CHANGED = "platform.flag_changed"


class FlagRefused(PlatformError):
    """There is no such flag, or the value is of another type."""

    def __init__(self, problem: str, fix: str) -> None:
        super().__init__(problem, fix)


@dataclass(frozen=True, slots=True)
class FlagView:
    """A flag as the page shows it."""

    name: str
    kind: str
    default: FlagValue
    description: str
    owner: str
    expires: str
    expired: bool
    rules: int
    declared_by: str


class Flags:
    """Reads and changes the flags in force."""

    def __init__(self, flags: FeatureFlags, shared: SharedFlags, audit: AuditTrail) -> None:
        self._flags = flags
        self._shared = shared
        self._audit = audit

    @property
    def problem(self) -> str:
        """What is wrong with the file; the last good version is in force."""
        return self._flags.problem

    @property
    def undeclared(self) -> list[str]:
        """Names that somebody asked for and nobody declared: they are off."""
        return sorted(self._flags.unknown)

    def all(self) -> list[FlagView]:
        """Every flag by name."""
        return [self._view(name, flag) for name, flag in sorted(self._flags.flags.items())]

    async def change(self, name: str, value: FlagValue, *, by: str, reason: str = "") -> None:
        """Set the default of a flag; it holds on this node at once and on every other within a second.

        Raises:
            FlagRefused: there is no such flag, or the value is of another type.
        """
        flag = self._flags.flags.get(name)
        if flag is None:
            raise FlagRefused(f"flag: there is no {name!r}.", "use a name of the list of flags.")
        typed = _typed(flag, value)
        details = {"before": flag.default, "after": typed}
        await self._audit.record(AuditEvent(CHANGED, by, f"flag:{name}", reason=reason, details=details))
        try:
            await self._shared.change(FlagChanged(name, flag.default, typed, by, reason))
        except (ConfigurationError, OSError) as error:
            failed = AuditEvent(CHANGED, by, f"flag:{name}", outcome="failed", reason=type(error).__name__)
            await self._audit.record(failed)
            raise FlagRefused(f"flag: {name} was not changed: {error}.", "see that the file can be written.") from error

    async def history(self, limit: int) -> list[FlagChanged]:
        """Changes, newest first."""
        return await self._shared.history(limit)

    def _view(self, name: str, flag: Flag) -> FlagView:
        return FlagView(
            name=name,
            kind=flag.type,
            default=flag.default,
            description=flag.description,
            owner=flag.owner,
            expires=flag.expires.isoformat() if flag.expires is not None else "",
            expired=name in self._flags.expired(),
            rules=len(flag.rules),
            declared_by=name.partition(".")[0] if name in self._flags.contributed else "feature_flags.json",
        )


def _typed(flag: Flag, value: FlagValue) -> FlagValue:
    """The value in the flag's type; a form gives text for everything.

    Raises:
        FlagRefused: it does not fit.
    """
    if flag.type == "boolean":
        known = {"true": True, "false": False, "on": True, "off": False}
        found = value if isinstance(value, bool) else known.get(str(value).lower())
        if found is None:
            raise FlagRefused(f"value: {value!r} is not a boolean.", "use true or false.")
        return found
    if flag.type == "number":
        try:
            return float(value)
        except ValueError:
            raise FlagRefused(f"value: {value!r} is not a number.", "use digits and a point.") from None
    return str(value)
