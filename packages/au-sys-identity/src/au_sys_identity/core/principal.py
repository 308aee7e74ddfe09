"""Who is asking, how surely."""

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from au_sys_identity.core.factors.models import Enrolled
from au_sys_identity.core.machines.models import Machine
from au_sys_identity.core.sessions.models import SessionId, SessionKind, Strength
from au_sys_identity.core.subjects.models import ActingKind, Person, SubjectId, SubjectUrn


@dataclass(frozen=True, slots=True)
class Principal:
    """A subject whose credential was verified a moment ago, with its account as it was then.

    ``restricted`` is set while the session may do nothing but change its password. Of a machine: whom it acts for under
    which grant, and whether it ``proved`` itself for this request with more than its key.
    """

    id: SubjectId
    urn: SubjectUrn
    kind: ActingKind
    display_name: str
    email: str | None
    locale: str | None
    strength: Strength
    session_id: SessionId | None
    session_kind: SessionKind | None
    auth_time: datetime | None
    scopes: frozenset[str] | None = None
    restricted: bool = False
    account: Person | None = None
    enrolled: Enrolled = field(default_factory=Enrolled)
    must_change_password: bool = False
    key_id: UUID | None = None
    machine: Machine | None = None
    custodians: tuple[SubjectUrn, ...] = ()
    on_behalf_of: SubjectUrn | None = None
    delegation_id: str | None = None
    proved: bool = False
    act_hash: str = ""
