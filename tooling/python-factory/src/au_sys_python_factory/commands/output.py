"""One JSON object on stdout for programs, prose on stderr or stdout for people."""

import json
from dataclasses import asdict, is_dataclass
from pathlib import Path
from typing import Any

import click

SCHEMA = 1


def plain(value: Any) -> Any:  # Any: JSON values
    """A value as JSON knows it."""
    if is_dataclass(value) and not isinstance(value, type):
        return plain(asdict(value))
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, set | frozenset):
        return sorted(plain(item) for item in value)
    return value.as_posix() if isinstance(value, Path) else value


def answer(command: str, exit_code: int, data: object, findings: object = (), messages: object = ()) -> None:
    """Write the one object that ``--json`` promises."""
    body = {
        "schema": SCHEMA,
        "command": command,
        "ok": exit_code == 0,
        "exit": exit_code,
        "data": plain(data),
        "findings": plain(findings),
        "messages": plain(messages),
    }
    click.echo(json.dumps(body, ensure_ascii=False, indent=1))
