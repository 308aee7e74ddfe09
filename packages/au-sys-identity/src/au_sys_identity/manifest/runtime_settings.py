"""What may be set, as data, and what is in force now: the environment's values and those chosen at run time."""

import asyncio
import json
import types
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin

from pydantic import SecretStr, ValidationError
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource

from au_sys_identity.core.directories.models import Directory
from au_sys_identity.core.directories.providers import Provider
from au_sys_identity.core.errors import InvalidInput
from au_sys_identity.core.settings.changing import RuntimeSettings, Values
from au_sys_identity.core.settings.lists import Named, parsed
from au_sys_identity.core.settings.models import Setting, Weaker
from au_sys_identity.manifest.config import IdentitySettings
from fastapi_services_platform import get_logger

_logger = get_logger(__name__)
_LOOK_EVERY_SECONDS = 0.25
_LISTS: Mapping[str, Callable[[Mapping[str, object]], Named]] = {"LDAP": Directory.read, "PROVIDERS": Provider.read}
_TYPES: Mapping[type, str] = {bool: "boolean", int: "integer", str: "text", Path: "path", SecretStr: "secret"}
_PAIRS = (("API_KEY_DAYS", "API_KEY_MAX_DAYS"), ("SESSION_IDLE", "SESSION_MAX"))


class _Given(IdentitySettings):
    """The same settings from values alone; the environment was read before."""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Values only."""
        return (init_settings,)


class SettingsRead:
    """Checks values against the settings class. ``environment`` is what was read at the start."""

    def __init__(self, environment: IdentitySettings) -> None:
        self._explicit = {name: getattr(environment, name) for name in environment.model_fields_set}
        self._fields = {name.upper(): info for name, info in IdentitySettings.model_fields.items()}
        self.catalogue = tuple(_setting(name, info, environment) for name, info in self._fields.items())

    def value(self, name: str, value: object) -> object:
        """One value from JSON.

        Raises:
            InvalidInput: it breaks a rule; the value is not repeated.
        """
        place = f"values.{name}"
        if name in _LISTS:
            return _list(place, value, _LISTS[name])
        wanted = _kind(self._fields[name])
        fits = isinstance(value, int) and not isinstance(value, bool) if wanted is int else isinstance(value, wanted)
        if not fits:
            raise InvalidInput(place, f"must be of type {_TYPES.get(wanted, 'text')}", "Use the type of the list.")
        try:
            _Given(**{**self._explicit, name.lower(): value})
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False, include_context=False)[0]
            raise InvalidInput(place, str(first["msg"]), "Choose a value within the bounds.") from None
        return value

    def check(self, values: Values) -> None:
        """Refuse values that contradict each other.

        Raises:
            InvalidInput: they do.
        """
        for lesser, greater in _PAIRS:
            low, high = values[lesser], values[greater]
            if isinstance(low, int) and isinstance(high, int) and low > high:
                raise InvalidInput(f"values.{lesser}", f"is more than {greater}", "Change both together.")

    def settings(self, values: Values) -> IdentitySettings:
        """The settings with these values."""
        chosen = {
            setting.name.lower(): values[setting.name]
            for setting in self.catalogue
            if not setting.pinned and setting.name not in _LISTS
        }
        return _Given(**{**self._explicit, **chosen})


class LiveSettings:
    """What is in force now. Followers are told at the start and after every change, on every node within a second."""

    def __init__(self, environment: IdentitySettings, read: SettingsRead, runtime: RuntimeSettings) -> None:
        self.current = environment
        self._read = read
        self._runtime = runtime
        self._followers: list[Callable[[IdentitySettings], None]] = []
        self._watch: asyncio.Task[None] | None = None
        runtime.follow(self._changed)

    def follow(self, follower: Callable[[IdentitySettings], None]) -> None:
        """Call it after every change."""
        self._followers.append(follower)

    async def start(self) -> None:
        """Read what was chosen, and keep looking."""
        await self._runtime.refresh()
        self._watch = asyncio.create_task(self._look(), name="identity.settings")

    async def stop(self) -> None:
        """Look no more."""
        if self._watch is not None:
            self._watch.cancel()
            with suppress(asyncio.CancelledError):
                await self._watch

    def _changed(self, values: Values) -> None:
        self.current = self._read.settings(values)
        for follower in self._followers:
            follower(self.current)

    async def _look(self) -> None:
        failing = False
        while True:
            await asyncio.sleep(_LOOK_EVERY_SECONDS)
            try:
                await self._runtime.refresh()
                failing = False
            except Exception as error:  # the database is away: what was read last stays in force
                if not failing:
                    _logger.warning("settings.unreadable", error=type(error).__name__)
                failing = True


def _setting(name: str, info: FieldInfo, environment: IdentitySettings) -> Setting:
    extra: Mapping[str, Any] = info.json_schema_extra if isinstance(info.json_schema_extra, dict) else {}  # JSON
    field = name.lower()
    kind = _kind(info)
    listed = name in _LISTS
    found = getattr(environment, field)
    default = info.get_default(call_default_factory=True, validated_data={})
    bounds = {type(bound).__name__: bound for bound in info.metadata}
    return Setting(
        name=name,
        type="list" if listed else " | ".join(_choices(info)) or _TYPES.get(kind, "text"),
        description=info.description or "",
        given=_list(name, json.loads(found.get_secret_value()), _LISTS[name])
        if listed and found
        else _plain(found, listed),
        default=_plain(default, listed),
        fixed=not extra.get("runtime", False),
        in_environment=field in environment.model_fields_set,
        secret=kind is SecretStr,
        weaker=_weaker(extra.get("weaker")),
        choices=_choices(info),
        least=getattr(bounds.get("Ge"), "ge", None),
        most=getattr(bounds.get("Le"), "le", None),
    )


def _list(place: str, value: object, read: Callable[[Mapping[str, object]], Named]) -> list[object]:
    try:
        return [item.stored() for item in parsed(json.dumps(value), read)]
    except InvalidInput as error:
        raise InvalidInput(f"{place}.{error.field}", error.rule, error.hint) from None
    except ValueError:
        rule = "must be a list of objects with different names"
        raise InvalidInput(place, rule, "See the settings of directories and login providers.") from None


def _kind(info: FieldInfo) -> type:
    """The one type of a field, without ``None``."""
    found: object = info.annotation
    if get_origin(found) in (Union, types.UnionType):
        found = next(part for part in get_args(found) if part is not type(None))
    if get_origin(found) is Literal:
        return str
    return found if isinstance(found, type) else str


def _choices(info: FieldInfo) -> tuple[str, ...]:
    return tuple(map(str, get_args(info.annotation))) if get_origin(info.annotation) is Literal else ()


def _weaker(found: object) -> Weaker | None:
    if isinstance(found, list):
        return tuple(map(str, found))
    for known in ("higher", "lower", "true", "false"):
        if found == known:
            return known
    return None


def _plain(value: object, listed: bool) -> object:
    if value is None and listed:
        return []
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    return str(value) if isinstance(value, Path) else value
