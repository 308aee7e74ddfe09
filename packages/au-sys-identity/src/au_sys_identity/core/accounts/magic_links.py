"""Sign in by a link in a mail: as weak as a mailbox, once, and in another browser only after a confirmation."""

import hmac
from dataclasses import dataclass

from au_sys_identity.core.derivation import digest, new_secret
from au_sys_identity.core.errors import BadToken, ConfirmNeeded, InvalidInput, MfaRequired, NotFound
from au_sys_identity.core.events import Fact
from au_sys_identity.core.factors.models import Challenge
from au_sys_identity.core.ids import uuid7
from au_sys_identity.core.notices.models import Asker
from au_sys_identity.core.notices.writing import LetterBox
from au_sys_identity.core.ports import Clock, Transactions
from au_sys_identity.core.sessions.models import Client, SessionKind, SessionTimes
from au_sys_identity.core.sessions.opening import Opened, Proof, open_session
from au_sys_identity.core.sessions.sign_in import CHALLENGE_LIFE
from au_sys_identity.core.subjects.addresses import email_address


@dataclass(slots=True)
class MagicRules:
    """Whether there are such links. Changed in place when an administrator changes a setting."""

    enabled: bool = True


class MagicLinks:
    """Links that open a session."""

    def __init__(
        self, transactions: Transactions, letters: LetterBox, clock: Clock, *, times: SessionTimes, rules: MagicRules
    ) -> None:
        self._transactions = transactions
        self._letters = letters
        self._clock = clock
        self._times = times
        self._rules = rules

    @property
    def enabled(self) -> bool:
        """Whether people may sign in so."""
        return self._rules.enabled

    async def ask(self, email: str, *, flow: str, client: Client) -> None:
        """Ask for a link; for an address that nobody has the answer and its time are the same.

        Raises:
            NotFound: sign-in by mail is switched off.
        """
        if not self.enabled:
            raise NotFound("way to sign in")
        try:
            address = email_address(email).canonical
        except InvalidInput:
            return
        asker = Asker(digest(flow), f"{client.label} ({client.network})")
        async with self._transactions.writing() as unit:
            await self._letters.put_for_stranger(unit, "magic", address, now=self._clock(), asker=asker)

    async def sign_in(
        self, token: str, *, flow: str | None, confirmed: bool, client: Client, kind: SessionKind
    ) -> Opened:
        """Open a session for whoever got the mail.

        Raises:
            BadToken: the link is of no use.
            ConfirmNeeded: it was asked for in another browser; the link stays good.
            MfaRequired: the account has a second factor.
        """
        now = self._clock()
        second: MfaRequired | None = None
        opened: Opened | None = None
        async with self._transactions.writing() as unit:
            found = await unit.one_time_tokens.find("magic", digest(token), now=now)
            person = await unit.subjects.get(found.subject_id) if found else None
            if found is None or person is None or not person.active or person.email_canonical != found.address:
                raise BadToken
            same = found.flow_hash is not None and hmac.compare_digest(digest(flow or ""), found.flow_hash)
            if not same and not confirmed:
                raise ConfirmNeeded(
                    f"The link was asked for elsewhere: {found.asked_from}. Confirm only if that was you."
                )
            if not self.enabled or not await unit.one_time_tokens.use(found):
                raise BadToken
            methods = (await unit.factors.enrolled(person.id)).methods
            if methods:
                challenge = new_secret()
                ends = now + CHALLENGE_LIFE
                await unit.factors.add_challenge(Challenge(uuid7(), person.id, digest(challenge), ends, first="mail"))
                second = MfaRequired(challenge, methods)
            else:
                record = await unit.credentials.password(person.id)
                proof = Proof(kind, "mail", ("mail",), restricted=bool(record and record.must_change))
                opened = await open_session(unit, person, proof, client=client, times=self._times, now=now)
                unit.record(Fact("session.started", person.urn, f"urn:au:session:{opened.session.id}"))
        if opened is None:
            raise second or BadToken()
        return opened
