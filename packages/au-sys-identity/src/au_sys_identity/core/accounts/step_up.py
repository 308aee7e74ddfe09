"""Step-up: a fresh proof, as strong as the account can give, before something that matters."""

from typing import Protocol

from au_sys_identity.core.errors import (
    ApprovalRequired,
    BadCredentials,
    HumanOnly,
    MachineMfaRequired,
    SessionEnded,
    StepUpRequired,
    WeakSession,
)
from au_sys_identity.core.events import Fact
from au_sys_identity.core.factors.checking import FactorCheck
from au_sys_identity.core.factors.models import Enrolled, Method
from au_sys_identity.core.freshness import SUBJECTS
from au_sys_identity.core.machines.models import MfaMode
from au_sys_identity.core.ports import Clock, Transactions
from au_sys_identity.core.principal import Principal
from au_sys_identity.core.sessions.models import Client, SessionTimes, Strength, at_least, stronger
from au_sys_identity.core.sessions.opening import Opened, Proof, open_session, strength_with
from au_sys_identity.core.sessions.sign_in import SignIn
from au_sys_identity.core.subjects.models import Person

_PROOFS = {
    "none": "This machine has nothing to prove itself with. Set up machine MFA for it.",
    "mtls_bound": "Present one of the machine's client certificates to the proxy in front of the platform.",
    "tool_assisted_totp": "Send a fresh code of the machine's authenticator in the header X-MFA-Code.",
}


def strongest(enrolled: Enrolled) -> Strength:
    """The strongest sign-in that an account is set up for."""
    if enrolled.passkeys:
        return "phishing_resistant"
    if enrolled.totp:
        return "multi"
    return "password" if enrolled.password else "mail"


def require_proof(caller: Principal, mode: MfaMode) -> None:
    """Let pass a machine that proved itself for this request.

    Raises:
        MachineMfaRequired, ApprovalRequired: it did not, or has nothing to do it with.
    """
    if caller.proved:
        return
    if mode == "human_delegated":
        raise ApprovalRequired(caller.act_hash)
    raise MachineMfaRequired(mode, _PROOFS[mode])


class Elsewhere(Protocol):
    """Where the passwords are that are not kept here."""

    async def verify_again(self, person: Person, password: str, *, client: Client) -> None:
        """Check the password of somebody who is signed in.

        Raises:
            BadCredentials, TooManyAttempts, DirectoryUnreachable: it is wrong, or cannot be checked.
        """


class StepUp:
    """Asks for, and takes, fresh proofs."""

    def __init__(
        self,
        transactions: Transactions,
        sign_in: SignIn,
        check: FactorCheck,
        clock: Clock,
        *,
        times: SessionTimes,
    ) -> None:
        self._transactions = transactions
        self._sign_in = sign_in
        self._check = check
        self._clock = clock
        self._times = times
        self.elsewhere: Elsewhere | None = None

    async def require(self, caller: Principal, *, own_security: bool = False, human: bool = False) -> None:
        """Let pass who proved themselves strongly enough a moment ago. A machine does with what it proves itself with
        beside its key, unless the act is for people (``human``, ``own_security``).

        Raises:
            HumanOnly: the credential is a person's key, which cannot step up, or a machine's where none may.
            MachineMfaRequired, ApprovalRequired: a machine that did not prove itself for this request.
            WeakSession: ``own_security``, and the session is weaker than what the account has: what keeps the
                account safe is not changed from there.
            StepUpRequired: the proof is too old, or weaker than what the account has.
        """
        if caller.machine is not None and not (own_security or human):
            require_proof(caller, caller.machine.mfa.mode)
            return
        wanted = await self._wanted(caller)
        if own_security and not at_least(caller.strength, wanted):
            raise WeakSession
        if caller.auth_time is None:
            raise HumanOnly
        fresh = self._clock() - caller.auth_time < self._times.step_up
        if not fresh or not at_least(caller.strength, wanted):
            raise StepUpRequired(wanted, int(self._times.step_up.total_seconds()))

    async def require_strongest(self, caller: Principal) -> None:
        """Let pass whose session is as strong as the account can give, however old; the act itself asks for a proof.

        Raises:
            HumanOnly: the credential is a key.
            WeakSession: the session is weaker than what the account has.
        """
        if not at_least(caller.strength, await self._wanted(caller)):
            raise WeakSession

    async def _wanted(self, caller: Principal) -> Strength:
        if caller.kind != "person" or caller.session_id is None:
            raise HumanOnly
        async with self._transactions.reading() as unit:
            return strongest(await unit.factors.enrolled(caller.id))

    async def with_password(self, caller: Principal, password: str, *, client: Client) -> Opened:
        """Prove again with the password.

        Raises:
            BadCredentials, TooManyAttempts, Busy: as at sign-in.
            StepUpRequired: the account has a second factor; its code is asked for.
        """
        async with self._transactions.reading() as unit:
            person = await unit.subjects.get(caller.id)
            enrolled = await unit.factors.enrolled(caller.id)
        if person is None or caller.session_id is None:
            raise SessionEnded
        if enrolled.methods:
            raise StepUpRequired(strongest(enrolled), int(self._times.step_up.total_seconds()))
        reached = stronger(caller.strength, "password")
        if person.auth_source.startswith("directory:") and self.elsewhere is not None:
            await self.elsewhere.verify_again(person, password, client=client)
            return await self._reopen(caller, client, reached, ("ldap",))
        await self._sign_in.verify_again(person, password, client=client)
        return await self._reopen(caller, client, reached, ("pwd",))

    async def with_provider(self, caller: Principal, proved: Strength, provider: str, *, client: Client) -> Opened:
        """Take a login at an outside provider, which was settled to be this person's, as a fresh proof."""
        return await self._reopen(caller, client, stronger(caller.strength, proved), (f"provider:{provider}",))

    async def with_code(self, caller: Principal, method: Method, code: str, *, client: Client) -> Opened:
        """Prove again with the second factor; guesses count as at sign-in.

        Raises:
            BadCredentials, TooManyAttempts: wrong code, or too many of them.
        """
        async with self._transactions.reading() as unit:
            person = await unit.subjects.get(caller.id)
        if person is None or caller.session_id is None:
            raise SessionEnded
        attempt = await self._sign_in.count_try(person, client=client)
        async with self._transactions.writing() as unit:
            passed = await self._check.passes(unit, person.id, method, code, now=self._clock(), flow=client.flow)
        if not passed:
            raise BadCredentials
        await self._sign_in.forgive_try(attempt)
        first = "mail" if caller.strength == "mail" else "pwd"
        reached = stronger(caller.strength, strength_with(method, after=first))
        return await self._reopen(caller, client, reached, (first, method))

    async def _reopen(self, caller: Principal, client: Client, strength: Strength, methods: tuple[str, ...]) -> Opened:
        now = self._clock()
        async with self._transactions.writing() as unit:
            person = await unit.subjects.get(caller.id)
            session = await unit.sessions.get(caller.session_id) if caller.session_id else None
            if person is None or not person.active or session is None or not session.lives(now):
                raise SessionEnded
            await unit.sessions.end(session.id, at=now, reason="stepped up")
            record = await unit.credentials.password(person.id)
            opened = await open_session(
                unit,
                person,
                Proof(session.kind, strength, methods, restricted=bool(record and record.must_change)),
                client=client,
                times=self._times,
                now=now,
            )
            await unit.versions.raise_topic(SUBJECTS)
            unit.record(Fact("session.started", person.urn, f"urn:au:session:{opened.session.id}", reason="step-up"))
        return opened
