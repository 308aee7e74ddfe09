"""Nominate, decide, withdraw, revoke; the right follows the record, never the other way round."""

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

from skriptoteket.core.errors import Conflict, FieldIssue, Forbidden, NotFound, ValidationFailed
from skriptoteket.core.governance.nominations.models import (
    MOST_TRIES,
    PENDING_TIME,
    GrantState,
    Nomination,
    NominationDecision,
    NominationKind,
    NominationStatus,
)
from skriptoteket.core.governance.nominations.ports import CannotGrant, NominationUnit, Roles
from skriptoteket.core.governance.stewardship.assignment import Candidate
from skriptoteket.core.ports import Clock, Ids, UnitOfWork
from skriptoteket.core.roles import APPROVE_ADMINS, NOMINATE, Actor

Row = tuple[Nomination, NominationDecision | None]
_VERDICTS = {"approve": NominationStatus.APPROVED, "deny": NominationStatus.DENIED}


class Nominating:
    """The verbs of nominations. Lives as long as the app."""

    def __init__(self, work: UnitOfWork[NominationUnit], clock: Clock, ids: Ids) -> None:
        self._work = work
        self._clock = clock
        self._ids = ids

    async def every(self, actor: Actor) -> Sequence[Row]:
        """All nominations with their decisions, newest first.

        Raises:
            NotFound: the actor neither nominates nor decides.
        """
        if not actor.holds(NOMINATE) and not actor.holds(APPROVE_ADMINS):
            raise NotFound("page", "nominations")
        async with self._work.read() as unit:
            return await unit.nominations.all()

    async def nominate(self, actor: Actor, candidate: Candidate, rationale: str) -> Nomination:
        """File a nomination.

        Raises:
            NotFound: the actor does not nominate.
            ValidationFailed: oneself, somebody who does not write tools, or no reason.
            Conflict: ``duplicate``.
        """
        if not actor.holds(NOMINATE):
            raise NotFound("page", "nominations")
        issues = []
        if candidate.subject == actor.subject:
            issues.append(FieldIssue("subject", "self", "nobody nominates themselves"))
        elif not candidate.may_author:
            issues.append(FieldIssue("subject", "contributor", "must be a contributor of the library already"))
        reason = _reason(rationale, issues)
        made = self._made(NominationKind.APPOINT, candidate.subject, actor, reason, NominationStatus.PENDING)
        async with self._work.write() as unit:
            if not await unit.nominations.add(made):
                raise Conflict("duplicate", "This person is nominated already.", {})
        return made

    async def decide(self, actor: Actor, nomination_id: UUID, verdict: str, rationale: str) -> Row:
        """Approve or deny. The record is kept first; :meth:`follow` gives the right.

        Raises:
            NotFound, ValidationFailed (unknown verdict, no reason), Conflict (``already_decided``).
            Forbidden: one's own nomination, or oneself.
        """
        if not actor.holds(APPROVE_ADMINS):
            raise NotFound("nomination", nomination_id)
        wanted = _VERDICTS.get(verdict)
        issues = [] if wanted else [FieldIssue("verdict", "unknown", "must be approve or deny")]
        reason = _reason(rationale, issues)
        if wanted is None:
            raise ValidationFailed(issues)
        async with self._work.write() as unit:
            found = await unit.nominations.lock(nomination_id)
            if actor.subject in (found.nominator, found.nominee):
                raise Forbidden("Somebody else decides: you filed this nomination, or it is about you.")
            _ensure_pending(found)
            decided = replace(found, status=wanted)
            grant = GrantState.PENDING if wanted is NominationStatus.APPROVED else GrantState.NONE
            decision = NominationDecision(found.id, wanted, reason, actor.subject, self._clock.now(), grant)
            await unit.nominations.update(decided)
            await unit.nominations.add_decision(decision)
            return decided, decision

    async def withdraw(self, actor: Actor, nomination_id: UUID) -> Nomination:
        """Take one's own nomination back.

        Raises:
            NotFound: it is somebody else's.
            Conflict: ``already_decided``.
        """
        async with self._work.write() as unit:
            found = await unit.nominations.lock(nomination_id)
            if found.nominator != actor.subject or not actor.holds(NOMINATE):
                raise NotFound("nomination", nomination_id)
            _ensure_pending(found)
            gone = replace(found, status=NominationStatus.WITHDRAWN)
            await unit.nominations.update(gone)
            return gone

    async def revoke(self, actor: Actor, subject: str, rationale: str) -> Row:
        """Take the right of an administrator: filed and decided in one record.

        Raises:
            NotFound: the actor does not decide.
            Forbidden: oneself.
            ValidationFailed: no reason.
        """
        if not actor.holds(APPROVE_ADMINS):
            raise NotFound("page", "nominations")
        if subject == actor.subject:
            raise Forbidden("Somebody else decides: this is about you.")
        reason = _reason(rationale, [])
        made = self._made(NominationKind.REVOKE, subject, actor, reason, NominationStatus.APPROVED)
        decision = NominationDecision(
            made.id, NominationStatus.APPROVED, reason, actor.subject, self._clock.now(), GrantState.PENDING
        )
        async with self._work.write() as unit:
            await unit.nominations.add(made)
            await unit.nominations.add_decision(decision)
        return made, decision

    async def follow(self, roles: Roles | None) -> int:
        """Give and take what was decided, and end what nobody decided; how many rights followed.

        Without ``roles`` everything waits: the platform has nobody who administers roles.
        """
        now = self._clock.now()
        async with self._work.write() as unit:
            await unit.nominations.expire(now - PENDING_TIME)
            waiting = await unit.nominations.ungranted()
        if roles is None:
            return 0
        return sum([await self._followed(roles, nomination, decision) for nomination, decision in waiting])

    async def _followed(self, roles: Roles, nomination: Nomination, decision: NominationDecision) -> bool:
        verb = roles.appoint if nomination.kind is NominationKind.APPOINT else roles.revoke
        try:
            await verb(nomination.nominee, by=decision.by, reason=decision.rationale)
            after = replace(decision, grant_state=GrantState.GRANTED, tries=decision.tries + 1, problem="")
        except CannotGrant as problem:
            tries = decision.tries + 1
            state = GrantState.FAILED if tries >= MOST_TRIES else GrantState.PENDING
            after = replace(decision, grant_state=state, tries=tries, problem=str(problem)[:1000])
        async with self._work.write() as unit:
            await unit.nominations.update_decision(after)
        return after.grant_state is GrantState.GRANTED

    def _made(
        self, kind: NominationKind, subject: str, actor: Actor, reason: str, status: NominationStatus
    ) -> Nomination:
        return Nomination(self._ids.new(), kind, subject, actor.subject, reason, status, self._clock.now())


def _reason(text: str, issues: list[FieldIssue]) -> str:
    """The reason, trimmed.

    Raises:
        ValidationFailed: with these issues, and one of its own when it is missing or too long.
    """
    reason = text.strip()
    if not 1 <= len(reason) <= 4000:
        issues = [*issues, FieldIssue("rationale", "length", "write the reason, 1 to 4000 characters")]
    if issues:
        raise ValidationFailed(issues)
    return reason


def _ensure_pending(nomination: Nomination) -> None:
    if nomination.status is not NominationStatus.PENDING:
        facts = {"status": nomination.status}
        text = f"This nomination is {nomination.status} already. Load the page to see what was decided."
        raise Conflict("already_decided", text, facts)
