"""``${name}`` in rows: what the run, its people and earlier rows know.

``${code:secret}`` is what an authenticator app shows for a saved secret (``code+1``: half a minute later), and
``${attestation:options}`` and ``${assertion:options}`` are what the run's passkey answers to saved options.
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from au_sys_python_factory.gauntlet.proofs import Passkey, code

_PROOF = re.compile(r"\$\{(code|attestation|assertion)(?:\+(\d))?:([A-Za-z0-9_.\-]+)\}")
_REFERENCE = re.compile(r"\$\{([A-Za-z0-9_.\-]+)\}")


class Unknown(LookupError):
    """A row uses a variable that nobody saved; the row is skipped."""

    def __init__(self, name: str) -> None:
        self.name = name
        super().__init__(f"${{{name}}} is not known: the row that saves it did not pass")


@dataclass(slots=True)
class Variables:
    """Values by name; those of a capability are kept under its own name."""

    known: dict[str, str] = field(default_factory=dict)
    passkey: Passkey = field(default_factory=lambda: Passkey(""))

    def save(self, owner: str, name: str, value: object) -> None:
        """Keep a value for later rows."""
        self.known[f"{owner}.{name}"] = json.dumps(value) if isinstance(value, dict | list) else str(value)

    def fill(self, value: Any, owner: str) -> Any:  # Any: a value of TOML, nested
        """The same with every reference replaced.

        Raises:
            Unknown: a reference that cannot be replaced.
        """
        if isinstance(value, str):
            if proof := _PROOF.fullmatch(value):
                return self._proof(proof[1], int(proof[2] or 0), self._value(proof[3], owner))
            return _REFERENCE.sub(lambda match: self._value(match[1], owner), value)
        if isinstance(value, Mapping):
            return {key: self.fill(item, owner) for key, item in value.items()}
        if isinstance(value, list | tuple):
            return type(value)(self.fill(item, owner) for item in value)
        return value

    def _proof(self, kind: str, later: int, known: str) -> Any:  # Any: JSON
        if kind == "code":
            return code(known, later=later)
        return getattr(self.passkey, kind)(json.loads(known))

    def _value(self, name: str, owner: str) -> str:
        if name == "uuid":
            return str(uuid.uuid4())
        for candidate in (f"{owner}.{name}", name):
            if candidate in self.known:
                return self.known[candidate]
        raise Unknown(name)
