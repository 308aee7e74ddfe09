"""Change rules: one, many, as text, or back to what was shipped; all or nothing, audited, under the giver's ceiling."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal, TypeVar
from uuid import UUID

from au_sys_identity.core.access import ceiling
from au_sys_identity.core.access.decisions import Decisions
from au_sys_identity.core.access.granting import known_domain
from au_sys_identity.core.access.models import (
    EVERYWHERE,
    PLATFORM_ADMIN,
    Assignment,
    Policy,
    PolicyFilter,
    canonical_subject,
    role_name,
)
from au_sys_identity.core.access.patterns import checked
from au_sys_identity.core.access.ports import PolicyEngine
from au_sys_identity.core.access.rules import Change, Membership, Rule
from au_sys_identity.core.errors import BadPattern, ExceedsOwnRights, InvalidInput, NotFound, RoleCycle
from au_sys_identity.core.events import Fact
from au_sys_identity.core.ids import uuid7
from au_sys_identity.core.ports import Clock, Transactions, UnitOfWork
from au_sys_identity.core.subjects.models import subject_id

Backup = Callable[[str, str], Awaitable[str]]
"""Keeps an archive for somebody and a reason, and says its id."""
Mode = Literal["add", "remove"]
Part = TypeVar("Part", Rule, Membership)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a change of many came to; nothing was changed when it was a rehearsal."""

    added: int
    existing: int
    removed: int
    revision: int
    dry_run: bool = False


