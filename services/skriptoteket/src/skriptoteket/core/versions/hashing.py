"""Content hash and behaviour hash: what exactly was reviewed, published and run."""

import hashlib
import json
from dataclasses import replace

from skriptoteket.core.versions.models import Behaviour

_PREAMBLE = "skriptoteket.behaviour.v1\n"


def normalize_newlines(text: str) -> str:
    """CRLF and CR become LF; nothing else changes."""
    return text.replace("\r\n", "\n").replace("\r", "\n")


def at_the_door(behaviour: Behaviour) -> Behaviour:
    """The behaviour as it is stored: entrypoint trimmed, line ends unified."""
    return replace(
        behaviour,
        entrypoint=behaviour.entrypoint.strip(),
        source_code=normalize_newlines(behaviour.source_code),
        usage_instructions=normalize_newlines(behaviour.usage_instructions),
    )


def content_hash(behaviour: Behaviour) -> str:
    """Lower-case hex SHA-256 over entrypoint, newline and source."""
    return hashlib.sha256(f"{behaviour.entrypoint.strip()}\n{behaviour.source_code}".encode()).hexdigest()


def behaviour_hash(behaviour: Behaviour) -> str:
    """Lower-case hex SHA-256 over everything that changes what the version does, as canonical JSON."""
    canonical = {
        "contract": behaviour.contract,
        "entrypoint": behaviour.entrypoint.strip(),
        "environment": behaviour.environment,
        "idempotent": behaviour.idempotent,
        "input_schema": [dict(item) for item in behaviour.input_schema],
        "limits": dict(behaviour.limits),
        "requirements": list(behaviour.requirements),
        "settings_schema": [dict(item) for item in behaviour.settings_schema],
        "source_code": behaviour.source_code,
        "usage_instructions": behaviour.usage_instructions,
    }
    text = json.dumps(canonical, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return hashlib.sha256((_PREAMBLE + text).encode()).hexdigest()
