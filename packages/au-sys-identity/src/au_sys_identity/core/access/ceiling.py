"""Nobody gives more than they hold; and somebody always holds everything."""

import asyncio
from collections.abc import Iterable, Sequence

from au_sys_identity.core.access.models import EVERYWHERE, permission_of
from au_sys_identity.core.access.patterns import actions_of, common, includes
from au_sys_identity.core.access.ports import PolicyEngine
from au_sys_identity.core.access.rules import Change, Membership, Rule
from au_sys_identity.core.errors import ExceedsOwnRights, LastAdmin
from au_sys_identity.core.ports import UnitOfWork
from au_sys_identity.core.subjects.models import SubjectId, person_id

SYSTEM_PREFIX = "urn:au:system:"
_ANYTHING = ("/~everything~", "~everything~")
"""What no rule names: who may do that holds everything, unless denied."""


def excess_of(engine: PolicyEngine, giver: str, wanted: Iterable[Rule]) -> str | None:
    """The first right in rules that a giver does not hold in their domains; ``None`` when all are held.

    What the rules deny takes away, and takes no right to give.
    """
    held: dict[str, list[Rule]] = {}
    for rule in wanted:
        if rule.effect == "deny":
            continue
        own = held.get(rule.domain)
        if own is None:
            given = engine.get_implicit_permissions_for_user(giver, rule.domain)
            own = held[rule.domain] = [found.rule for found in given]
        for action in actions_of(rule.action):
            if not _covered(own, rule.resource, action):
                return permission_of(rule.resource, action) or f"{action} on {rule.resource}"
    return None


def _covered(own: Sequence[Rule], resource: str, action: str) -> bool:
    allowed = False
    for rule in own:
        listed = actions_of(rule.action)
        if rule.effect == "deny":
            touches = EVERYWHERE in (rule.action, action) or action in listed
            if touches and common(rule.resource, resource) is not None:
                return False
        elif (rule.action == EVERYWHERE or action in listed) and includes(rule.resource, resource):
            allowed = True
    return allowed


def check_rules(engine: PolicyEngine, giver: str, wanted: Iterable[Rule]) -> None:
    """Refuse rules that give what the giver does not hold.

    Raises:
        ExceedsOwnRights: with the first excess.
    """
    if giver.startswith(SYSTEM_PREFIX):
        return
    excess = excess_of(engine, giver, wanted)
    if excess is not None:
        raise ExceedsOwnRights(excess)


def rules_of_role(engine: PolicyEngine, role: str, domain: str) -> list[Rule]:
    """What a role gives to who holds it in a domain, as rules of that domain; in ``*``, of every domain."""
    places = sorted(engine.all_domains() | {EVERYWHERE}) if domain == EVERYWHERE else [domain]
    return [
        given.rule._replace(domain=place)
        for place in places
        for given in engine.get_implicit_permissions_for_user(role, place)
        if given.rule.subject != EVERYWHERE
    ]


def gives_everything(engine: PolicyEngine, role: str) -> bool:
    """Whether who holds a role in ``*`` may do everything that nobody denies."""
    return engine.enforce(role, EVERYWHERE, *_ANYTHING)


def _endangers(engine: PolicyEngine, change: Change) -> bool:
    """Whether a change could take everything from somebody who holds it in ``*``."""
    item = change.item
    if isinstance(item, Membership):
        return not change.add and item.domain == EVERYWHERE and gives_everything(engine, item.role)
    if item.domain != EVERYWHERE:
        return False
    return change.add if item.effect == "deny" else not change.add and item.resource == EVERYWHERE


async def refuse_losing_the_last_admin(unit: UnitOfWork, engine: PolicyEngine, changes: Sequence[Change]) -> None:
    """Simulate changes, and refuse them when nobody active with a way to sign in would hold everything in ``*``.

    Raises:
        LastAdmin: nobody would, and somebody does now.
    """
    if not any(_endangers(engine, change) for change in changes) or not await somebody(unit, engine):
        return
    if not await somebody(unit, await asyncio.to_thread(engine.after, changes)):
        raise LastAdmin


async def somebody(unit: UnitOfWork, engine: PolicyEngine) -> bool:
    """Whether somebody active who can sign in holds everything in ``*``."""
    for urn in sorted(engine.get_implicit_users_for_permission(EVERYWHERE, *_ANYTHING)):
        wanted = person_id(urn) if urn.startswith("urn:au:user:") else None
        if wanted is None or excess_of(engine, urn, [Rule(urn, EVERYWHERE, EVERYWHERE, EVERYWHERE)]) is not None:
            continue
        person = await unit.subjects.get(wanted)
        if person is not None and person.active and await has_way_in(unit, person.id):
            return True
    return False


async def has_way_in(unit: UnitOfWork, subject: SubjectId) -> bool:
    """Whether a person could sign in: with a password, a passkey or an outside login."""
    if await unit.credentials.password(subject) or await unit.passkeys.of_subject(subject):
        return True
    return bool(await unit.linked_logins.of_subject(subject))
