"""What a machine proves itself with beside its key: certificates and codes; set up here, checked here."""

import re
import secrets
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from uuid import UUID

from au_sys_identity.core.derivation import Derivation, Sealing
from au_sys_identity.core.errors import InvalidInput, NotFound, TooManyAttempts
from au_sys_identity.core.events import Fact
from au_sys_identity.core.factors.checking import plain_code, totp_place
from au_sys_identity.core.factors.models import TotpSecret
from au_sys_identity.core.factors.totp import matching_step, provisioning_uri, shown_secret
from au_sys_identity.core.freshness import SUBJECTS
from au_sys_identity.core.machines.custody import known_machine
from au_sys_identity.core.machines.models import KnownMachine, Machine, MachineMfa
from au_sys_identity.core.ports import Clock, Transactions
from au_sys_identity.core.subjects.models import SubjectId

_SECRET_BYTES = 20
_MOST_CERTIFICATES = 20
_TRIES = 5
_TRIES_WINDOW = timedelta(minutes=5)
_FINGERPRINT = re.compile(r"[0-9a-f]{64}")


@dataclass(slots=True)
class ProofRules:
    """How long one code counts for the key it came with."""

    window: timedelta = timedelta(seconds=300)


@dataclass(frozen=True, slots=True)
class MfaSetUp:
    """A machine's new way to prove itself; the secret of its codes is shown this once."""

    known: KnownMachine
    secret: str | None = field(default=None, repr=False)
    uri: str | None = field(default=None, repr=False)


class MachineProofs:
    """Machine MFA."""

    def __init__(
        self,
        transactions: Transactions,
        sealing: Sealing,
        derivation: Derivation,
        clock: Clock,
        rules: ProofRules,
        *,
        issuer: str,
    ) -> None:
        self._transactions = transactions
        self._sealing = sealing
        self._derivation = derivation
        self._clock = clock
        self._rules = rules
        self._issuer = issuer

    async def set_up(self, machine_id: SubjectId | None, wanted: MachineMfa, *, by: str) -> MfaSetUp:
        """Change how a machine proves itself. For codes a new secret is made, and an older one is dead.

        Raises:
            NotFound: there is no such machine.
            InvalidInput: certificates are missing, or are no SHA-256 fingerprints.
        """
        now = self._clock()
        mfa = replace(wanted, certificates=_fingerprints(wanted))
        async with self._transactions.writing() as unit:
            known = await known_machine(unit, machine_id, now)
            machine = known.machine
            if machine.id is None:
                raise NotFound("machine")
            changed = replace(machine, mfa=mfa, version=machine.version + 1, updated_at=now)
            await unit.machines.save(changed, expected_version=machine.version)
            secret: bytes | None = None
            if mfa.mode == "tool_assisted_totp":
                secret = secrets.token_bytes(_SECRET_BYTES)
                sealed = self._sealing.seal(totp_place(machine.id), secret)
                await unit.factors.set_totp(TotpSecret(machine.id, sealed, now))
            else:
                await unit.factors.remove_totp(machine.id)
            await unit.versions.raise_topic(SUBJECTS)
            details = {"mfa_mode": mfa.mode, "mfa_applies_to": mfa.applies_to}
            unit.record(Fact("machine.changed", by, machine.urn, details=dict(details)))
        shown = replace(known, machine=changed)
        if secret is None:
            return MfaSetUp(shown)
        return MfaSetUp(shown, shown_secret(secret), provisioning_uri(secret, machine.name, self._issuer))

    async def code_counts(self, machine: Machine, key_id: UUID | None, code: str) -> bool:
        """Whether a fresh code is right; it works once, and opens a window for the key that it came with.

        Raises:
            TooManyAttempts: too many wrong ones.
        """
        now = self._clock()
        counter = self._derivation.keyed_hash("machine-code", machine.id.bytes)
        async with self._transactions.writing() as unit:
            tries = await unit.guesses.read("machine-code", counter)
            if tries and tries.blocked_until and tries.blocked_until > now:
                raise TooManyAttempts(_seconds(tries.blocked_until - now))
            tries = await unit.guesses.raise_by_one("machine-code", counter, now=now, window=_TRIES_WINDOW)
            if tries.failures >= _TRIES:
                await unit.guesses.block("machine-code", counter, now + _TRIES_WINDOW)
            stored = await unit.factors.totp(machine.id)
            if stored is None:
                return False
            step = matching_step(self._sealing.unseal(totp_place(machine.id), stored.sealed), plain_code(code), now)
            if step is None or not await unit.factors.accept_step(machine.id, step):
                return False
            await unit.guesses.clear("machine-code", counter)
            if key_id is not None:
                await unit.mfa_windows.open(key_id, until=now + self._rules.window)
        return True

    async def window_open(self, key_id: UUID | None) -> bool:
        """Whether an earlier code still counts for a key."""
        if key_id is None:
            return False
        async with self._transactions.reading() as unit:
            return await unit.mfa_windows.is_open(key_id, self._clock())

    async def ignored_certificate(self, machine: Machine, peer: str) -> None:
        """Note that somebody who is no proxy of ours brought a certificate header."""
        async with self._transactions.writing() as unit:
            unit.record(
                Fact(
                    "certificate.ignored",
                    machine.urn,
                    machine.urn,
                    "denied",
                    "not from a trusted proxy",
                    {"peer": peer},
                )
            )


def certificate_counts(machine: Machine, fingerprint: str, valid: tuple[datetime, datetime], now: datetime) -> bool:
    """Whether a presented certificate is one of the machine's, and valid in time."""
    return fingerprint in machine.mfa.certificates and valid[0] <= now <= valid[1]


def _fingerprints(wanted: MachineMfa) -> tuple[str, ...]:
    found = tuple(dict.fromkeys(text.replace(":", "").strip().lower() for text in wanted.certificates))
    if any(not _FINGERPRINT.fullmatch(text) for text in found):
        raise InvalidInput("certificates", "is no SHA-256 fingerprint", "Send 64 hexadecimal digits, or the PEM text.")
    if len(found) > _MOST_CERTIFICATES:
        raise InvalidInput("certificates", f"has more than {_MOST_CERTIFICATES} entries", "Remove old ones.")
    if wanted.mode == "mtls_bound" and not found:
        raise InvalidInput("certificates", "is empty", "Name the certificates that the machine uses.")
    return found


def _seconds(span: timedelta) -> int:
    return max(1, int(span.total_seconds() + 0.999))
