"""Flags that change while the platform runs: typed, with rules, read anew within a second of a change of their file.

A file with bad content changes nothing: the last good version stays in force, also over a start (it is kept beside the
platform's data), and :attr:`FeatureFlags.problem` says what is wrong. Evaluation follows OpenFeature: a value with its
variant and the reason for it, and never an exception.
"""

import json
import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from hashlib import blake2b
from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, model_validator

from fastapi_services_platform.errors import ConfigurationError

FlagValue = bool | int | float | str
Reason = Literal["STATIC", "TARGETING_MATCH", "SPLIT", "DEFAULT", "ERROR"]

_UNKNOWN_KEPT = 100
_KINDS: Mapping[str, tuple[type, ...]] = {"boolean": (bool,), "string": (str,), "number": (int, float)}


class FlagRule(BaseModel):
    """Gives ``value`` when everything that it names fits; ``percentage`` splits by a stable hash of the subject."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    value: FlagValue
    subjects: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()
    tenants: tuple[str, ...] = ()
    percentage: float | None = Field(None, ge=0, le=100)
    starts: datetime | None = None
    ends: datetime | None = None


class Flag(BaseModel):
    """One flag as the file describes it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    type: Literal["boolean", "string", "number"] = "boolean"
    default: FlagValue = False
    description: str = Field(min_length=1)
    owner: str = Field(min_length=1)
    expires: date | None = None
    rules: tuple[FlagRule, ...] = ()

    @model_validator(mode="after")
    def _values_fit_the_type(self) -> Self:
        for value in (self.default, *(rule.value for rule in self.rules)):
            if not _is_of(self, value):
                raise ValueError(f"{value!r} is not a {self.type}")
        return self


@dataclass(frozen=True, slots=True)
class FlagContext:
    """Who a flag is evaluated for."""

    subject: str = ""
    tenant: str = "default"
    roles: frozenset[str] = frozenset()
    now: datetime | None = None


@dataclass(frozen=True, slots=True)
class Evaluation:
    """A value with the reason for it; ``error`` is set when the flag is unknown or of another type."""

    value: FlagValue
    reason: Reason
    variant: str = ""
    error: str = ""


@dataclass(slots=True)
class FeatureFlags:
    """The flags in force: those of capabilities, over them those of the file, with the defaults that operators put in
    their place on all nodes.

    ``file`` is ``None`` on a platform without a configuration folder; ``kept`` is where its last good version is.
    ``unknown`` are names that somebody asked for and nobody declared.
    """

    file: Path | None = None
    kept: Path | None = None
    flags: Mapping[str, Flag] = field(default_factory=dict)
    problem: str = ""
    _stamp: tuple[int, int] | None = None
    unknown: set[str] = field(default_factory=set)
    tell_unknown: Callable[[str], None] = lambda _name: None
    _contributed: Mapping[str, Flag] = field(default_factory=dict)
    _described: Mapping[str, Flag] = field(default_factory=dict)
    _overrides: Mapping[str, FlagValue] = field(default_factory=dict)

    def evaluate(self, name: str, default: FlagValue, context: FlagContext | None = None) -> Evaluation:
        """The value for a context; ``default`` when there is no such flag or it is of another type."""
        flag = self.flags.get(name)
        if flag is None:
            self._note_unknown(name)
            return Evaluation(default, "ERROR", error="FLAG_NOT_FOUND")
        if not isinstance(default, _KINDS[flag.type]):
            return Evaluation(default, "ERROR", error="TYPE_MISMATCH")
        asked = context or FlagContext()
        for number, rule in enumerate(flag.rules):
            if _fits(rule, name, asked):
                reason: Reason = "SPLIT" if rule.percentage is not None else "TARGETING_MATCH"
                return Evaluation(rule.value, reason, f"rule-{number + 1}")
        return Evaluation(flag.default, "DEFAULT" if flag.rules else "STATIC", "default")

    def is_on(self, name: str, context: FlagContext | None = None) -> bool:
        """Whether a boolean flag is on; an unknown flag is off."""
        return self.evaluate(name, False, context).value is True

    def expired(self, today: date | None = None) -> list[str]:
        """Flags whose time is over and that nobody removed."""
        day = today or datetime.now(UTC).date()
        return sorted(name for name, flag in self.flags.items() if flag.expires is not None and flag.expires < day)

    def load(self) -> None:
        """Read the file for the first time. Where its content is bad, the version that was kept is in force."""
        if self.file is None or not self.file.is_file():
            return
        self._stamp = _stamp(self.file)
        try:
            self._described = read_flags(self.file)
        except ConfigurationError as error:
            self.problem = str(error)
            with suppress(ConfigurationError):
                self._described = read_flags(self.kept) if self.kept is not None else {}
        self._combine()

    def keep(self) -> None:
        """Keep the file's content for a start at which it is bad. Blocks: call it in a thread."""
        if self.file is None or self.kept is None or self.problem or not self.file.is_file():
            return
        content = self.file.read_bytes()
        if self.kept.is_file() and self.kept.read_bytes() == content:
            return
        self.kept.parent.mkdir(mode=0o750, parents=True, exist_ok=True)
        draft = self.kept.with_name(f".{self.kept.name}.{os.getpid()}")
        draft.write_bytes(content)
        draft.replace(self.kept)

    def contribute(self, flags: Mapping[str, Flag]) -> None:
        """Add the flags of a capability; one that the file describes too is as the file says, while the type is the
        same.
        """
        self._contributed = {**self._contributed, **flags}
        self.unknown -= flags.keys()
        self._combine()

    @property
    def contributed(self) -> Mapping[str, Flag]:
        """The flags of capabilities as these declare them."""
        return self._contributed

    def _note_unknown(self, name: str) -> None:
        if name not in self.unknown and len(self.unknown) < _UNKNOWN_KEPT:
            self.unknown.add(name)
            self.tell_unknown(name)

    def override(self, values: Mapping[str, FlagValue]) -> None:
        """Let these defaults stand instead of the file's; one that is no flag's, or of another type, counts nothing."""
        self._overrides = dict(values)
        self._combine()

    def _combine(self) -> None:
        known = dict(self._contributed)
        for name, flag in self._described.items():
            declared = self._contributed.get(name, flag).type
            if flag.type == declared:
                known[name] = flag
            else:
                self.problem = f"{self.file}: {name}: its capability declares a {declared}, the file a {flag.type}."
        self.flags = {name: _overridden(flag, self._overrides.get(name)) for name, flag in known.items()}

    def refresh(self) -> bool:
        """Read the file again when it changed; whether there is something to tell: other flags, or a problem."""
        if self.file is None:
            return False
        stamp = _stamp(self.file)
        if stamp == self._stamp:
            return False
        self._stamp = stamp
        try:
            flags = read_flags(self.file) if stamp is not None else {}
        except ConfigurationError as error:
            self.problem = str(error)
            return True
        changed = flags != self._described or self.problem != ""
        self._described, self.problem = flags, ""
        self._combine()
        self.keep()
        return changed

    def change(self, name: str, value: FlagValue) -> None:
        """Set the default of a flag and write the file, all of it or nothing. Blocks: call it in a thread.

        Raises:
            ConfigurationError: there is no such flag, or the value is of another type.
        """
        flag = self.flags.get(name)
        if flag is None or self.file is None:
            raise ConfigurationError(f"there is no flag {name!r}.", file=self.file, key=name, fix="add it to the file.")
        content = json.loads(self.file.read_text(encoding="utf-8")) if self.file.is_file() else {}
        if name not in content:
            content[name] = self._contributed[name].model_dump(mode="json", exclude_defaults=True)
            content[name]["type"] = flag.type
        content[name]["default"] = value
        draft = self.file.with_name(f".{self.file.name}.{os.getpid()}")
        draft.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        try:
            read_flags(draft)
            draft.replace(self.file)
        finally:
            draft.unlink(missing_ok=True)
        self.refresh()