class Ruling:
    """Rules, and whole sets of them."""

    def __init__(self, transactions: Transactions, decisions: Decisions, clock: Clock) -> None:
        self._transactions = transactions
        self._decisions = decisions
        self._clock = clock
        self.backup: Backup | None = None

    async def add(self, rule: Rule, *, by: str) -> tuple[Policy, bool]:
        """Keep a rule, or find the one that is there; whether it is new.

        Raises:
            BadPattern, InvalidInput: a part cannot stand in a rule.
            ExceedsOwnRights: it says more than the caller holds.
            LastAdmin: nobody would be left who may do everything.
        """
        wanted = checked_rule(rule)
        engine = await self._decisions.policy.current()
        ceiling.check_rules(engine, by, [wanted._replace(effect="allow")])
        policy = Policy(uuid7(), wanted, self._clock(), by)
        async with self._transactions.writing() as unit:
            await self._check_known(unit, wanted)
            await ceiling.refuse_losing_the_last_admin(unit, engine, [Change(True, wanted)])
            made, _ = await unit.grants.change(add=[policy])
            if made:
                unit.record(_fact("policy.added", by, wanted))
                return policy, True
            known = await unit.grants.find_policy(wanted)
        return known or policy, False

    async def remove(self, which: UUID | Rule, *, by: str) -> int:
        """Remove a rule by its id or its parts; the revision from which it counts no more.

        Raises:
            NotFound: there is none.
            ExceedsOwnRights, LastAdmin: as :meth:`add`.
        """
        engine = await self._decisions.policy.current()
        async with self._transactions.writing() as unit:
            find = unit.grants.policy(which) if isinstance(which, UUID) else unit.grants.find_policy(which)
            known = await find
            if known is None:
                raise NotFound("policy")
            ceiling.check_rules(engine, by, [known.rule._replace(effect="allow")])
            await ceiling.refuse_losing_the_last_admin(unit, engine, [Change(False, known.rule)])
            await unit.grants.change(remove=[known.rule])
            unit.record(_fact("policy.removed", by, known.rule))
            return unit.grants.revision

    async def get(self, policy_id: UUID) -> Policy | None:
        """A kept rule by its id."""
        async with self._transactions.reading() as unit:
            return await unit.grants.policy(policy_id)

    async def page(self, wanted: PolicyFilter) -> list[Policy]:
        """Rules that are kept, in the order of their ids."""
        async with self._transactions.reading() as unit:
            return await unit.grants.policies(wanted)

    async def bulk(
        self,
        rules: Sequence[Rule],
        memberships: Sequence[Membership],
        *,
        mode: Mode,
        dry_run: bool,
        by: str,
    ) -> Outcome:
        """Add or remove many, all or nothing.

        Raises:
            BadPattern, InvalidInput, ExceedsOwnRights, RoleCycle: with the number of the first bad item.
            LastAdmin: nobody would be left who may do everything.
        """
        good = [_numbered(checked_rule, rule, number) for number, rule in enumerate(rules)]
        held = [_numbered(checked_membership, one, number) for number, one in enumerate(memberships, start=len(rules))]
        parts: list[Rule | Membership] = [*good, *held]
        changes = [Change(mode == "add", item) for item in parts]
        return await self._change(changes, by=by, dry_run=dry_run, action="policy.changed")

    async def replace_all(
        self, rules: Sequence[Rule], memberships: Sequence[Membership], *, dry_run: bool, by: str
    ) -> Outcome:
        """Put rules and assignments in the place of all that are kept.

        Raises:
            ExceedsOwnRights, LastAdmin, RoleCycle, InvalidInput: as :meth:`bulk`.
        """
        async with self._transactions.reading() as unit:
            _, known, held = await unit.grants.everything()
        kept = {item[:5] for item in rules}
        kept_links = {item[:3] for item in memberships}
        gone: list[Change] = [Change(False, rule) for rule in known if rule[:5] not in kept]
        gone += [Change(False, link) for link in held if link[:3] not in kept_links and link.role.startswith("role:")]
        parts: list[Rule | Membership] = [*rules, *memberships]
        changes = [*gone, *(Change(True, item) for item in parts)]
        return await self._change(changes, by=by, dry_run=dry_run, action="policy.imported")

    async def reset(self, *, by: str) -> tuple[int, str | None]:
        """Back to what was shipped, after a backup; the caller stays administrator. Revision and backup.

        Raises:
            ExceedsOwnRights: the caller is no administrator.
        """
        engine = await self._decisions.policy.current()
        ceiling.check_rules(engine, by, [Rule(by, EVERYWHERE, EVERYWHERE, EVERYWHERE)])
        backup = await self.backup(by, "before the rules were reset") if self.backup is not None else None
        own = Membership(by, f"role:{PLATFORM_ADMIN}", EVERYWHERE)
        outcome = await self.replace_all([], [own], dry_run=False, by=by)
        return outcome.revision, backup

    async def _change(self, changes: Sequence[Change], *, by: str, dry_run: bool, action: str) -> Outcome:
        engine = await self._decisions.policy.current()
        await asyncio.to_thread(_check_ceilings, engine, by, changes)
        async with self._transactions.writing() as unit:
            for number, change in enumerate(changes):
                if change.add:
                    await self._check_item(unit, change.item, number)
            await ceiling.refuse_losing_the_last_admin(unit, engine, changes)
            if dry_run:
                return await _rehearsed(unit, changes, engine.revision)
            now = self._clock()
            made, gone = await unit.grants.change(
                add=[Policy(uuid7(), rule, now, by) for rule in _rules(changes, add=True)],
                remove=_rules(changes, add=False),
                assign=[_assignment(link, by, now) for link in _links(changes, add=True)],
                withdraw=_links(changes, add=False),
            )
            if made or gone:
                unit.record(Fact(action, by, "urn:au:policy", details={"added": made, "removed": gone}))
            wanted = sum(change.add for change in changes)
            return Outcome(made, wanted - made, gone, unit.grants.revision or engine.revision)

    async def _check_item(self, unit: UnitOfWork, item: Rule | Membership, number: int) -> None:
        try:
            await self._check_known(unit, item)
            if isinstance(item, Membership):
                if await self._decisions.role(role_name(item.role)) is None:
                    raise InvalidInput("role", f"{item.role} is unknown", "GET /rbac/roles lists them all.")
                engine = await self._decisions.policy.current()
                if any(
                    held.role == item.subject for held in engine.get_implicit_roles_for_user(item.role, item.domain)
                ):
                    raise RoleCycle((item.subject, item.role, item.subject))
        except InvalidInput as error:
            raise InvalidInput(f"{number}.{error.field}", error.rule, error.hint) from None

    async def _check_known(self, unit: UnitOfWork, item: Rule | Membership) -> None:
        await known_domain(unit, item.domain)
        subject = item.subject
        if subject == EVERYWHERE:
            return
        if subject.startswith("role:"):
            if await self._decisions.role(role_name(subject)) is None:
                raise InvalidInput("subject", f"{subject} is unknown", "GET /rbac/roles lists all roles.")
            return
        wanted = subject_id(subject)
        found = await unit.names.get(wanted) if wanted else None
        if found is None or found.urn != subject or found.status == "closed":
            raise InvalidInput("subject", f"{subject} is unknown", "Use role:<name>, the URN of a subject, or *.")


