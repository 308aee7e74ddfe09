"""What providers publish about themselves (OpenID Connect Discovery), and their keys, kept for a while."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from time import monotonic
from typing import Any

from au_sys_identity.core.directories.errors import ProviderUnreachable
from au_sys_identity.core.directories.providers import Provider
from fastapi_services_platform import GuardedAnswer, GuardedClient, OutboundFailed, OutboundRefused, get_logger

_log = get_logger(__name__)
_KEPT_SECONDS = 600.0
_KEYS_AGAIN_SECONDS = 10.0
_SIGNATURES = frozenset(
    {"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519"}
)
_KINDS = {"RS": "RSA", "PS": "RSA", "ES": "EC", "Ed": "OKP"}


@dataclass(frozen=True, slots=True)
class Metadata:
    """The endpoints of a provider. ``says_issuer``: its answers always name it (RFC 9207)."""

    authorize: str
    token: str
    userinfo: str = ""
    keys: str = ""
    algorithms: frozenset[str] = _SIGNATURES
    says_issuer: bool = False
    posts_secret: bool = False


@dataclass(slots=True)
class _Kept:
    metadata: Metadata
    at: float
    keys: list[dict[str, Any]] = field(default_factory=list)  # Any: JSON
    keys_at: float = float("-inf")


class ProviderDirectory:
    """Asks each provider once in ten minutes, and for its keys again when one is missing, at most every 10 seconds."""

    def __init__(self, client: GuardedClient, clock: Callable[[], float] = monotonic) -> None:
        self._client = client
        self._clock = clock
        self._kept: dict[tuple[str, str], _Kept] = {}

    async def metadata(self, provider: Provider, *, fresh: bool = False) -> Metadata:
        """The endpoints.

        Raises:
            ProviderUnreachable: it does not answer, or as somebody else.
        """
        return (await self._entry(provider, fresh=fresh)).metadata

    async def key(self, provider: Provider, kid: object, algorithm: str) -> dict[str, Any] | None:  # Any: JSON
        """The key of a signature; keys that have come since are looked for once.

        Raises:
            ProviderUnreachable: its keys cannot be read.
        """
        kept = await self._entry(provider)
        if algorithm not in kept.metadata.algorithms:
            return None
        now = self._clock()
        found = _fitting(kept.keys, kid, algorithm) if now - kept.keys_at < _KEPT_SECONDS else None
        if found is None and now - kept.keys_at > _KEYS_AGAIN_SECONDS:
            answer = await self.asked(provider, "GET", kept.metadata.keys)
            keys = _object(provider, answer).get("keys")
            kept.keys = [key for key in keys if isinstance(key, dict)] if isinstance(keys, list) else []
            kept.keys_at = now
            found = _fitting(kept.keys, kid, algorithm)
        return found

    async def asked(
        self,
        provider: Provider,
        method: str,
        url: str,
        *,
        headers: dict[str, str] | None = None,
        form: dict[str, str] | None = None,
    ) -> GuardedAnswer:
        """One call through the guard.

        Raises:
            ProviderUnreachable: there is no answer that may be used.
        """
        try:
            sent = {"accept": "application/json", **(headers or {})}
            return await self._client.request(method, url, headers=sent, form=form)
        except (OutboundRefused, OutboundFailed) as error:
            _log.warning("provider.unreachable", provider=provider.name, error=str(error))
            raise ProviderUnreachable(provider.name) from None

    async def _entry(self, provider: Provider, *, fresh: bool = False) -> _Kept:
        place = (provider.name, provider.issuer)
        kept = self._kept.get(place)
        if provider.kind == "oauth2":
            return _Kept(Metadata(provider.authorize_url, provider.token_url, provider.userinfo_url), 0.0)
        if kept is None or fresh or self._clock() - kept.at > _KEPT_SECONDS:
            metadata = await self._discovered(provider)
            keys, at = ([], float("-inf")) if kept is None or fresh else (kept.keys, kept.keys_at)
            kept = self._kept[place] = _Kept(metadata, self._clock(), keys, at)
        return kept

    async def _discovered(self, provider: Provider) -> Metadata:
        address = provider.issuer.rstrip("/") + "/.well-known/openid-configuration"
        found = _object(provider, await self.asked(provider, "GET", address))
        texts = {
            name: found.get(name, "")
            for name in ("issuer", "authorization_endpoint", "token_endpoint", "userinfo_endpoint", "jwks_uri")
        }
        if not all(isinstance(text, str) for text in texts.values()) or texts["issuer"] != provider.issuer:
            _log.warning("provider.unreachable", provider=provider.name, error="another issuer")
            raise ProviderUnreachable(provider.name)
        if not (texts["authorization_endpoint"] and texts["token_endpoint"] and texts["jwks_uri"]):
            raise ProviderUnreachable(provider.name)
        offered = found.get("id_token_signing_alg_values_supported")
        methods = found.get("token_endpoint_auth_methods_supported")
        basic = not isinstance(methods, list) or "client_secret_basic" in methods
        return Metadata(
            texts["authorization_endpoint"],
            texts["token_endpoint"],
            texts["userinfo_endpoint"],
            texts["jwks_uri"],
            _SIGNATURES.intersection(map(str, offered)) if isinstance(offered, list) else _SIGNATURES,
            found.get("authorization_response_iss_parameter_supported") is True,
            posts_secret=not basic,
        )


def _object(provider: Provider, answer: GuardedAnswer) -> dict[str, Any]:  # Any: JSON
    try:
        found = json.loads(answer.body) if answer.status == 200 else None
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        _log.warning("provider.unreachable", provider=provider.name, error=f"answer {answer.status}")
        raise ProviderUnreachable(provider.name)
    return found


def _fitting(keys: list[dict[str, Any]], kid: object, algorithm: str) -> dict[str, Any] | None:  # Any: JSON
    """The one key that may have made a signature; the key says for which algorithm it is, where it says so."""
    fitting = [
        key
        for key in keys
        if key.get("kty") == _KINDS[algorithm[:2]]
        and key.get("use", "sig") == "sig"
        and key.get("alg", algorithm) == algorithm
        and (kid is None or key.get("kid") == kid)
    ]
    return fitting[0] if len(fitting) == 1 else None
