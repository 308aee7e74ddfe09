"""Answer a sign-in with tokens: in the body, or with the refresh token in a cookie that scripts cannot read."""

from typing import Literal

from starlette.requests import Request
from starlette.responses import Response

from au_sys_identity.adapters.api.door.authentication import CookieNames
from au_sys_identity.adapters.api.door.clients import client_of
from au_sys_identity.adapters.api.door.session_cookies import keep_device, keep_refresh
from au_sys_identity.adapters.api.schemas.proofs.sessions import TokensOut
from au_sys_identity.core.derivation import new_secret
from au_sys_identity.core.sessions.models import Client
from au_sys_identity.core.sessions.opening import Opened
from au_sys_identity.core.tokens.issuing import Issuing

Transport = Literal["body", "cookie"]


class TokenAnswers:
    """Every route that gives out tokens answers through this."""

    def __init__(self, issuing: Issuing, cookies: CookieNames) -> None:
        self._issuing = issuing
        self._cookies = cookies

    def client(
        self, request: Request, transport: Transport, *, instance: str | None = None, label: str | None = None
    ) -> Client:
        """The client of a request; one that keeps cookies is known by its device cookie from the start."""
        client = client_of(request, self._cookies, instance=instance, label=label)
        return client.with_device(new_secret()) if transport == "cookie" else client

    async def opened(self, response: Response, opened: Opened, client: Client, transport: Transport) -> TokensOut:
        """The answer to a sign-in."""
        if transport == "cookie" and client.device_token:
            keep_device(response, self._cookies, client.device_token)
        return await self.tokens(response, opened, transport)

    async def tokens(self, response: Response, opened: Opened, transport: Transport) -> TokensOut:
        """Tokens for a session that is open."""
        response.headers["cache-control"] = "no-store"
        tokens = TokensOut.of(await self._issuing.tokens(opened), opened)
        if transport == "body":
            return tokens
        keep_refresh(response, self._cookies, opened)
        return tokens.model_copy(update={"refresh_token": None})
