"""FederatedLogin over OpenID Connect and OAuth 2: code, PKCE S256, state, nonce, ``iss``."""

import json
from base64 import b64encode
from typing import Any
from urllib.parse import quote, urlencode

from au_sys_identity.adapters.oauth.id_tokens import checked_claims
from au_sys_identity.adapters.oauth.provider_metadata import Metadata, ProviderDirectory
from au_sys_identity.core.directories.errors import ProviderUnreachable
from au_sys_identity.core.directories.models import OutsideIdentity
from au_sys_identity.core.directories.providers import Flow, Provider, ProviderAnswer
from au_sys_identity.core.errors import BadCredentials, BadToken
from au_sys_identity.core.ports import Clock

_FRESH_SECONDS = "300"  # with max_age the ID token has to say when somebody signed in (OpenID Connect Core §2)


class OutsideLogin:
    """Our side of the code flow (OpenID Connect Core §3.1)."""

    def __init__(self, directory: ProviderDirectory, clock: Clock, *, public_url: str) -> None:
        self._directory = directory
        self._clock = clock
        self._public_url = public_url.rstrip("/")

    async def address(self, provider: Provider, flow: Flow) -> str:
        """See :class:`~au_sys_identity.core.directories.ports.FederatedLogin`."""
        metadata = await self._directory.metadata(provider)
        asked = {
            "response_type": "code",
            "client_id": provider.client_id,
            "redirect_uri": self.callback(provider),
            "scope": " ".join(provider.scopes),
            "state": flow.state,
            "code_challenge": flow.challenge,
            "code_challenge_method": "S256",
        }
        if provider.kind == "oidc":
            asked["nonce"] = flow.nonce
            if flow.proving:
                asked |= {"prompt": "login", "max_age": _FRESH_SECONDS}
        joint = "&" if "?" in metadata.authorize else "?"
        return f"{metadata.authorize}{joint}{urlencode(asked)}"

    async def identity(self, provider: Provider, flow: Flow, answer: ProviderAnswer) -> OutsideIdentity:
        """See :class:`~au_sys_identity.core.directories.ports.FederatedLogin`."""
        metadata = await self._directory.metadata(provider)
        if metadata.says_issuer and answer.issuer is None:
            raise BadToken
        tokens = await self._tokens(provider, metadata, flow, answer)
        claims: dict[str, Any] = {}  # Any: JSON
        if provider.kind == "oidc":
            token = tokens.get("id_token")
            claims = await checked_claims(self._directory, provider, flow, token, self._clock())
        if metadata.userinfo and provider.email_claim not in claims:
            claims = {**await self._userinfo(provider, metadata, tokens, claims.get("sub")), **claims}
        return _identity(provider, claims)

    async def probe(self, provider: Provider) -> str:
        """See :class:`~au_sys_identity.core.directories.ports.FederatedLogin`."""
        metadata = await self._directory.metadata(provider, fresh=True)
        if provider.kind == "oidc":
            await self._directory.key(provider, None, "RS256")
        return metadata.authorize

    def callback(self, provider: Provider) -> str:
        """The address that is registered at the provider."""
        return f"{self._public_url}/auth/oauth/{provider.name}/callback"

    async def _tokens(
        self, provider: Provider, metadata: Metadata, flow: Flow, answer: ProviderAnswer
    ) -> dict[str, Any]:  # Any: JSON
        form = {
            "grant_type": "authorization_code",
            "code": answer.code,
            "redirect_uri": self.callback(provider),
            "code_verifier": flow.verifier,
        }
        headers = {}
        if provider.client_secret and not metadata.posts_secret:
            pair = f"{quote(provider.client_id, safe='')}:{quote(provider.client_secret, safe='')}"
            headers["authorization"] = f"Basic {b64encode(pair.encode()).decode()}"
        else:
            form["client_id"] = provider.client_id
            if provider.client_secret:
                form["client_secret"] = provider.client_secret
        said = await self._directory.asked(provider, "POST", metadata.token, headers=headers, form=form)
        found = _read(said.body)
        if 400 <= said.status < 500:
            raise BadCredentials
        if said.status != 200 or not isinstance(found.get("access_token"), str):
            raise ProviderUnreachable(provider.name)
        return found

    async def _userinfo(
        self, provider: Provider, metadata: Metadata, tokens: dict[str, Any], subject: object
    ) -> dict[str, Any]:  # Any: JSON
        headers = {"authorization": f"Bearer {tokens['access_token']}"}
        said = await self._directory.asked(provider, "GET", metadata.userinfo, headers=headers)
        found = _read(said.body)
        if said.status != 200:
            raise ProviderUnreachable(provider.name)
        if subject is not None and found.get("sub") != subject:
            raise BadToken
        return found


def _identity(provider: Provider, claims: dict[str, Any]) -> OutsideIdentity:  # Any: JSON
    external_id = claims.get("sub" if provider.kind == "oidc" else provider.id_claim)
    if isinstance(external_id, bool) or not isinstance(external_id, (str, int)) or not 0 < len(str(external_id)) <= 255:
        raise BadToken
    email, name, locale = claims.get(provider.email_claim), claims.get(provider.name_claim), claims.get("locale")
    means = claims.get("amr")
    proved = {str(mean) for mean in means} if isinstance(means, list) else set()
    proved.add(str(claims.get("acr", "")))
    return OutsideIdentity(
        provider=provider.name,
        issuer=provider.issuer,
        external_id=str(external_id),
        email=email if isinstance(email, str) else None,
        email_verified=claims.get(provider.verified_claim) is True,
        display_name=name if isinstance(name, str) else None,
        locale=locale if isinstance(locale, str) else None,
        multi=bool(proved.intersection(provider.multi)),
    )


def _read(body: bytes) -> dict[str, Any]:  # Any: JSON
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
