"""Check all values of a form together: every problem is told at once, one entry per field."""

import json
from collections.abc import Mapping, Sequence

from skriptoteket.core.errors import FieldIssue, ValidationFailed
from skriptoteket.core.fields.values import accept_value, is_absent
from skriptoteket.core.json_values import JsonValue

MAX_VALUES_BYTES = 256 * 1024

Fields = Sequence[Mapping[str, JsonValue]]


def plain_fields(schema: Fields) -> tuple[Mapping[str, JsonValue], ...]:
    """The fields of a schema that are no files."""
    return tuple(field for field in schema if field["kind"] != "file")


def file_fields(schema: Fields) -> tuple[Mapping[str, JsonValue], ...]:
    """The file fields of a schema."""
    return tuple(field for field in schema if field["kind"] == "file")


def form_issues(schema: Fields, raw: Mapping[str, object]) -> tuple[dict[str, JsonValue], tuple[FieldIssue, ...]]:
    """The accepted values, and what is wrong with the rest."""
    values: dict[str, JsonValue] = {}
    issues: list[FieldIssue] = []
    fields = {str(field["name"]): field for field in plain_fields(schema)}
    for name in raw:
        if name not in fields:
            known = ", ".join(fields) or "none"
            issues.append(FieldIssue(name, "unknown", f"is not a field of this tool (fields: {known})"))
    for name, field in fields.items():
        given = raw.get(name)
        if is_absent(given):
            given = field.get("default")
        if is_absent(given):
            if field.get("required"):
                issues.append(FieldIssue(name, "required", "must be filled in"))
            continue
        value, problem = accept_value(field, given)
        if problem:
            issues.append(FieldIssue(name, *problem))
        else:
            values[name] = value
    if not issues and len(json.dumps(values, ensure_ascii=False).encode("utf-8", "replace")) > MAX_VALUES_BYTES:
        issues.append(FieldIssue("inputs", "too_large", f"may hold at most {MAX_VALUES_BYTES // 1024} KiB together"))
    return values, tuple(issues)


def accept_form(schema: Fields, raw: Mapping[str, object]) -> dict[str, JsonValue]:
    """The values as scripts get them.

    Raises:
        ValidationFailed: with one issue per wrong field.
    """
    values, issues = form_issues(schema, raw)
    if issues:
        raise ValidationFailed(issues)
    return values
