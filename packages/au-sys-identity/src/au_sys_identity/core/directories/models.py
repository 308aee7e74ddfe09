"""Directory entry and attribute mapping, outside identity, report of a run."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal
from uuid import UUID

from au_sys_identity.core.access.models import role_name
from au_sys_identity.core.directories.fields import Fields, checked_url
from au_sys_identity.core.errors import InvalidInput
from au_sys_identity.core.subjects.models import SubjectId

_SCHEMES = ("ldaps", "ldap")


@dataclass(frozen=True, slots=True)
class Directory:
    """An LDAP directory whose people may sign in here.

    ``people`` is the filter of those who count: who falls out of it is switched off. ``roles`` is the only way from a
    group to a right. ``domains`` are mail domains for which the directory may take over accounts that exist already.
    """

    name: str
    label: str
    servers: tuple[str, ...]
    base: str
    user: str
    password: str = field(repr=False)
    people: str = "(objectClass=inetOrgPerson)"
    login: str = "mail"
    id: str = "entryUUID"
    email: str = "mail"
    display_name: str = "cn"
    locale: str = "preferredLanguage"
    member_of: str = "memberOf"
    roles: Mapping[str, str] = field(default_factory=dict)
    domains: tuple[str, ...] = ()
    certificates: str = ""
    provision: bool = True
    seconds: float = 3.0
    enabled: bool = True

    @property
    def source(self) -> str:
        """What accounts and assignments that come from here are marked with."""
        return f"directory:{self.name}"

    @property
    def attributes(self) -> tuple[str, ...]:
        """What is read of an entry, and nothing else."""
        return (self.id, self.email, self.display_name, self.locale, self.member_of)

    @classmethod
    def read(cls, given: Mapping[str, object]) -> "Directory":
        """From JSON.

        Raises:
            InvalidInput: a field is missing, unknown or breaks a rule.
        """
        fields = Fields(given)
        servers = tuple(checked_url("servers", server, _SCHEMES) for server in fields.texts("servers"))
        if not servers:
            raise InvalidInput("servers", "must name a server", "Use addresses such as ldaps://ldap.example.org.")
        people = fields.text("people", "(objectClass=inetOrgPerson)")
        if not (people.startswith("(") and people.endswith(")")):
            raise InvalidInput("people", "is not a filter", "Put it in parentheses, as in (objectClass=person).")
        read = cls(
            name=fields.name(),
            label=fields.text("label", "", longest=80) or fields.name(),
            servers=servers,
            base=fields.text("base"),
            user=fields.text("user"),
            password=fields.text("password"),
            people=people,
            login=_attribute(fields, "login", "mail"),
            id=_attribute(fields, "id", "entryUUID"),
            email=_attribute(fields, "email", "mail"),
            display_name=_attribute(fields, "display_name", "cn"),
            locale=_attribute(fields, "locale", "preferredLanguage"),
            member_of=_attribute(fields, "member_of", "memberOf"),
            roles={group_key(group): role_name(role) for group, role in fields.pairs("roles").items()},
            domains=fields.domains("domains"),
            certificates=fields.text("certificates", ""),
            provision=fields.flag("provision", True),
            seconds=fields.number("seconds", 3.0, least=0.5, most=3.0),
            enabled=fields.flag("enabled", True),
        )
        fields.finish()
        return read

    def stored(self) -> dict[str, object]:
        """As JSON, password included."""
        kept = {name: getattr(self, name) for name in self.__dataclass_fields__}
        return {**kept, "servers": list(self.servers), "domains": list(self.domains), "roles": dict(self.roles)}


def _attribute(fields: Fields, name: str, default: str) -> str:
    found = fields.text(name, default, longest=80) or default
    if not found[0].isalpha() or not all(
        character.isascii() and (character.isalnum() or character == "-") for character in found
    ):
        raise InvalidInput(name, "is not the name of an attribute", "Use letters, digits and -.")
    return found


def group_key(dn: str) -> str:
    """One form for every spelling of a group's DN in case and blanks."""
    return ",".join(part.strip() for part in dn.lower().split(","))


@dataclass(frozen=True, slots=True)
class Entry:
    """A person in a directory. Of groups only those are kept that the map gives a role."""

    external_id: str
    dn: str
    email: str
    display_name: str
    locale: str | None = None
    roles: frozenset[str] = frozenset()

    @property
    def fingerprint(self) -> bytes:
        """Changes when anything does that matters here."""
        kept = [self.dn, self.email, self.display_name, self.locale, sorted(self.roles)]
        return hashlib.sha256(json.dumps(kept).encode()).digest()


@dataclass(frozen=True, slots=True)
class KnownEntry:
    """An entry that was brought in before."""

    directory: str
    external_id: str
    subject_id: SubjectId
    dn: str
    fingerprint: bytes = field(repr=False)
    seen_at: datetime


Action = Literal["create", "adopt", "change", "enable", "disable", "keep-last-admin", "conflict"]


@dataclass(frozen=True, slots=True)
class Step:
    """What a run does, or would do, about one person."""

    action: Action
    external_id: str
    email: str
    details: str = ""
    entry: Entry | None = field(default=None, repr=False, compare=False)
    subject_id: SubjectId | None = field(default=None, compare=False)

    def shown(self) -> dict[str, str]:
        """For a report."""
        return {"action": self.action, "id": self.external_id, "email": self.email, "details": self.details}


RunState = Literal["running", "done", "refused", "failed"]


@dataclass(frozen=True, slots=True)
class SyncRun:
    """One run and its report. ``heartbeat_at`` tells a run under way from one whose process died."""

    id: UUID
    source: str
    state: RunState
    dry_run: bool
    started_at: datetime
    heartbeat_at: datetime
    started_by: str
    report: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class OutsideIdentity:
    """Who somebody is according to an outside provider; ``issuer`` and ``external_id`` together never change."""

    provider: str
    issuer: str
    external_id: str
    email: str | None = None
    email_verified: bool = False
    display_name: str | None = None
    locale: str | None = None
    multi: bool = False


@dataclass(frozen=True, slots=True)
class LinkedLogin:
    """An outside login that leads to an account."""

    id: UUID
    subject_id: SubjectId
    provider: str
    issuer: str
    external_id: str
    created_at: datetime
    last_used_at: datetime | None = None
