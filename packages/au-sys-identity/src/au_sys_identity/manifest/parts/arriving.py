"""Build how people are told things, and how invited ones arrive."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from au_sys_identity.adapters.db.unit_of_work import SqlTransactions
from au_sys_identity.adapters.runtime.ports import PlatformNoticeBoard, PlatformNotifier
from au_sys_identity.core.access.granting import Granting
from au_sys_identity.core.accounts.registration import Registration
from au_sys_identity.core.invitations.accepting import Accepting
from au_sys_identity.core.invitations.inviting import InvitationRules, Inviting
from au_sys_identity.core.notices.telling import Telling
from au_sys_identity.core.notices.writing import LetterBox
from au_sys_identity.core.ports import Clock
from au_sys_identity.manifest.config import IdentitySettings
from fastapi_services_platform import NoticeBoard, Notifier


@dataclass(frozen=True, slots=True)
class Arrivals:
    """Built; ``services`` by the interface under which they are asked for."""

    services: dict[type[Any], object]  # Any: interfaces of unrelated types
    rules: InvitationRules

    def follow(self, settings: IdentitySettings) -> None:
        """Become what the settings say now."""
        self.rules.life = timedelta(seconds=settings.invitation_ttl)


def arriving(
    transactions: SqlTransactions,
    registration: Registration,
    granting: Granting,
    letters: LetterBox,
    clock: Clock,
    *,
    site: str,
) -> Arrivals:
    """Build it on what the other services are built on."""
    rules, telling = InvitationRules(), Telling(transactions, letters, clock)
    return Arrivals(
        {
            Telling: telling,
            Notifier: PlatformNotifier(telling),
            NoticeBoard: PlatformNoticeBoard(telling),
            Inviting: Inviting(transactions, granting, letters, clock, rules, site=site),
            Accepting: Accepting(transactions, registration, granting, clock),
        },
        rules,
    )
