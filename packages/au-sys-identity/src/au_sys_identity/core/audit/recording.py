"""Make an event out of a fact: canonical JSON, with what is personal sealed for the person concerned."""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import rfc8785

from au_sys_identity.core.audit.cause import Cause
from au_sys_identity.core.audit.heads import moment
from au_sys_identity.core.events import Fact
from au_sys_identity.core.subjects.models import SubjectId, person_id

_USER = "urn:au:user:"
_LARGEST_NUMBER = 2**53 - 1


@dataclass(frozen=True, slots=True)
class Draft:
    """An event before its details are sealed. ``concerned`` is whose key they are sealed under, if anybody's."""

    id: UUID
    at: datetime
    members: dict[str, object]
    details: bytes
    concerned: SubjectId | None

    @property
    def place(self) -> str:
        """What the sealed details are tied to."""
        return f"audit_events:{self.id}"

    def body(self, sealed: bytes | None) -> str:
        """The canonical JSON that the leaf hashes."""
        details: object = json.loads(self.details)
        if sealed is not None:
            details = {"sealed": base64.b64encode(sealed).decode(), "subject": f"{_USER}{self.concerned}"}
        whole: Any = {**self.members, "details": details}  # Any: JSON by construction
        return rfc8785.dumps(whole).decode()


def draft(fact: Fact, cause: Cause, event_id: UUID, at: datetime) -> Draft:
    """The event of a fact."""
    details = {str(name): _plain(value) for name, value in fact.details.items()}
    if fact.reason:
        details["reason"] = fact.reason
    members: dict[str, object] = {
        "id": str(event_id),
        "at": moment(at),
        "actor": fact.actor,
        "on_behalf_of": fact.on_behalf_of or cause.on_behalf_of,
        "custodian": fact.custodian or cause.custodian,
        "action": fact.action,
        "target": fact.resource,
        "organization": fact.organization,
        "outcome": fact.outcome,
        "strength": cause.strength,
        "credential_id": cause.credential_id,
        "correlation_id": cause.correlation_id,
    }
    concerned = _concerned(fact) if details else None
    return Draft(event_id, at, members, json.dumps(details, ensure_ascii=False).encode("utf-8", "replace"), concerned)


def _concerned(fact: Fact) -> SubjectId | None:
    return next(
        (found for urn in (fact.resource, fact.actor) if urn.startswith(_USER) and (found := person_id(urn))), None
    )


def _plain(value: object) -> object:
    """A value as JSON can say it without loss."""
    if isinstance(value, bool | str) or value is None:
        return value
    if isinstance(value, int):
        return value if abs(value) <= _LARGEST_NUMBER else str(value)
    if isinstance(value, Mapping):
        return {str(name): _plain(one) for name, one in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(one) for one in value]
    return str(value)
