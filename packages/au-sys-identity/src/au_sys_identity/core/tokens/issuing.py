"""Mint access tokens for a session."""

from au_sys_identity.core.ports import Clock
from au_sys_identity.core.sessions.opening import Opened
from au_sys_identity.core.tokens.models import Tokens
from au_sys_identity.core.tokens.ports import AccessTokens


class Issuing:
    """Turns an opened or refreshed session into what a program needs."""

    def __init__(self, access_tokens: AccessTokens, clock: Clock) -> None:
        self._access_tokens = access_tokens
        self._clock = clock

    async def tokens(self, opened: Opened) -> Tokens:
        """An access token, and the refresh token that came with the session."""
        token, life = await self._access_tokens.sign(
            opened.session, opened.person.urn, epoch=opened.person.epoch, now=self._clock()
        )
        return Tokens(token, life, opened.secret)
