"""One person's settings of a tool, and what they mean under the active version."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from skriptoteket.core.errors import FieldIssue
from skriptoteket.core.identifiers import ToolId
from skriptoteket.core.json_values import JsonValue


@dataclass(frozen=True, slots=True)
class UserSettings:
    """Values as they were saved; ``rev`` counts the saves. Those of trials never mix with the real ones."""

    tool_id: ToolId
    subject: str
    values: Mapping[str, JsonValue] = field(default_factory=dict)
    rev: int = 0
    trial: bool = False


@dataclass(frozen=True, slots=True)
class SettingsView:
    """Settings under one schema: what counts, what was dropped because it no longer fits, and what is missing."""

    schema: Sequence[Mapping[str, JsonValue]]
    values: Mapping[str, JsonValue]
    rev: int
    dropped: tuple[str, ...] = ()
    missing: tuple[FieldIssue, ...] = ()


def instructions_hash(instructions: str) -> str:
    """By what it is told whether somebody saw these instructions; empty for none."""
    return hashlib.sha256(instructions.encode()).hexdigest() if instructions.strip() else ""
