"""Challenges for passkeys: nothing is stored when one is made, and each counts once.

A challenge holds 32 random bytes, its end, and a keyed hash over both, its purpose, whom it is about and the flow that
asked for it. Many tabs of one browser may so have one each.
"""

import hmac
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from au_sys_identity.core.derivation import Derivation
from au_sys_identity.core.factors.models import Purpose
from au_sys_identity.core.factors.ports import UsedValues

_RANDOM = 32
_END = 8
_LIFE = timedelta(minutes=5)
_KIND = "passkey-challenge"


@dataclass(frozen=True, slots=True)
class PasskeyChallenges:
    """Makes and takes challenges."""

    derivation: Derivation

    def new(self, purpose: Purpose, flow: str, *, now: datetime, about: bytes = b"") -> bytes:
        """A challenge that is good for five minutes, in this flow only."""
        head = secrets.token_bytes(_RANDOM) + int((now + _LIFE).timestamp()).to_bytes(_END, "big")
        return head + self._mark(head, purpose, flow, about)

    async def take(
        self,
        used: UsedValues,
        challenge: bytes,
        purpose: Purpose,
        flow: str | None,
        *,
        now: datetime,
        about: bytes = b"",
    ) -> bool:
        """Whether it is one of ours, for this, and taken for the first time."""
        head, mark = challenge[: _RANDOM + _END], challenge[_RANDOM + _END :]
        if not flow or len(head) < _RANDOM + _END:
            return False
        if not hmac.compare_digest(mark, self._mark(head, purpose, flow, about)):
            return False
        ends = datetime.fromtimestamp(int.from_bytes(head[_RANDOM:], "big"), UTC)
        return now < ends and await used.claim(_KIND, self.derivation.keyed_hash(_KIND, head), until=ends)

    def _mark(self, head: bytes, purpose: Purpose, flow: str, about: bytes) -> bytes:
        return self.derivation.keyed_hash("passkey-flow", head, purpose.encode(), flow.encode(), about)
