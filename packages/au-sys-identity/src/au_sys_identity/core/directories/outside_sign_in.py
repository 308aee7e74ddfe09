"""Sign-in and linking through outside providers; a flow belongs to one browser and one provider and counts once."""

import hmac
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from au_sys_identity.core.derivation import Sealing, digest, new_secret
from au_sys_identity.core.directories.linking import Linking
from au_sys_identity.core.directories.models import OutsideIdentity
from au_sys_identity.core.directories.ports import FederatedLogin
from au_sys_identity.core.directories.providers import FLOW_LIFE, Flow, Provider, ProviderAnswer
from au_sys_identity.core.errors import BadCredentials, BadToken, IdentityError, NotFound
from au_sys_identity.core.events import Fact
from au_sys_identity.core.ports import Clock, Transactions
from au_sys_identity.core.principal import Principal
from au_sys_identity.core.sessions.entering import Entering, Entrance
from au_sys_identity.core.sessions.models import Client, SessionKind, Strength
from au_sys_identity.core.sessions.opening import Opened
from au_sys_identity.core.settings.lists import NamedList
from au_sys_identity.core.subjects.models import SubjectId

_PLACE = "outside-flow"


@dataclass(frozen=True, slots=True)
class Departure:
    """Where the browser goes, and the sealed flow that it keeps meanwhile."""

    address: str
    flow: str


@dataclass(frozen=True, slots=True)
class Arrival:
    """A browser that came back: with a session, with a login that is linked now, or (``proved``) with a fresh proof."""

    target: str
    kind: SessionKind
    opened: Opened | None
    proved: Strength | None = None


class OutsideSignIn:
    """Flows through providers."""

    def __init__(
        self,
        transactions: Transactions,
        providers: NamedList[Provider],
        login: FederatedLogin,
        linking: Linking,
        entering: Entering,
        sealing: Sealing,
        clock: Clock,
    ) -> None:
        self._transactions = transactions
        self._providers = providers
        self._login = login
        self._linking = linking
        self._entering = entering
        self._sealing = sealing
        self._clock = clock

    async def choices(self) -> list[Provider]:
        """Providers that people may choose."""
        return list(await self._providers.enabled())

    async def depart(
        self,
        name: str,
        *,
        target: str,
        kind: SessionKind = "web",
        linking: Principal | None = None,
        proving: Principal | None = None,
    ) -> Departure:
        """Begin a flow. ``linking`` is the person to whose account the login is to be linked, ``proving`` one who is
        signed in and confirms it there.

        Raises:
            NotFound: no such provider.
            ProviderUnreachable: it does not say where to go.
        """
        provider, whose = await self._known(name), proving or linking
        flow = Flow(
            provider=provider.name,
            issuer=provider.issuer,
            state=new_secret(),
            nonce=new_secret(),
            verifier=new_secret(),
            ends=self._clock() + FLOW_LIFE,
            target=target,
            kind=kind,
            subject_id=whose.id if whose else None,
            session_id=whose.session_id if whose else None,
            proving=proving is not None,
        )
        return Departure(await self._login.address(provider, flow), self._sealed(flow))

    async def arrive(
        self, name: str, sealed: str, answer: ProviderAnswer, *, client: Client, caller: Principal | None
    ) -> Arrival:
        """End a flow.

        Raises:
            BadToken: the answer belongs to no flow of this browser, or to one that was used, or it is not sound.
            BadCredentials: the provider refused, or the login leads to no account.
            ConfirmNeeded, LoginLinkedElsewhere, MfaRequired, ProviderUnreachable: see there.
        """
        provider = await self._known(name)
        flow = await self._taken(provider, sealed, answer)
        if answer.error or not answer.code:
            raise BadCredentials
        who = await self._login.identity(provider, flow, answer)
        if flow.subject_id is not None:
            if caller is None or (caller.id, caller.session_id) != (flow.subject_id, flow.session_id):
                raise BadToken
            if flow.proving:
                return Arrival(flow.target, flow.kind, None, await self._proof(flow.subject_id, who))
            async with self._transactions.writing() as unit:
                await self._linking.link(unit, SubjectId(flow.subject_id), who)
            return Arrival(flow.target, flow.kind, None)
        entrance = await self._entered(provider, flow, who, client)
        return Arrival(flow.target, flow.kind, entrance.session())

    async def _proof(self, subject_id: UUID, who: OutsideIdentity) -> Strength:
        """What the login proves about this person.

        Raises:
            BadCredentials: it is somebody else's, or nobody's.
        """
        async with self._transactions.reading() as unit:
            login = await unit.linked_logins.find(who.issuer, who.external_id)
        if login is None or login.subject_id != subject_id:
            raise BadCredentials
        return "multi" if who.multi else "password"

    async def _entered(self, provider: Provider, flow: Flow, who: OutsideIdentity, client: Client) -> Entrance:
        try:
            async with self._transactions.writing() as unit:
                subject_id = await self._linking.settle(unit, who, provider.rules)
                return await self._entering.enter(
                    unit,
                    subject_id,
                    method=f"provider:{provider.name}",
                    strength="multi" if who.multi else "password",
                    client=client,
                    kind=flow.kind,
                )
        except IdentityError:
            anonymous = "urn:au:system:anonymous"
            async with self._transactions.writing() as unit:
                details: dict[str, str | int | bool | None] = {"network": client.network, "provider": provider.name}
                unit.record(Fact("session.refused", anonymous, anonymous, "denied", details=details))
            raise

    async def _taken(self, provider: Provider, sealed: str, answer: ProviderAnswer) -> Flow:
        """The flow, used up. An answer with another provider's name in it is a mix-up (RFC 9207)."""
        flow = self._opened(sealed)
        if flow is None or not hmac.compare_digest(flow.state.encode(), answer.state.encode("utf-8", "replace")):
            raise BadToken
        if flow.ends <= self._clock() or flow.provider != provider.name or flow.issuer != provider.issuer:
            raise BadToken
        if answer.issuer is not None and answer.issuer != provider.issuer:
            raise BadToken
        async with self._transactions.writing() as unit:
            first = await unit.used_values.claim(_PLACE, digest(flow.state), until=flow.ends)
        if not first:
            raise BadToken
        return flow

    async def _known(self, name: str) -> Provider:
        provider = await self._providers.get(name)
        if provider is None or not provider.enabled:
            raise NotFound("login provider")
        return provider

    def _sealed(self, flow: Flow) -> str:
        kept = {name: getattr(flow, name) for name in flow.__dataclass_fields__}
        text = json.dumps({**kept, "ends": flow.ends.isoformat()}, default=str)
        return urlsafe_b64encode(self._sealing.seal(_PLACE, text.encode())).decode()

    def _opened(self, sealed: str) -> Flow | None:
        try:
            kept = json.loads(self._sealing.unseal(_PLACE, urlsafe_b64decode(sealed)))
        except Exception:  # whatever a browser may send that is none of ours
            return None
        subject, session = kept["subject_id"], kept["session_id"]
        return Flow(
            **{
                **kept,
                "ends": datetime.fromisoformat(kept["ends"]),
                "subject_id": UUID(subject) if subject else None,
                "session_id": UUID(session) if session else None,
            }
        )
