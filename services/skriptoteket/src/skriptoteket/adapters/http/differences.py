"""Two versions side by side: source as a unified difference, the rest field by field."""

import difflib
import json
from dataclasses import dataclass, fields

from skriptoteket.core.versions.models import Behaviour

USUAL = Behaviour(source_code="")


@dataclass(frozen=True, slots=True)
class Difference:
    """What changed; ``source`` are lines of ``(kind, text)`` with kind same, added, removed or gap."""

    source: tuple[tuple[str, str], ...]
    changed: dict[str, tuple[str, str]]

    @property
    def same(self) -> bool:
        """True when the two behave alike."""
        return not self.source and not self.changed


def difference(before: Behaviour | None, after: Behaviour) -> Difference:
    """What it takes to get from one behaviour to the other; without a first, from what is usual."""
    old = before.source_code.splitlines() if before is not None else []
    lines = []
    for line in list(difflib.unified_diff(old, after.source_code.splitlines(), lineterm="", n=3))[2:]:
        kind = {"+": "added", "-": "removed", "@": "gap"}.get(line[:1], "same")
        lines.append((kind, "" if kind == "gap" else line[1:]))
    changed = {}
    for field in fields(Behaviour):
        if field.name == "source_code":
            continue
        one = _shown(getattr(before or USUAL, field.name))
        two = _shown(getattr(after, field.name))
        if one != two:
            changed[field.name] = (one, two)
    return Difference(tuple(lines), changed)


def _shown(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, indent=2, default=dict)
