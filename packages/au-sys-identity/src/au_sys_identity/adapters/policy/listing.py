"""Who holds what: roles, permissions and users, also those that follow from others."""

from au_sys_identity.adapters.policy.compiled_index import CompiledIndex
from au_sys_identity.adapters.policy.explaining import chain_of, places_of
from au_sys_identity.adapters.policy.shelves import Shelf, entries, timed_of
from au_sys_identity.core.access.patterns import ANYTHING
from au_sys_identity.core.access.rules import Given, Held, Rule


def implicit_roles(index: CompiledIndex, subject: str, domain: str, now: float) -> list[Held]:
    """Every role above a subject, nearest first, with the roles on the way."""
    with index.lock:
        steps, _ = index.memberships.reach(subject, domain, index.revision, now)
    return [Held(name, tuple(step.role for step in chain_of(steps, name)[:-1])) for name in steps if name != subject]


def implicit_permissions(index: CompiledIndex, subject: str, domain: str, now: float) -> list[Given]:
    """Every rule that reaches a subject in a domain, run-out ones left out."""
    given = []
    with index.lock:
        steps, _ = index.memberships.reach(subject, domain, index.revision, now)
        steps.setdefault(ANYTHING, None)
        for name, place, resource, grants in index.rules.of_many(steps, places_of(domain)):
            via = tuple(step.role for step in chain_of(steps, name))
            for grant in grants:
                if grant.expires_at is None or now < grant.expires_at:
                    given.append(Given(Rule(name, place, resource, *grant), via))
    return given


def implicit_users(index: CompiledIndex, domain: str, resource: str, action: str, now: float) -> set[str]:
    """Every subject that is no role and may do this: known by a membership or a rule of its own."""
    with index.lock:
        allowing, denying = _roles_saying(index, domain, resource, action, now)
        if ANYTHING in denying:
            return set()
        users = _under(index, allowing, domain, now) - _under(index, denying, domain, now)
        for subject in index.direct():
            if index.allowed(subject, domain, resource, action):
                users.add(subject)
            else:
                users.discard(subject)
        return users - index.memberships.roles


def all_users(index: CompiledIndex) -> set[str]:
    """Every subject that a membership or a rule names and that is no role."""
    with index.lock:
        users = set(index.direct())
        for subjects in index.memberships.up.values():
            users.update(subject for subject, links in subjects.items() if links[0])
        return {user for user in users if not index.is_role(user)}


def _roles_saying(
    index: CompiledIndex, domain: str, resource: str, action: str, now: float
) -> tuple[set[str], set[str]]:
    allowing: set[str] = set()
    denying: set[str] = set()
    for shelf, slots in index.matching(domain, resource):
        allow = deny = 0
        for entry in entries(slots, action):
            allow |= entry[0]
            deny |= entry[1]
            for rule in timed_of(entry):
                if now < rule.expires_at:
                    allow, deny = (allow, deny | rule.bit) if rule.deny else (allow | rule.bit, deny)
        allowing |= _names(shelf, allow)
        denying |= _names(shelf, deny)
    return allowing, denying


def _names(shelf: Shelf, mask: int) -> set[str]:
    return {name for name, bit in shelf.bits.items() if bit & mask} if mask else set()


def _under(index: CompiledIndex, roles: set[str], domain: str, now: float) -> set[str]:
    found: set[str] = set()
    known = index.memberships.roles
    for role in roles:
        if role == ANYTHING:
            found |= all_users(index)
            continue
        below = index.memberships.counting_below(role, domain, now)
        for name in {role, *(below & known)}:
            if name.endswith(":*"):
                found.update(user for user in all_users(index) if index.kind_of(user) == name)
        found |= below
    return found - known
