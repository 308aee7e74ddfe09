"""What a provider, or somebody who sits in its place, may not sign us in with."""

import json
import time
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, OctKey, RSAKey

from au_sys_identity.adapters.oauth.login import OutsideLogin
from au_sys_identity.adapters.oauth.provider_metadata import ProviderDirectory
from au_sys_identity.core.directories.errors import ProviderUnreachable
from au_sys_identity.core.directories.models import OutsideIdentity
from au_sys_identity.core.directories.providers import Flow, Provider, ProviderAnswer
from au_sys_identity.core.errors import BadToken, InvalidInput
from fastapi_services_platform import GuardedAnswer

ISSUER = "https://idp.example.org"
Json = Any  # Any: JSON


def key(kid: str) -> RSAKey:
    """A signing key."""
    return RSAKey.generate_key(2048, {"kid": kid, "use": "sig", "alg": "RS256"})


class Idp:
    """The provider as the network shows it; every answer can be forged."""

    def __init__(self) -> None:
        self.key = key("one")
        self.published: list[Json] = [self.key.as_dict(private=False)]
        self.token = ""
        self.changed: Json = {}
        self.userinfo: Json = {"sub": "1", "email": "ann@example.org", "email_verified": True}
        self.asked: list[str] = []

    async def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, str] | None = None,
        form: Mapping[str, str] | None = None,
        json: object = None,
    ) -> GuardedAnswer:
        self.asked.append(url.removeprefix(ISSUER))
        return GuardedAnswer(200, {"content-type": "application/json"}, self._body(url), url)

    def _body(self, url: str) -> bytes:
        if url.endswith("/openid-configuration"):
            found = {
                "issuer": ISSUER,
                "authorization_endpoint": f"{ISSUER}/authorize",
                "token_endpoint": f"{ISSUER}/token",
                "userinfo_endpoint": f"{ISSUER}/userinfo",
                "jwks_uri": f"{ISSUER}/jwks",
                "id_token_signing_alg_values_supported": ["RS256", "HS256", "none"],
            }
            return json.dumps({**found, **self.changed}).encode()
        if url.endswith("/jwks"):
            return json.dumps({"keys": self.published}).encode()
        if url.endswith("/userinfo"):
            return json.dumps(self.userinfo).encode()
        return json.dumps({"access_token": "at", "id_token": self.token}).encode()


@pytest.fixture(scope="module")
def other_key() -> RSAKey:
    return key("two")


@pytest.fixture
def idp() -> Idp:
    return Idp()


@pytest.fixture
def provider() -> Provider:
    return Provider.read({"name": "corp", "issuer": ISSUER, "client_id": "us", "client_secret": "s", "multi": ["otp"]})


@pytest.fixture
def flow(provider: Provider) -> Flow:
    ends = datetime.now(UTC) + timedelta(minutes=5)
    return Flow("corp", ISSUER, "state", "nonce", "verifier", ends, "/", "web")


class Desk:
    """Our side, with a clock that tests turn."""

    def __init__(self, idp: Idp, provider: Provider, flow: Flow) -> None:
        self.now = 1000.0
        directory = ProviderDirectory(idp, lambda: self.now)  # type: ignore[arg-type]  # the border of the process
        self.login = OutsideLogin(directory, lambda: datetime.now(UTC), public_url="https://us.example.org")
        self.idp, self.provider, self.flow = idp, provider, flow

    async def answer(self) -> OutsideIdentity:
        return await self.login.identity(self.provider, self.flow, ProviderAnswer("state", "code"))


@pytest.fixture
def desk(idp: Idp, provider: Provider, flow: Flow) -> Desk:
    return Desk(idp, provider, flow)


def claims(**changed: object) -> dict[str, object]:
    """A token that is meant for us, with changes; ``None`` leaves a claim out."""
    now = int(time.time())
    sound = {"iss": ISSUER, "aud": "us", "sub": "1", "nonce": "nonce", "iat": now, "exp": now + 300}
    return {name: value for name, value in {**sound, **changed}.items() if value is not None}


