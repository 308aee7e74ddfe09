"""Pure door of identity: who someone is, how surely, and why a command was refused."""

from au_sys_identity.core.access.models import Decision, Permission
from au_sys_identity.core.errors import Denied, IdentityError
from au_sys_identity.core.principal import Principal
from au_sys_identity.core.sessions.models import Strength
from au_sys_identity.core.subjects.models import SubjectKind, SubjectUrn

__version__ = "0.1.0"

__all__ = [
    "Decision",
    "Denied",
    "IdentityError",
    "Permission",
    "Principal",
    "Strength",
    "SubjectKind",
    "SubjectUrn",
    "__version__",
]
