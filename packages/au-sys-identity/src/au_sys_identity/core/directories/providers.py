"""Outside login providers: what is set about one, and the flow that a browser takes through it."""

import hashlib
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal
from urllib.parse import urlsplit
from uuid import UUID

from au_sys_identity.core.directories.fields import Fields
from au_sys_identity.core.directories.linking import LinkRules
from au_sys_identity.core.errors import InvalidInput
from au_sys_identity.core.sessions.models import SessionKind

ProviderKind = Literal["oidc", "oauth2"]
FLOW_LIFE = timedelta(minutes=10)
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_ENDPOINTS = ("authorize_url", "token_url", "userinfo_url")


@dataclass(frozen=True, slots=True)
class Provider:
    """Somebody else who says who people are. ``oidc`` is found by discovery; ``oauth2`` names its endpoints itself.

    ``domains`` are mail domains for which it is authoritative; ``multi`` are values of ``amr`` or ``acr`` that stand
    for a second factor.
    """

    name: str
    label: str
    kind: ProviderKind
    issuer: str
    client_id: str
    client_secret: str = field(repr=False)
    scopes: tuple[str, ...] = ("openid", "email", "profile")
    domains: tuple[str, ...] = ()
    provision: bool = False
    multi: tuple[str, ...] = ()
    id_claim: str = "sub"
    email_claim: str = "email"
    verified_claim: str = "email_verified"
    name_claim: str = "name"
    authorize_url: str = ""
    token_url: str = ""
    userinfo_url: str = ""
    enabled: bool = True

    @property
    def rules(self) -> LinkRules:
        """What it may do with accounts."""
        return LinkRules(self.domains, self.provision)

    @classmethod
    def read(cls, given: Mapping[str, object]) -> "Provider":
        """From JSON.

        Raises:
            InvalidInput: a field is missing, unknown or breaks a rule.
        """
        fields = Fields(given)
        kind = fields.text("kind", "oidc") or "oidc"
        if kind not in ("oidc", "oauth2"):
            raise InvalidInput("kind", "is unknown", "Use oidc, or oauth2 for a provider without discovery.")
        urls = {name: _url(fields, name, needed=kind == "oauth2") for name in _ENDPOINTS}
        scopes = fields.texts("scopes") or (("openid", "email", "profile") if kind == "oidc" else ())
        if kind == "oidc" and "openid" not in scopes:
            raise InvalidInput("scopes", "must hold openid", "Add openid.")
        read = cls(
            name=fields.name(),
            label=fields.text("label", "", longest=80) or fields.name(),
            kind="oidc" if kind == "oidc" else "oauth2",
            issuer=_url(fields, "issuer", needed=True),
            client_id=fields.text("client_id", longest=500),
            client_secret=fields.text("client_secret", ""),
            scopes=scopes,
            domains=fields.domains("domains"),
            provision=fields.flag("provision", False),
            multi=fields.texts("multi"),
            id_claim=fields.text("id_claim", "sub", longest=80) or "sub",
            email_claim=fields.text("email_claim", "email", longest=80) or "email",
            verified_claim=fields.text("verified_claim", "email_verified", longest=80) or "email_verified",
            name_claim=fields.text("name_claim", "name", longest=80) or "name",
            enabled=fields.flag("enabled", True),
            **urls,
        )
        fields.finish()
        return read

    def stored(self) -> dict[str, object]:
        """As JSON, secret included."""
        kept = {name: getattr(self, name) for name in self.__dataclass_fields__}
        return {name: list(value) if isinstance(value, tuple) else value for name, value in kept.items()}


def _url(fields: Fields, name: str, *, needed: bool) -> str:
    """An https address; http leads no further than this machine."""
    found = fields.url(name, ("https", "http"), None if needed else "")
    if found and urlsplit(found).scheme == "http" and urlsplit(found).hostname not in _LOOPBACK:
        raise InvalidInput(name, "must be https", "Use the provider's https address.")
    return found


@dataclass(frozen=True, slots=True)
class Flow:
    """One trip of one browser to one provider and back; sealed in a cookie of that browser, good once, 10 minutes.

    ``subject_id`` and ``session_id`` are of the account that a login is linked to, or (``proving``) confirmed with.
    """

    provider: str
    issuer: str
    state: str
    nonce: str = field(repr=False)
    verifier: str = field(repr=False)
    ends: datetime
    target: str
    kind: SessionKind
    subject_id: UUID | None = None
    session_id: UUID | None = None
    proving: bool = False

    @property
    def began(self) -> datetime:
        """When the browser set out."""
        return self.ends - FLOW_LIFE

    @property
    def challenge(self) -> str:
        """The PKCE challenge (RFC 7636, S256)."""
        return urlsafe_b64encode(hashlib.sha256(self.verifier.encode()).digest()).rstrip(b"=").decode()


@dataclass(frozen=True, slots=True)
class ProviderAnswer:
    """What a browser brought back. ``issuer`` is the parameter ``iss`` (RFC 9207)."""

    state: str = field(default="", repr=False)
    code: str = field(default="", repr=False)
    issuer: str | None = None
    error: str = ""