def checked_rule(rule: Rule) -> Rule:
    """The rule with its subject in its one spelling.

    Raises:
        BadPattern: a part is outside the dialect.
    """
    for field, text in zip(("subject", "domain", "resource", "action"), rule, strict=False):
        checked(field, str(text))
    return rule._replace(subject=canonical_subject(rule.subject))


def checked_membership(item: Membership) -> Membership:
    """The membership with its names in their one spelling.

    Raises:
        BadPattern: a part cannot be a name.
    """
    checked("subject", item.subject)
    checked("subject", item.role)
    checked("domain", item.domain)
    return item._replace(subject=canonical_subject(item.subject), role=f"role:{role_name(item.role)}")


def _numbered(check: Callable[[Part], Part], item: Part, number: int) -> Part:
    try:
        return check(item)
    except BadPattern as error:
        raise BadPattern(error.field, error.position, error.rule, number) from None


def _check_ceilings(engine: PolicyEngine, by: str, changes: Sequence[Change]) -> None:
    if by.startswith(ceiling.SYSTEM_PREFIX):
        return
    if ceiling.excess_of(engine, by, [Rule(by, EVERYWHERE, EVERYWHERE, EVERYWHERE)]) is None:
        return
    for number, change in enumerate(changes):
        item = change.item
        if isinstance(item, Rule):
            rules = [item._replace(effect="allow")]
        else:
            rules = ceiling.rules_of_role(engine, item.role, item.domain)
        excess = ceiling.excess_of(engine, by, rules)
        if excess is not None:
            raise ExceedsOwnRights(f"{excess} (item {number})")


async def _rehearsed(unit: UnitOfWork, changes: Sequence[Change], revision: int) -> Outcome:
    _, known, held = await unit.grants.everything()
    rules, links = {rule[:5] for rule in known}, {link[:3] for link in held}
    there = [
        (change.item[:5] in rules) if isinstance(change.item, Rule) else (change.item[:3] in links)
        for change in changes
    ]
    adding = [exists for change, exists in zip(changes, there, strict=True) if change.add]
    removing = [exists for change, exists in zip(changes, there, strict=True) if not change.add]
    return Outcome(adding.count(False), adding.count(True), removing.count(True), revision, dry_run=True)


def _rules(changes: Iterable[Change], *, add: bool) -> list[Rule]:
    return [change.item for change in changes if change.add is add and isinstance(change.item, Rule)]


def _links(changes: Iterable[Change], *, add: bool) -> list[Membership]:
    return [change.item for change in changes if change.add is add and isinstance(change.item, Membership)]


def _assignment(item: Membership, by: str, now: datetime) -> Assignment:
    end = None if item.expires_at is None else datetime.fromtimestamp(item.expires_at, UTC)
    return Assignment(uuid7(), item.subject, role_name(item.role), item.domain, now, by, end)


def _fact(action: str, by: str, rule: Rule) -> Fact:
    details = dict(zip(("domain", "resource", "action", "effect"), rule[1:5], strict=True))
    return Fact(action, by, rule.subject, details={**details})
