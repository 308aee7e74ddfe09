"""Check ID tokens (OpenID Connect Core §3.1.3.7): only asymmetric signatures, by keys of this provider."""

import hmac
import json
from base64 import urlsafe_b64decode
from datetime import datetime, timedelta
from typing import Any

from au_sys_identity.adapters.oauth.provider_metadata import ProviderDirectory
from au_sys_identity.core.directories.providers import Flow, Provider
from au_sys_identity.core.errors import BadToken

_SKEW = timedelta(seconds=60)
_LONGEST = 16_384


async def checked_claims(
    directory: ProviderDirectory, provider: Provider, flow: Flow, token: object, now: datetime
) -> dict[str, Any]:  # Any: JSON
    """The claims of a token that is meant for us and for this flow.

    Raises:
        BadToken: it is not.
        ProviderUnreachable: the provider's keys cannot be read.
    """
    from joserfc import jwt
    from joserfc.errors import JoseError
    from joserfc.jwk import import_key

    if not isinstance(token, str) or len(token) > _LONGEST:
        raise BadToken
    header = _header(token)
    algorithm = header.get("alg")
    if not isinstance(algorithm, str) or "crit" in header:
        raise BadToken
    key = await directory.key(provider, header.get("kid"), algorithm)
    if key is None:
        raise BadToken
    try:
        claims = jwt.decode(token, import_key(key), algorithms=[algorithm]).claims
    except (JoseError, ValueError, TypeError, KeyError):
        raise BadToken from None
    _check(claims, provider, flow, now)
    return claims


def _check(claims: dict[str, Any], provider: Provider, flow: Flow, now: datetime) -> None:  # Any: JSON
    audience = claims.get("aud")
    audiences = audience if isinstance(audience, list) else [audience]
    party = claims.get("azp")
    ends, issued = claims.get("exp"), claims.get("iat")
    sound = (
        claims.get("iss") == provider.issuer
        and provider.client_id in audiences
        and (party == provider.client_id if party is not None else len(audiences) == 1)
        and isinstance(ends, (int, float))
        and isinstance(issued, (int, float))
        and now.timestamp() < ends + _SKEW.total_seconds()
        and issued < now.timestamp() + _SKEW.total_seconds()
        and isinstance(claims.get("sub"), str)
        and hmac.compare_digest(str(claims.get("nonce", "")).encode(), flow.nonce.encode())
        and (not flow.proving or _signed_in_since(claims, flow.began))
    )
    if not sound:
        raise BadToken


def _signed_in_since(claims: dict[str, Any], moment: datetime) -> bool:  # Any: JSON
    """Whether somebody proved it in this very flow: a provider may pass over the wish for a new sign-in."""
    at = claims.get("auth_time")
    if isinstance(at, bool) or not isinstance(at, (int, float)):
        return False
    return at >= (moment - _SKEW).timestamp()


def _header(token: str) -> dict[str, Any]:  # Any: JSON
    first, _dot, _rest = token.partition(".")
    try:
        header = json.loads(urlsafe_b64decode(first + "=" * (-len(first) % 4)))
    except (ValueError, RecursionError):
        raise BadToken from None
    if not isinstance(header, dict):
        raise BadToken
    return header