def signed(signer: Any, algorithm: str = "RS256", kid: str | None = "one", **changed: object) -> str:  # Any: any key
    """A token of somebody."""
    header = {"alg": algorithm, **({"kid": kid} if kid else {})}
    return jwt.encode(header, claims(**changed), signer, algorithms=[algorithm])


async def test_a_sound_token_says_who_it_is(desk: Desk) -> None:
    """Claims that the token lacks come from userinfo; ``amr`` counts only where the provider's mapping says so."""
    desk.idp.token = signed(desk.idp.key, amr=["pwd", "otp"])
    who = await desk.answer()
    assert (who.issuer, who.external_id, who.email, who.email_verified, who.multi) == (
        ISSUER,
        "1",
        "ann@example.org",
        True,
        True,
    )
    desk.idp.token = signed(desk.idp.key, amr=["pwd"], kid=None)
    assert (await desk.answer()).multi is False


@pytest.mark.parametrize(
    "changed",
    [
        {"iss": "https://evil.example"},
        {"iss": None},
        {"aud": "others"},
        {"aud": ["us", "others"]},
        {"aud": ["us", "others"], "azp": "others"},
        {"aud": None},
        {"nonce": "replayed"},
        {"nonce": None},
        {"exp": 1},
        {"exp": None},
        {"exp": "tomorrow"},
        {"iat": 99_999_999_999},
        {"iat": None},
        {"sub": None},
        {"sub": 7},
    ],
)
async def test_a_token_that_is_not_meant_for_this_is_refused(desk: Desk, changed: dict[str, object]) -> None:
    """Another issuer, audience, flow or time, and what lacks them."""
    desk.idp.token = signed(desk.idp.key, **changed)  # type: ignore[arg-type]  # claims, not the signer's options
    with pytest.raises(BadToken):
        await desk.answer()


@pytest.mark.parametrize(("ago", "taken"), [(0, True), (3600, False), (None, False), ("now", False)])
async def test_a_confirmation_is_a_sign_in_of_now(desk: Desk, ago: object, taken: bool) -> None:
    """A provider that waves an old sign-in through, or does not say when it was, proves nothing."""
    desk.flow = replace(desk.flow, proving=True, ends=datetime.now(UTC) + timedelta(minutes=10))
    asked = parse_qs(urlsplit(await desk.login.address(desk.provider, desk.flow)).query)
    assert (asked["prompt"], asked["max_age"]) == (["login"], ["300"])
    at = int(time.time()) - ago if isinstance(ago, int) else ago
    desk.idp.token = signed(desk.idp.key, auth_time=at)
    if taken:
        assert (await desk.answer()).external_id == "1"
    else:
        with pytest.raises(BadToken):
            await desk.answer()


async def test_clocks_may_differ_by_a_minute(desk: Desk) -> None:
    """A token that ended 30 seconds ago, or begins in 30, is taken."""
    now = int(time.time())
    desk.idp.token = signed(desk.idp.key, iat=now + 30, exp=now - 30)
    assert (await desk.answer()).external_id == "1"


async def test_only_the_providers_own_asymmetric_signatures_count(desk: Desk, other_key: RSAKey) -> None:
    """No signature, the public key as an HMAC secret, the client secret, a foreign key under a known name, an own key
    in the header: refused, although the provider's metadata offers HS256 and none."""
    public = json.dumps(desk.idp.key.as_dict(private=False)).encode()
    parts = signed(desk.idp.key).split(".")
    nothing = "eyJhbGciOiJub25lIn0"
    own = jwt.encode(
        {"alg": "RS256", "kid": "one", "jwk": other_key.as_dict(private=False)},
        claims(),
        other_key,
        algorithms=["RS256"],
    )
    ec = ECKey.generate_key("P-256", {"kid": "one"})
    for forged in (
        f"{nothing}.{parts[1]}.",
        f"{parts[0]}.{parts[1]}.",
        signed(OctKey.import_key(public), "HS256"),
        signed(OctKey.import_key(b"s" * 32), "HS256", kid=None),
        signed(other_key),
        signed(ec, "ES256"),
        own,
        "no token",
        "a.b.c",
        f"{parts[0]}.{'A' * 20_000}.x",
    ):
        desk.idp.token = forged
        with pytest.raises(BadToken):
            await desk.answer()


