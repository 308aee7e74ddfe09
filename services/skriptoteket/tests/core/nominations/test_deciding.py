"""Nominations: never oneself, decided by somebody else, and the right follows the record."""

import asyncio
from typing import Any

import pytest

from skriptoteket.adapters.memory.standing_clock import StandingClock
from skriptoteket.adapters.platform.time_and_ids import TimeOrderedIds
from skriptoteket.core.errors import Conflict, Forbidden, NotFound, ValidationFailed
from skriptoteket.core.governance.nominations.deciding import Nominating
from skriptoteket.core.governance.nominations.models import MOST_TRIES, GrantState, Nomination, NominationStatus
from skriptoteket.core.governance.nominations.ports import CannotGrant
from skriptoteket.core.governance.stewardship.assignment import Candidate
from skriptoteket.core.roles import Actor

NOOR = Candidate("urn:fsp:person:noor", True)


class Roles:
    """The platform's roles: they fail as often as they are told to."""

    def __init__(self, failures: int = 0) -> None:
        self.failures = failures
        self.admins: set[str] = set()

    async def appoint(self, subject: str, *, by: str, reason: str) -> None:
        """Give."""
        self._fail()
        self.admins.add(subject)

    async def revoke(self, subject: str, *, by: str, reason: str) -> None:
        """Take."""
        self._fail()
        self.admins.discard(subject)

    def _fail(self) -> None:
        if self.failures:
            self.failures -= 1
            raise CannotGrant("identity is away")


@pytest.fixture
def nominating(work: Any, clock: StandingClock) -> Nominating:
    """The verbs over each kind of store."""
    return Nominating(work, clock, TimeOrderedIds())


async def grants(nominating: Nominating, actor: Actor) -> list[tuple[GrantState, int]]:
    """State and tries of each decision, newest first."""
    return [(decision.grant_state, decision.tries) for _, decision in await nominating.every(actor) if decision]


async def test_an_approval_gives_the_right_after_the_record(nominating: Nominating, people: dict[str, Actor]) -> None:
    """Decided first with the grant pending; then given, once."""
    filed = await nominating.nominate(people["reviewer"], NOOR, " Knows the work. ")
    _, decision = await nominating.decide(people["boss"], filed.id, "approve", "Yes.")
    assert decision is not None
    assert GrantState.PENDING is decision.grant_state
    roles = Roles()
    assert (await nominating.follow(roles), await nominating.follow(roles)) == (1, 0)
    assert ({NOOR.subject}, [(GrantState.GRANTED, 1)]) == (roles.admins, await grants(nominating, people["boss"]))
    assert filed.rationale == "Knows the work."


async def test_nobody_nominates_or_decides_for_themselves(nominating: Nominating, people: dict[str, Actor]) -> None:
    """Not oneself, not one's own nomination, not the one that is about oneself."""
    boss = people["boss"]
    with pytest.raises(ValidationFailed) as refused:
        await nominating.nominate(boss, Candidate(boss.subject, True), "I am good.")
    assert [issue.code for issue in refused.value.issues] == ["self"]
    own = await nominating.nominate(boss, NOOR, "Good.")
    about = await nominating.nominate(people["reviewer"], Candidate(boss.subject, True), "Good.")
    for nomination in (own, about):
        with pytest.raises(Forbidden):
            await nominating.decide(boss, nomination.id, "approve", "Yes.")


async def test_who_does_not_write_tools_is_not_nominated(nominating: Nominating, people: dict[str, Actor]) -> None:
    """The rule and the missing reason are told together."""
    with pytest.raises(ValidationFailed) as refused:
        await nominating.nominate(people["reviewer"], Candidate("urn:fsp:person:x", False), " ")
    assert [issue.code for issue in refused.value.issues] == ["contributor", "length"]


