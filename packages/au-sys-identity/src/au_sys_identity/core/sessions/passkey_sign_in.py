"""Sign-in with a passkey alone, and the options that browsers need for any passkey step."""

from typing import Any

from au_sys_identity.core.derivation import Derivation, digest
from au_sys_identity.core.errors import BadCredentials
from au_sys_identity.core.events import Fact
from au_sys_identity.core.factors.asserting import PasskeyCheck
from au_sys_identity.core.factors.models import Passkey
from au_sys_identity.core.ids import uuid7
from au_sys_identity.core.ports import Clock, Transactions
from au_sys_identity.core.sessions.models import Client, SessionKind, SessionTimes
from au_sys_identity.core.sessions.opening import Opened, Proof, open_session
from au_sys_identity.core.sessions.sign_in import canonical_or_typed
from au_sys_identity.core.subjects.models import SubjectId

_LIKELY = ("internal", "hybrid")


class PasskeySignIn:
    """Passkeys as the only step."""

    def __init__(
        self,
        transactions: Transactions,
        check: PasskeyCheck,
        derivation: Derivation,
        clock: Clock,
        *,
        times: SessionTimes,
    ) -> None:
        self._transactions = transactions
        self._check = check
        self._derivation = derivation
        self._clock = clock
        self._times = times

    async def options(self, email: str | None, flow: str) -> dict[str, Any]:  # Any: JSON
        """Options for signing in; for an address without passkeys with ids that are invented and always the same."""
        allow: list[tuple[bytes, tuple[str, ...]]] = []
        if email:
            canonical = canonical_or_typed(email)
            async with self._transactions.reading() as unit:
                person = await unit.subjects.by_email(canonical)
                known = await unit.passkeys.of_subject(person.id if person else SubjectId(uuid7()))
            usable = known if person and person.active else []
            allow = _allowed(usable) or [(self._derivation.keyed_hash("passkey-decoy", canonical.encode()), _LIKELY)]
        challenge = self._check.challenges.new("sign-in", flow, now=self._clock())
        return self._check.ceremony.request_options(challenge=challenge, allow=allow)

    async def options_for_second_step(self, mfa_token: str, flow: str) -> dict[str, Any]:  # Any: JSON
        """Options for the second step that a challenge asks for.

        Raises:
            BadCredentials: the challenge is over.
        """
        async with self._transactions.reading() as unit:
            challenge = await unit.factors.challenge(digest(mfa_token))
        if challenge is None or challenge.expires_at <= self._clock():
            raise BadCredentials
        return await self.options_to_confirm(challenge.subject_id, flow)

    async def options_to_confirm(self, subject_id: SubjectId, flow: str) -> dict[str, Any]:  # Any: JSON
        """Options for one known person, whose passkeys are named."""
        async with self._transactions.reading() as unit:
            known = await unit.passkeys.of_subject(subject_id)
        challenge = self._check.challenges.new("confirm", flow, now=self._clock(), about=subject_id.bytes)
        return self._check.ceremony.request_options(challenge=challenge, allow=_allowed(known))

    async def sign_in(self, assertion: str, *, client: Client, kind: SessionKind) -> Opened:
        """Open a session for whoever's passkey signed.

        Raises:
            BadCredentials: for every reason there is.
        """
        now = self._clock()
        opened = None
        async with self._transactions.writing() as unit:
            person = await self._check.owner(unit, assertion, client.flow, now=now)
            if person is not None and person.active:
                record = await unit.credentials.password(person.id)
                restricted = bool(record and record.must_change)
                proof = Proof(kind, "phishing_resistant", ("passkey",), restricted=restricted)
                opened = await open_session(unit, person, proof, client=client, times=self._times, now=now)
                unit.record(Fact("session.started", person.urn, f"urn:au:session:{opened.session.id}"))
            else:
                who = person.urn if person else "urn:au:system:anonymous"
                unit.record(Fact("session.refused", who, who, "denied", details={"factor": "passkey"}))
        if opened is None:
            raise BadCredentials
        return opened


def _allowed(known: list[Passkey]) -> list[tuple[bytes, tuple[str, ...]]]:
    return [(passkey.credential_id, passkey.transports) for passkey in known]