_FLAGS = TypeAdapter(dict[str, Flag])


def read_flags(file: Path) -> dict[str, Flag]:
    """The flags of a file.

    Raises:
        ConfigurationError: it is no JSON, or a flag breaks a rule.
    """
    try:
        text = file.read_text(encoding="utf-8")
        return _FLAGS.validate_python(json.loads(text))
    except OSError as error:
        raise ConfigurationError(f"cannot be read: {error.strerror}.", file=file) from None
    except json.JSONDecodeError as error:
        problem = f"not valid JSON: {error.msg}."
        raise ConfigurationError(problem, file=file, line=error.lineno, fix="correct the line.") from None
    except UnicodeDecodeError:
        raise ConfigurationError("the file is not UTF-8.", file=file, fix="save it as UTF-8.") from None
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        key = ".".join(str(part) for part in first["loc"])
        message = str(first["msg"]).removeprefix("Value error, ")
        line = next((n for n, row in enumerate(text.splitlines(), 1) if f'"{first["loc"][0]}"' in row), None)
        raise ConfigurationError(f"{message}.", file=file, line=line, key=key, fix="correct the flag.") from None


def _overridden(flag: Flag, value: FlagValue | None) -> Flag:
    if value is None or not _is_of(flag, value):
        return flag
    return flag.model_copy(update={"default": value})


def _is_of(flag: Flag, value: FlagValue) -> bool:
    return isinstance(value, _KINDS[flag.type]) and not (flag.type == "number" and isinstance(value, bool))


def _fits(rule: FlagRule, name: str, context: FlagContext) -> bool:
    now = context.now or datetime.now(UTC)
    if rule.starts is not None and now < _aware(rule.starts):
        return False
    if rule.ends is not None and now >= _aware(rule.ends):
        return False
    if rule.subjects and context.subject not in rule.subjects:
        return False
    if rule.tenants and context.tenant not in rule.tenants:
        return False
    if rule.roles and not context.roles.intersection(rule.roles):
        return False
    return rule.percentage is None or _share(name, context.subject) < rule.percentage


def _share(name: str, subject: str) -> float:
    """Where a subject stands between 0 and 100 for one flag: the same on every node and after every start."""
    digest = blake2b(f"{name}\x00{subject}".encode(), digest_size=8).digest()
    return int.from_bytes(digest) / 2**64 * 100


def _aware(moment: datetime) -> datetime:
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)


def _stamp(file: Path) -> tuple[int, int] | None:
    try:
        found = file.stat()
    except OSError:
        return None
    return (found.st_mtime_ns, found.st_size)
