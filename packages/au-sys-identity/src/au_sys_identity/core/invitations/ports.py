"""InvitationStore: invitations of organizations."""

from datetime import datetime
from typing import Protocol
from uuid import UUID

from au_sys_identity.core.invitations.models import Invitation


class InvitationStore(Protocol):
    """Invitations by id, and by the hash of their link's secret."""

    async def add(self, invitation: Invitation) -> None:
        """Keep a new one; open ones to the same address in the same organization are revoked."""

    async def get(self, invitation_id: UUID) -> Invitation | None: ...

    async def by_token(self, token_hash: bytes) -> Invitation | None: ...

    async def of_organization(self, organization_id: UUID, *, before: UUID | None, limit: int) -> list[Invitation]:
        """Newest first; ``before`` is the last id of the page before."""

    async def give_token(self, invitation_id: UUID, token_hash: bytes) -> None:
        """The link's secret from now on."""

    async def accept(self, invitation_id: UUID, *, at: datetime) -> bool:
        """Use it up; ``False`` when it was accepted or revoked before."""

    async def revoke(self, invitation_id: UUID, *, at: datetime) -> bool:
        """Withdraw it; ``False`` when it was accepted or revoked before."""

    async def forget_before(self, moment: datetime) -> None:
        """Delete those that ran out before a moment."""