async def test_one_nomination_of_a_person_is_pending(nominating: Nominating, people: dict[str, Actor]) -> None:
    """Of two in the same moment one is kept; after a denial there may be another one."""
    answers = await asyncio.gather(
        nominating.nominate(people["reviewer"], NOOR, "Good."),
        nominating.nominate(people["boss"], NOOR, "Good."),
        return_exceptions=True,
    )
    [kept] = [answer for answer in answers if isinstance(answer, Nomination)]
    assert [answer.reason for answer in answers if isinstance(answer, Conflict)] == ["duplicate"]
    decider = "boss" if kept.nominator == people["reviewer"].subject else "other"
    people["other"] = Actor("urn:fsp:person:other", people["boss"].rights)
    _, decision = await nominating.decide(people[decider], kept.id, "deny", "Not yet.")
    assert decision is not None
    assert GrantState.NONE is decision.grant_state
    assert NominationStatus.PENDING is (await nominating.nominate(people["reviewer"], NOOR, "Now.")).status


async def test_of_two_decisions_one_counts(nominating: Nominating, people: dict[str, Actor]) -> None:
    """The loser is told what was decided; an unknown verdict decides nothing."""
    people["other"] = Actor("urn:fsp:person:other", people["boss"].rights)
    filed = await nominating.nominate(people["reviewer"], NOOR, "Good.")
    with pytest.raises(ValidationFailed):
        await nominating.decide(people["boss"], filed.id, "perhaps", "Hm.")
    answers = await asyncio.gather(
        nominating.decide(people["boss"], filed.id, "approve", "Yes."),
        nominating.decide(people["other"], filed.id, "deny", "No."),
        return_exceptions=True,
    )
    assert [answer.reason for answer in answers if isinstance(answer, Conflict)] == ["already_decided"]


async def test_a_grant_is_tried_again_until_the_operator_has_to_look(
    nominating: Nominating, people: dict[str, Actor]
) -> None:
    """Two failures are forgotten with the success; ten are shown with their reason."""
    filed = await nominating.nominate(people["reviewer"], NOOR, "Good.")
    await nominating.decide(people["boss"], filed.id, "approve", "Yes.")
    roles = Roles(failures=2)
    assert [await nominating.follow(roles) for _ in range(3)] == [0, 0, 1]
    again = await nominating.revoke(people["boss"], NOOR.subject, "Left.")
    broken = Roles(failures=99)
    for _ in range(MOST_TRIES + 1):
        await nominating.follow(broken)
    rows = await nominating.every(people["boss"])
    told = next(decision for one, decision in rows if one.id == again[0].id)
    assert told is not None
    assert (told.grant_state, told.tries, told.problem) == (GrantState.FAILED, MOST_TRIES, "identity is away")


async def test_without_role_administration_decisions_wait(nominating: Nominating, people: dict[str, Actor]) -> None:
    """Filed and decided all the same; the right follows when somebody administers roles."""
    filed = await nominating.nominate(people["reviewer"], NOOR, "Good.")
    await nominating.decide(people["boss"], filed.id, "approve", "Yes.")
    assert await nominating.follow(None) == 0
    assert await grants(nominating, people["boss"]) == [(GrantState.PENDING, 0)]
    assert await nominating.follow(Roles()) == 1


async def test_a_right_is_taken_on_the_same_record(nominating: Nominating, people: dict[str, Actor]) -> None:
    """Never one's own; a revocation needs no nomination before it."""
    roles = Roles()
    roles.admins = {NOOR.subject}
    await nominating.revoke(people["boss"], NOOR.subject, "Left.")
    await nominating.follow(roles)
    assert set() == roles.admins
    with pytest.raises(Forbidden):
        await nominating.revoke(people["boss"], people["boss"].subject, "Tired.")
    with pytest.raises(NotFound):
        await nominating.revoke(people["reviewer"], NOOR.subject, "No.")


async def test_nominations_are_withdrawn_by_their_author_and_expire(
    nominating: Nominating, people: dict[str, Actor], clock: StandingClock
) -> None:
    """Nobody else withdraws; what nobody decided in ninety days is over."""
    filed = await nominating.nominate(people["reviewer"], NOOR, "Good.")
    with pytest.raises(NotFound):
        await nominating.withdraw(people["boss"], filed.id)
    assert NominationStatus.WITHDRAWN is (await nominating.withdraw(people["reviewer"], filed.id)).status
    await nominating.nominate(people["reviewer"], NOOR, "Again.")
    clock.pass_(days=91)
    await nominating.follow(None)
    newest, _ = (await nominating.every(people["boss"]))[0]
    assert NominationStatus.EXPIRED is newest.status
