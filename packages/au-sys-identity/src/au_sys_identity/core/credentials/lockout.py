"""Attackers slow, victims unharmed: guesses are counted per address and network, before the secret is looked at.

A whole account is slowed only for devices that never signed in to it, and never for longer than a minute, so that
nobody can lock somebody else out.
"""

import ipaddress
from dataclasses import dataclass
from datetime import datetime, timedelta

from au_sys_identity.core.credentials.ports import GuessStore
from au_sys_identity.core.derivation import Derivation
from au_sys_identity.core.errors import TooManyAttempts

_PAIR = "pair"
_IDENTIFIER = "identifier"
_LONGEST_WAIT = 900
_HOUR = timedelta(hours=1)
_HALF = 16
_PER_HOUR = 50
_STRANGER_WAIT = timedelta(seconds=60)


def network_of(address: str | None) -> str:
    """The /24 or /64 that an address belongs to; unknown addresses share one network."""
    if not address:
        return "unknown"
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return "unknown"
    mapped = parsed.ipv4_mapped if isinstance(parsed, ipaddress.IPv6Address) else None
    prefix = 24 if mapped or parsed.version == 4 else 64
    return str(ipaddress.ip_network(f"{mapped or parsed}/{prefix}", strict=False))


def identifier_key(derivation: Derivation, canonical: str) -> bytes:
    """What the tries on a whole account are counted under."""
    return derivation.keyed_hash("guess", canonical.encode())


def pair_key(derivation: Derivation, canonical: str, place: bytes) -> bytes:
    """What the tries from one place on an account are counted under; all of an account begin alike."""
    return _of_account(derivation, canonical) + derivation.keyed_hash("guess-place", place)[:_HALF]


def _of_account(derivation: Derivation, canonical: str) -> bytes:
    return derivation.keyed_hash("guess-pair", canonical.encode())[:_HALF]


@dataclass(slots=True)
class Lockout:
    """When a guess has to wait. Changed in place when an administrator changes a setting."""

    limit: int = 5
    window: timedelta = timedelta(minutes=15)

    async def reserve(
        self, guesses: GuessStore, *, pair: bytes, identifier: bytes, known_device: bool, now: datetime
    ) -> int:
        """Count one try before its secret is evaluated. Returns 0, or the seconds that this try has to wait."""
        counter = await guesses.read(_PAIR, pair)
        if counter and counter.blocked_until and counter.blocked_until > now:
            return _seconds(counter.blocked_until - now)
        if not known_device:
            overall = await guesses.read(_IDENTIFIER, identifier)
            if overall and overall.blocked_until and overall.blocked_until > now:
                return _seconds(overall.blocked_until - now)
        counter = await guesses.raise_by_one(_PAIR, pair, now=now, window=self.window)
        if counter.failures >= self.limit:
            wait = min(2 ** (counter.failures - self.limit), _LONGEST_WAIT)
            await guesses.block(_PAIR, pair, now + timedelta(seconds=wait))
        overall = await guesses.raise_by_one(_IDENTIFIER, identifier, now=now, window=_HOUR)
        if overall.failures > _PER_HOUR:
            await guesses.block(_IDENTIFIER, identifier, now + _STRANGER_WAIT)
        return 0

    async def succeeded(self, guesses: GuessStore, *, pair: bytes, identifier: bytes) -> None:
        """The right secret: this network starts anew, and the try was no guess."""
        await guesses.clear(_PAIR, pair)
        await guesses.lower_by_one(_IDENTIFIER, identifier)

    async def not_evaluated(self, guesses: GuessStore, *, pair: bytes, identifier: bytes) -> None:
        """The secret was never looked at; the try does not count."""
        await guesses.lower_by_one(_PAIR, pair)
        await guesses.lower_by_one(_IDENTIFIER, identifier)

    async def unlock(self, guesses: GuessStore, derivation: Derivation, canonical: str) -> None:
        """Clear the counter of a whole account, and those of every place that tried it."""
        await guesses.clear(_IDENTIFIER, identifier_key(derivation, canonical))
        await guesses.clear_beginning(_PAIR, _of_account(derivation, canonical))


def must_wait(seconds: int) -> None:
    """Refuse when there are seconds to wait.

    Raises:
        TooManyAttempts: there are.
    """
    if seconds:
        raise TooManyAttempts(seconds)


def _seconds(span: timedelta) -> int:
    return max(1, int(span.total_seconds() + 0.999))
