"""What a session may do nothing but: change its password, or enrol the factor that is asked of everybody like it."""

from dataclasses import dataclass
from typing import Literal

from au_sys_identity.core.access.decisions import Decisions
from au_sys_identity.core.access.models import PLATFORM_ADMIN
from au_sys_identity.core.principal import Principal
from au_sys_identity.core.sessions.models import at_least

Limit = Literal["password-change", "enrolment"]
_ADMINISTRATORS = frozenset({PLATFORM_ADMIN, "org-admin"})


@dataclass(slots=True)
class FactorRule:
    """Who needs a second factor. Changed in place when an administrator changes a setting."""

    of: Literal["none", "admins", "all"] = "none"


class Limits:
    """Asked at every request of a person who is signed in."""

    def __init__(self, decisions: Decisions, rule: FactorRule) -> None:
        self._decisions = decisions
        self._rule = rule

    async def of(self, caller: Principal) -> Limit | None:
        """What comes first for this session, if anything; a person's key is no session."""
        if caller.restricted:
            return "password-change"
        if self._rule.of == "none" or caller.kind != "person" or caller.session_id is None:
            return None
        if caller.enrolled.methods or at_least(caller.strength, "multi"):
            return None
        if self._rule.of == "all":
            return "enrolment"
        roles = await self._decisions.roles_of(caller.urn)
        return "enrolment" if any(role.name in _ADMINISTRATORS for role in roles) else None
