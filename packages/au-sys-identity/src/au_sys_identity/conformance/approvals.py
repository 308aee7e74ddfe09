"""What any store of approvals, grants of people, windows of codes and access requests must do."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

from au_sys_identity.core.approvals.models import Act, Approval, ApprovalRules, Call
from au_sys_identity.core.delegations.models import Delegation
from au_sys_identity.core.factors.models import Signature
from au_sys_identity.core.ids import uuid7
from au_sys_identity.core.machines.models import Machine
from au_sys_identity.core.ports import Transactions
from au_sys_identity.core.subjects.models import Person, SubjectId
from au_sys_identity.core.workflow.models import AccessRequest
from au_sys_identity.core.workflow.ports import RequestFilter

NOW = datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=UTC)
SOON, LATER = NOW + timedelta(minutes=5), NOW + timedelta(hours=1)


async def _pair(transactions: Transactions) -> tuple[Person, Machine]:
    address = f"{uuid7()}@example.org"
    person = Person(SubjectId(uuid7()), address, address, "Ann", "active", NOW, NOW)
    machine = Machine(SubjectId(uuid7()), "app", "Importer", "Imports", "active", NOW, NOW)
    async with transactions.writing() as unit:
        await unit.subjects.add(person)
        await unit.machines.add(machine)
    return person, machine


def an_approval(person: Person, machine: Machine, *, at: datetime = NOW) -> Approval:
    """One that waits."""
    approval_id = uuid7()
    call = Call("POST", "/things/ü", (("a", "1"), ("a", "2"), ("b", "")), "0" * 64)
    act = Act(approval_id, machine.urn, person.urn, call, at + timedelta(minutes=5))
    return Approval(
        id=approval_id,
        requester_id=machine.id,
        act=act,
        reason="Because",
        summary="A thing",
        reversibility="irreversible",
        addressed_to=(person.urn,),
        created_at=at,
        expires_at=at + timedelta(minutes=5),
        arguments_sealed=b"sealed",
    )


def a_delegation(person: Person, machine: Machine, *, max_uses: int | None = 2) -> Delegation:
    """One that lasts an hour."""
    return Delegation(
        id=uuid7(),
        human_id=person.id,
        agent_id=machine.id,
        agent=machine.urn,
        domain="default",
        permissions=frozenset({"a.b.read", "a.c.*"}),
        resources=frozenset({"1", "2*"}),
        max_uses=max_uses,
        created_at=NOW,
        expires_at=LATER,
    )


class ApprovalStoreConformance:
    """Approvals, grants, windows and requests."""

    async def test_approvals_come_back_equal(self, transactions: Transactions) -> None:
        """With every field, pending and signed; the hash of the act is the same after the database."""
        person, machine = await _pair(transactions)
        waiting = an_approval(person, machine)
        async with transactions.writing() as unit:
            await unit.approvals.add(waiting)
        async with transactions.writing() as unit:
            kept = await unit.approvals.get(waiting.id)
            assert kept == waiting
            assert kept is not None
            assert kept.act.hash() == waiting.act.hash()
            signed = Signature(b"id", b"key", b"data", b"client", b"signature")
            decided = waiting.decided("approve", person.urn, NOW, rules=ApprovalRules(), note="Yes", signed=signed)
            assert await unit.approvals.decide(decided) is True
        async with transactions.reading() as unit:
            assert await unit.approvals.get(waiting.id) == decided
            assert await unit.approvals.of_requesters([machine.id], limit=5) == [decided]
            assert await unit.approvals.decided_by(person.urn, limit=5) == [decided]
            assert await unit.approvals.of_requesters([], limit=5) == []
            assert await unit.approvals.get(UUID(int=1)) is None

    async def test_each_step_is_made_once(self, transactions: Transactions) -> None:
        """Decided once, used once and in time; nothing else leads from one state to another."""
        person, machine = await _pair(transactions)
        first, second = an_approval(person, machine), an_approval(person, machine)
        rules = ApprovalRules()
        async with transactions.writing() as unit:
            await unit.approvals.add(first)
            await unit.approvals.add(second)
            assert await unit.approvals.use(first.id, at=NOW) is False
            approved = first.decided("approve", person.urn, NOW, rules=rules, note="", signed=None)
            denied = first.decided("deny", person.urn, NOW, rules=rules, note="", signed=None)
            assert await unit.approvals.decide(approved) is True
            assert await unit.approvals.decide(denied) is False
            assert await unit.approvals.withdraw(first.id) is False
            assert await unit.approvals.use(first.id, at=NOW + timedelta(seconds=60)) is False
            assert await unit.approvals.use(first.id, at=NOW + timedelta(seconds=59)) is True
            assert await unit.approvals.use(first.id, at=NOW) is False
            assert await unit.approvals.withdraw(second.id) is True
            assert await unit.approvals.use(UUID(int=1), at=NOW) is False

    async def test_approvals_are_counted_and_forgotten(self, transactions: Transactions) -> None:
        """Those that wait, those of the last hour; what ended long ago is deleted."""
        person, machine = await _pair(transactions)
        async with transactions.writing() as unit:
            for minutes in (0, 30, 90):
                await unit.approvals.add(an_approval(person, machine, at=NOW - timedelta(minutes=minutes)))
            counted = await unit.approvals.counts(machine.id, pending_at=NOW, since=NOW - timedelta(hours=1))
            assert counted == (1, 2)
            assert await unit.approvals.forget_before(NOW - timedelta(hours=1)) >= 1
            assert len(await unit.approvals.of_requesters([machine.id], limit=5)) == 2

    async def test_grants_come_back_equal_and_end_once(self, transactions: Transactions) -> None:
        """Found by either end; used as often as they may be; revoked once."""
        person, machine = await _pair(transactions)
        grant = a_delegation(person, machine)
        async with transactions.writing() as unit:
            await unit.delegations.add(grant)
            assert await unit.delegations.get(grant.id) == grant
            assert await unit.delegations.of_human(person.id, limit=5) == [grant]
            assert await unit.delegations.of_agent(machine.id, limit=5) == [grant]
            assert grant in await unit.delegations.all(limit=200)
            assert [await unit.delegations.use(grant.id, at=NOW) for _ in range(3)] == [True, True, False]
            assert await unit.delegations.get(grant.id) == replace(grant, uses=2)
            unlimited = a_delegation(person, machine, max_uses=None)
            await unit.delegations.add(unlimited)
            assert await unit.delegations.use(unlimited.id, at=LATER) is False
            assert await unit.delegations.revoke(unlimited.id, at=SOON) is True
            assert await unit.delegations.revoke(unlimited.id, at=SOON) is False
            assert await unit.delegations.use(unlimited.id, at=NOW) is False

    async def test_windows_open_and_close(self, transactions: Transactions) -> None:
        """The newest counts, until it is over."""
        key_id = uuid7()
        async with transactions.writing() as unit:
            assert await unit.mfa_windows.is_open(key_id, NOW) is False
            await unit.mfa_windows.open(key_id, until=SOON)
            await unit.mfa_windows.open(key_id, until=LATER)
            assert await unit.mfa_windows.is_open(key_id, SOON) is True
            assert await unit.mfa_windows.is_open(key_id, LATER) is False
            await unit.mfa_windows.forget_expired(LATER)
            assert await unit.mfa_windows.is_open(key_id, NOW) is False

    async def test_access_requests_come_back_equal_and_are_settled_once(self, transactions: Transactions) -> None:
        """Newest first, by who asked and by state; the first decision counts."""
        person, machine = await _pair(transactions)
        week = timedelta(days=7)
        asked = [
            AccessRequest(uuid7(), person.id, person.urn, machine.urn, "helpdesk", "default", "Why", length, NOW)
            for length in (week, None)
        ]
        async with transactions.writing() as unit:
            for request in asked:
                await unit.requests.add(request)
            assert await unit.requests.get(asked[0].id) == asked[0]
            assert await unit.requests.page(RequestFilter(person.id)) == asked[::-1]
            assert await unit.requests.page(RequestFilter(person.id, after=asked[1].id)) == [asked[0]]
            assert await unit.requests.page(RequestFilter(person.id, domain="default")) == asked[::-1]
            assert await unit.requests.page(RequestFilter(person.id, domain="acme")) == []
            given = asked[0].decided("approve", "urn:au:user:x", NOW, note="Ok", duration=week)
            assert await unit.requests.settle(given) is True
            assert await unit.requests.settle(replace(given, state="denied")) is False
            assert await unit.requests.page(RequestFilter(person.id, "provisioned")) == [given]
            assert await unit.requests.page(RequestFilter(person.id, "submitted")) == [asked[1]]
            assert given.state_at(NOW + week) == "expired"
