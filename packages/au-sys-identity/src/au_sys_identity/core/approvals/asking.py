"""A machine asks for one act, follows what it asked for, and may take it back."""

import hashlib
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import unquote
from uuid import UUID

from au_sys_identity.core.approvals.models import Act, Approval, ApprovalRules, Call, Pairs, Reversibility
from au_sys_identity.core.canonical import NotCanonical, canonical
from au_sys_identity.core.derivation import Sealing
from au_sys_identity.core.errors import (
    AlreadyDecided,
    HumanOnly,
    InvalidInput,
    MachineOnly,
    NoCustodian,
    NotFound,
    TooManyRequests,
)
from au_sys_identity.core.events import Fact
from au_sys_identity.core.ids import uuid7
from au_sys_identity.core.machines.custody import custodians
from au_sys_identity.core.notices.writing import LetterBox
from au_sys_identity.core.ports import Clock, Transactions, UnitOfWork
from au_sys_identity.core.principal import Principal
from au_sys_identity.core.subjects.models import Person
from au_sys_identity.core.subjects.names import plain_text

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"})
_HOUR = timedelta(hours=1)
_MOST_ARGUMENTS = 65_536
_LONGEST_PATH = 2000
_SHOWN = 200
EMPTY_BODY = hashlib.sha256(b"").hexdigest()


@dataclass(frozen=True, slots=True)
class Wish:
    """What a machine wants to do. ``arguments`` are the JSON body in clear; else only ``body_sha256`` is known."""

    method: str
    path: str
    reason: str
    reversibility: Reversibility
    query: Pairs = ()
    arguments: Any = None  # Any: JSON
    body_sha256: str | None = None
    summary: str = ""


def arguments_place(approval_id: UUID) -> str:
    """Where arguments are stored, which seals them to their approval."""
    return f"approvals:{approval_id}"


class Asking:
    """Approvals as their machine sees them."""

    def __init__(
        self, transactions: Transactions, sealing: Sealing, letters: LetterBox, clock: Clock, rules: ApprovalRules
    ) -> None:
        self._transactions = transactions
        self._sealing = sealing
        self._letters = letters
        self._clock = clock
        self._rules = rules

    async def ask(self, caller: Principal, wish: Wish) -> Approval:
        """Put an act before everybody who answers for the machine.

        Raises:
            MachineOnly: people need no approval.
            InvalidInput: the wish cannot be understood, or hides what an irreversible act would do.
            NoCustodian: nobody active answers for the machine.
            TooManyRequests: too many are pending, or were asked for within the hour.
        """
        if caller.kind == "person":
            raise MachineOnly
        now, approval_id = self._clock(), uuid7()
        call, plain = _understood(wish)
        if plain is None and call.body_sha256 != EMPTY_BODY and wish.reversibility == "irreversible":
            raise InvalidInput("arguments", "are hidden", "Send the arguments of an act that cannot be undone.")
        expires_at = now + self._rules.life
        act = Act(approval_id, caller.urn, caller.on_behalf_of, call, expires_at)
        async with self._transactions.writing() as unit:
            answering = await self._answering(unit, caller)
            await self._within_limits(unit, caller)
            made = Approval(
                id=approval_id,
                requester_id=caller.id,
                act=act,
                reason=plain_text(wish.reason, "reason", 500),
                summary=plain_text(wish.summary, "summary", 200) if wish.summary else "",
                reversibility=wish.reversibility,
                addressed_to=tuple(person.urn for person in answering),
                created_at=now,
                expires_at=expires_at,
                arguments_sealed=self._sealing.seal(arguments_place(approval_id), plain) if plain is not None else None,
            )
            await unit.approvals.add(made)
            for person in answering:
                await self._letters.put(unit, "approval", person.email_canonical, now=now)
            details = {"method": call.method, "path": call.path, "act_hash": act.hash().hex()}
            unit.record(Fact("approval.asked", caller.urn, f"urn:au:approval:{approval_id}", details=dict(details)))
        return made

    async def own(self, caller: Principal) -> list[Approval]:
        """What a machine asked for, newest first."""
        async with self._transactions.reading() as unit:
            return await unit.approvals.of_requesters([caller.id], limit=_SHOWN)

    async def withdraw(self, caller: Principal, approval_id: UUID) -> None:
        """Take back what nobody decided yet.

        Raises:
            NotFound: the machine asked for no such thing.
            AlreadyDecided: too late.
        """
        async with self._transactions.writing() as unit:
            known = await unit.approvals.get(approval_id)
            if known is None or known.requester_id != caller.id:
                raise NotFound("approval")
            if not await unit.approvals.withdraw(approval_id):
                raise AlreadyDecided
            unit.record(Fact("approval.withdrawn", caller.urn, f"urn:au:approval:{approval_id}"))

    async def _answering(self, unit: UnitOfWork, caller: Principal) -> list[Person]:
        machine = await unit.machines.get(caller.id)
        if machine is None:
            raise HumanOnly
        living = [person for person in await custodians(unit, machine, self._clock()) if person.active]
        if not living:
            raise NoCustodian
        return living

    async def _within_limits(self, unit: UnitOfWork, caller: Principal) -> None:
        now = self._clock()
        own = hashlib.sha256(caller.id.bytes).digest()
        await unit.guesses.raise_by_one("approval", own, now=now, window=_HOUR)  # so that a machine asks one at a time
        pending, lately = await unit.approvals.counts(caller.id, pending_at=now, since=now - _HOUR)
        if pending >= self._rules.pending:
            raise TooManyRequests(int(self._rules.life.total_seconds()))
        if lately >= self._rules.per_hour:
            raise TooManyRequests(int(_HOUR.total_seconds()))


def _understood(wish: Wish) -> tuple[Call, bytes | None]:
    """The call, and its arguments in canonical JSON where they are known.

    Raises:
        InvalidInput: it is none.
    """
    method = wish.method.upper()
    if method not in METHODS:
        raise InvalidInput("method", "is no method of HTTP", f"Use one of {', '.join(sorted(METHODS))}.")
    path = unquote(wish.path)
    if not path.startswith("/") or len(wish.path) > _LONGEST_PATH or "?" in wish.path or "#" in wish.path:
        raise InvalidInput("path", "is no path of this platform", "Begin with / and send the query apart.")
    if wish.arguments is not None and wish.body_sha256 is not None:
        raise InvalidInput("body_sha256", "comes with arguments", "Send one of the two.")
    plain: bytes | None = None
    digest = (wish.body_sha256 or EMPTY_BODY).lower()
    if wish.arguments is not None:
        try:
            plain = canonical(wish.arguments)
        except NotCanonical as error:
            raise InvalidInput("arguments", "have no canonical form", f"{error}.") from None
        if len(plain) > _MOST_ARGUMENTS:
            raise InvalidInput("arguments", f"have more than {_MOST_ARGUMENTS} bytes", "Send their hash instead.")
        digest = hashlib.sha256(plain).hexdigest()
    return Call(method, path, tuple(sorted(wish.query)), digest), plain