async def test_keys_are_kept_and_looked_for_when_they_rotate(desk: Desk, other_key: RSAKey) -> None:
    """One look for many sign-ins; a new key is found with the first token that it signed, the old one is gone then;
    made-up key ids cause no flood of look-ups."""
    desk.idp.token = signed(desk.idp.key)
    await desk.answer()
    await desk.answer()
    assert desk.idp.asked.count("/jwks") == 1
    desk.idp.published = [other_key.as_dict(private=False)]
    desk.idp.token = signed(other_key, kid="two")
    desk.now += 30
    assert (await desk.answer()).external_id == "1"
    desk.idp.token = signed(desk.idp.key, kid="made up")
    for _ in range(5):
        with pytest.raises(BadToken):
            await desk.answer()
    assert desk.idp.asked.count("/jwks") == 2
    assert desk.idp.asked.count("/.well-known/openid-configuration") == 1


async def test_userinfo_of_somebody_else_is_refused(desk: Desk) -> None:
    """It has to speak of the subject that the token names (OpenID Connect Core §5.3.2)."""
    desk.idp.token = signed(desk.idp.key)
    desk.idp.userinfo = {"sub": "2", "email": "boss@example.org", "email_verified": True}
    with pytest.raises(BadToken):
        await desk.answer()


async def test_a_provider_that_always_names_itself_has_to(desk: Desk) -> None:
    """RFC 9207: without ``iss`` its answer is somebody else's."""
    desk.idp.changed = {"authorization_response_iss_parameter_supported": True}
    desk.idp.token = signed(desk.idp.key)
    with pytest.raises(BadToken):
        await desk.answer()


@pytest.mark.parametrize("changed", [{"issuer": "https://evil.example"}, {"token_endpoint": 7}, {"jwks_uri": ""}])
async def test_metadata_that_contradicts_the_setting_is_refused(desk: Desk, changed: Json) -> None:
    """The issuer has to be the one that was set up, and the endpoints have to be there."""
    desk.idp.changed = changed
    with pytest.raises(ProviderUnreachable):
        await desk.login.address(desk.provider, desk.flow)


async def test_plain_oauth_takes_its_endpoints_from_the_settings(idp: Idp, flow: Flow) -> None:
    """No discovery, no ID token: who somebody is comes from userinfo, by the mapping; nothing is verified unsaid."""
    urls = {name: f"{ISSUER}/{name}" for name in ("authorize_url", "token_url")}
    given = {"name": "hub", "kind": "oauth2", "issuer": ISSUER, "client_id": "us", "id_claim": "id", **urls}
    provider = Provider.read({**given, "userinfo_url": f"{ISSUER}/userinfo", "scopes": "read:user"})
    idp.userinfo = {"id": 42, "email": "ann@example.org", "name": "Ann"}
    desk = Desk(idp, provider, flow)
    asked = parse_qs(urlsplit(await desk.login.address(provider, flow)).query)
    assert ("nonce" in asked, asked["code_challenge_method"]) == (False, ["S256"])
    who = await desk.answer()
    assert (who.external_id, who.email_verified) == ("42", False)
    assert idp.asked == ["/token_url", "/userinfo"]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("issuer", "http://idp.example.org"),
        ("issuer", "https://user:pw@idp.example.org"),
        ("issuer", "javascript:alert(1)"),
        ("issuer", "https://idp.example.org/?a=b"),
        ("name", "Corp!"),
        ("client_id", ""),
        ("scopes", ["email"]),
        ("domains", ["not a domain!"]),
        ("kind", "saml"),
        ("surprise", True),
        ("enabled", "yes"),
        ("label", "a\nb"),
    ],
)
def test_settings_that_cannot_be_meant_are_refused(field: str, value: object) -> None:
    """With the field that is wrong; the secret is in no message and no representation."""
    given = {"name": "corp", "issuer": ISSUER, "client_id": "us", "client_secret": "hush hush", field: value}
    with pytest.raises(InvalidInput) as refused:
        Provider.read(given)
    assert refused.value.field == field
    assert "hush" not in str(refused.value)
    assert "hush" not in repr(
        Provider.read({"name": "ok", "issuer": ISSUER, "client_id": "a", "client_secret": "hush"})
    )
