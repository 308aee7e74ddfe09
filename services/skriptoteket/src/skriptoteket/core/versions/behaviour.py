"""Check what an author sends, and merge it into the behaviour it starts from."""

import keyword
from collections.abc import Mapping, Sequence
from dataclasses import fields, replace

from skriptoteket.core.errors import FieldIssue, ValidationFailed
from skriptoteket.core.fields.schema import check_schema, normal_form
from skriptoteket.core.fields.values import has_bad_characters
from skriptoteket.core.json_values import JsonValue
from skriptoteket.core.versions.hashing import at_the_door
from skriptoteket.core.versions.models import ONE_FILE, Behaviour

MAX_SOURCE_BYTES = 512 * 1024
MAX_ENTRYPOINT = 128
MAX_INSTRUCTIONS_BYTES = 64 * 1024

Ceilings = Mapping[str, tuple[float, float]]
"""Lowest and highest of each limit that a version may ask for."""

LIMIT_CEILINGS: Ceilings = {
    "wall_seconds": (1, 900),
    "memory_mib": (64, 2048),
    "cpu": (0.1, 2.0),
    "processes": (1, 256),
    "workspace_mib": (1, 1024),
}
"""What a version may ask for, lowest and highest."""

REQUIREMENTS = frozenset(
    {
        "network_isolation",
        "filesystem_isolation",
        "pid_isolation",
        "seccomp",
        "disk_quota",
        "memory_limit",
        "process_limit",
        "cpu_limit",
        "own_kernel",
    }
)

_DEFAULTS: Mapping[str, object] = {
    "input_schema": ONE_FILE,
    "settings_schema": (),
    "usage_instructions": "",
    "requirements": (),
    "limits": {},
    "idempotent": False,
    "contract": 1,
    "entrypoint": "run_tool",
    "environment": "standard@1",
    "source_code": "",
}


def checked(
    start: Behaviour, given: Mapping[str, object], environments: Sequence[str], ceilings: Ceilings = LIMIT_CEILINGS
) -> Behaviour:
    """The behaviour with the given fields in place; a field that is not given is inherited, null means its default.

    Raises:
        ValidationFailed: with every issue; schema issues have paths such as ``input_schema.2.min``.
    """
    known = {field.name for field in fields(Behaviour)}
    issues = [FieldIssue(name, "unknown", "is not a field of a version") for name in given if name not in known]
    issues += [
        issue for name, value in given.items() if value is not None for issue in _type_issues(name, value, ceilings)
    ]
    if issues:
        raise ValidationFailed(issues)
    chosen = {name: _DEFAULTS[name] if value is None else _stored(name, value) for name, value in given.items()}
    behaviour = at_the_door(replace(start, **chosen))  # type: ignore[arg-type]  # _type_issues checked every value
    issues = [*_text_issues(behaviour), *_choice_issues(behaviour, environments)]
    if issues:
        raise ValidationFailed(issues)
    return behaviour


def reduced(limits: Mapping[str, JsonValue], ceilings: Ceilings) -> dict[str, float]:
    """Which limits of a version, checked when it was saved, are higher than the operator allows now, and what runs get
    instead."""
    asked = {name: wanted for name, wanted in limits.items() if isinstance(wanted, int | float)}
    return {
        name: ceilings[name][1] for name, wanted in asked.items() if name in ceilings and wanted > ceilings[name][1]
    }


def _type_issues(name: str, value: object, ceilings: Ceilings) -> list[FieldIssue]:
    if name in ("input_schema", "settings_schema"):
        found = check_schema(value, "input_schema" if name == "input_schema" else "settings_schema")
        return [FieldIssue(f"{name}.{issue.path}".rstrip("."), "schema", issue.message) for issue in found]
    if name in ("source_code", "entrypoint", "environment", "usage_instructions") and not isinstance(value, str):
        return [FieldIssue(name, "type", "must be a text")]
    if name == "idempotent" and not isinstance(value, bool):
        return [FieldIssue(name, "type", "must be true or false")]
    if name == "contract" and value != 1:
        return [FieldIssue(name, "unknown", "must be 1, the only contract there is")]
    if name == "requirements":
        return _requirement_issues(value)
    return _limit_issues(value, ceilings) if name == "limits" else []


def _requirement_issues(value: object) -> list[FieldIssue]:
    if not isinstance(value, Sequence) or isinstance(value, str) or any(not isinstance(item, str) for item in value):
        return [FieldIssue("requirements", "type", "must be a list of names")]
    unknown = [item for item in value if item.partition(":")[0] not in REQUIREMENTS]
    text = f"may only hold {', '.join(sorted(REQUIREMENTS))}"
    return [FieldIssue("requirements", "unknown", f"{item!r}: {text}") for item in unknown]


def _limit_issues(value: object, ceilings: Ceilings) -> list[FieldIssue]:
    if not isinstance(value, Mapping):
        return [FieldIssue("limits", "type", "must be an object such as {memory_mib: 1024}")]
    issues = []
    for name, wanted in value.items():
        if name not in ceilings:
            issues.append(FieldIssue(f"limits.{name}", "unknown", f"is no limit (known: {', '.join(ceilings)})"))
            continue
        low, high = ceilings[name]
        whole = isinstance(wanted, int) or (name == "cpu" and isinstance(wanted, float))
        if isinstance(wanted, bool) or not whole or not low <= wanted <= high:
            issues.append(FieldIssue(f"limits.{name}", "range", f"must be from {low:g} to {high:g}"))
    return issues


def _stored(name: str, value: object) -> object:
    if name in ("input_schema", "settings_schema") and isinstance(value, Sequence):
        return normal_form(value)
    if name == "requirements" and isinstance(value, Sequence):
        return tuple(value)
    return dict(value) if name == "limits" and isinstance(value, Mapping) else value


def _text_issues(behaviour: Behaviour) -> list[FieldIssue]:
    issues = []
    for name in ("source_code", "usage_instructions", "entrypoint", "environment"):
        if has_bad_characters(getattr(behaviour, name)):
            issues.append(FieldIssue(name, "characters", "must not hold NUL or broken characters"))
    if issues:
        return issues
    size = len(behaviour.source_code.encode())
    if not behaviour.source_code.strip():
        issues.append(FieldIssue("source_code", "required", "must not be empty"))
    elif size > MAX_SOURCE_BYTES:
        issues.append(FieldIssue("source_code", "max_length", f"may have at most 512 KiB; it has {size // 1024}"))
    if len(behaviour.usage_instructions.encode()) > MAX_INSTRUCTIONS_BYTES:
        issues.append(FieldIssue("usage_instructions", "max_length", "may have at most 64 KiB"))
    return issues


def _choice_issues(behaviour: Behaviour, environments: Sequence[str]) -> list[FieldIssue]:
    issues = []
    name = behaviour.entrypoint
    if not name or len(name) > MAX_ENTRYPOINT or not name.isidentifier() or keyword.iskeyword(name):
        text = f"must be the name of a Python function, at most {MAX_ENTRYPOINT} characters"
        issues.append(FieldIssue("entrypoint", "identifier", text))
    if behaviour.environment not in environments:
        issues.append(FieldIssue("environment", "unknown", f"must be one of {', '.join(environments)}"))
    return issues
