"""Who holds which role where, both ways, and what follows from it."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator

from au_sys_identity.core.access.patterns import ANYTHING
from au_sys_identity.core.access.rules import Membership

Link = tuple[str, float | None]
"""A role, and when the membership ends."""
Links = tuple[tuple[Link, ...], int, tuple[Link, ...]]
"""Links of a subject, since which revision, and those before."""
Kind = Callable[[str], str | None]
"""The role that every subject of a kind holds, like ``urn:au:user:*``."""
ROLES = ("role:", "urn:au:role:", "urn:au:group:")
"""How names begin that are roles even while nobody holds them."""
_NOBODY: dict[str, float | None] = {}


class Memberships:
    """Edges from subjects to roles by domain. ``depth`` is how many steps up count, for checks and for lists alike."""

    def __init__(self, kind_of: Kind, depth: int) -> None:
        self._kind_of = kind_of
        self.depth = depth
        self.up: dict[str, dict[str, Links]] = {}
        self.down: dict[str, dict[str, dict[str, float | None]]] = {}
        self.roles: set[str] = set()
        self._ending: set[tuple[str, str]] = set()

    def fill(self, items: Iterable[Membership]) -> None:
        """Add memberships while nobody reads; equal links as one object."""
        same: dict[Link, Link] = {}
        for subject, role, domain, expires_at in items:
            up, down = self.up.setdefault(domain, {}), self.down.setdefault(domain, {})
            members = down.get(role)
            if members is None:
                members = down[role] = {}
                self.roles.add(role)
            if expires_at is not None or subject in members:
                self.put(Membership(subject, role, domain, expires_at), 0)
                continue
            members[subject] = None
            link = same.setdefault((role, None), (role, None))
            known = up.get(subject)
            if known is not None:
                up[subject] = ((*known[0], link), 0, ())
                continue
            up[subject] = ((link,), 0, ())
            if subject.startswith(ROLES) or subject.endswith(":*"):
                self.roles.add(subject)

    def put(self, item: Membership, revision: int) -> None:
        """Add a membership, or give it another end."""
        links = self._links(item)
        rest = tuple(link for link in links if link[0] != item.role)
        self._replace(item, (*rest, (item.role, item.expires_at)), revision)
        self.down.setdefault(item.domain, {}).setdefault(item.role, {})[item.subject] = item.expires_at
        self.roles.add(item.role)
        if item.subject.startswith(ROLES) or item.subject.endswith(":*"):
            self.roles.add(item.subject)
        if item.expires_at is not None:
            self._ending.add((item.domain, item.role))

    def drop(self, item: Membership, revision: int) -> bool:
        """Remove a membership; ``False`` when there was none."""
        links = self._links(item)
        rest = tuple(link for link in links if link[0] != item.role)
        if len(rest) == len(links):
            return False
        self._replace(item, rest, revision)
        del self.down[item.domain][item.role][item.subject]
        return True

    def _links(self, item: Membership) -> tuple[Link, ...]:
        known = self.up.get(item.domain, {}).get(item.subject)
        return known[0] if known else ()

    def _replace(self, item: Membership, links: tuple[Link, ...], revision: int) -> None:
        domain = self.up.setdefault(item.domain, {})
        known = domain.get(item.subject)
        before = () if known is None else known[2] if known[1] == revision else known[0]
        domain[item.subject] = (links, revision, before)

    def links(self, subject: str, domain: str, revision: int) -> Iterator[tuple[str, float | None, str]]:
        """Roles of a subject in a domain with their end and the domain of the membership, as of a revision."""
        for place in (domain,) if domain == ANYTHING else (domain, ANYTHING):
            known = self.up.get(place, {}).get(subject)
            if known is not None:
                for role, expires_at in known[0] if known[1] <= revision else known[2]:
                    yield role, expires_at, place
        kind = self._kind_of(subject)
        if kind is not None and kind != subject:
            yield kind, None, ANYTHING

    def reach(
        self, subject: str, domain: str, revision: int, now: float
    ) -> tuple[dict[str, tuple[str, Membership] | None], float | None]:
        """Every role above a subject with the step that leads to it, nearest first, and until when this holds.

        Of several shortest ways the one whose roles come first in the alphabet is told.
        """
        steps: dict[str, tuple[str, Membership] | None] = {subject: None}
        until: float | None = None
        row = [subject]
        for _ in range(self.depth):
            above: dict[str, tuple[str, Membership]] = {}
            for name in row:
                for role, expires_at, place in self.links(name, domain, revision):
                    if expires_at is not None:
                        if expires_at <= now:
                            continue
                        until = expires_at if until is None else min(until, expires_at)
                    if role not in steps and role not in above:
                        above[role] = (name, Membership(name, role, place, expires_at))
            if not above:
                break
            row = sorted(above)
            for role in row:
                steps[role] = above[role]
        return steps, until

    def below(self, role: str, domain: str) -> set[str]:
        """Every name under a role, run-out memberships included."""
        places = (domain,) if domain == ANYTHING else (domain, ANYTHING)
        seen: set[str] = set()
        waiting = deque([role])
        while waiting:
            name = waiting.popleft()
            for place in places:
                for member in self.down.get(place, {}).get(name, _NOBODY):
                    if member not in seen:
                        seen.add(member)
                        if member in self.roles:
                            waiting.append(member)
        return seen

    def counting_below(self, role: str, domain: str, now: float) -> set[str]:
        """Every name that a role reaches in a domain at a moment."""
        places = (domain,) if domain == ANYTHING else (domain, ANYTHING)
        seen = {role}
        row = {role}
        for _ in range(self.depth):
            found: set[str] = set()
            for name in row:
                for place in places:
                    members = self.down.get(place, {}).get(name)
                    if members:
                        found.update(_counting(members, now) if (place, name) in self._ending else members)
            row = (found - seen) & self.roles
            seen |= found
            if not row:
                break
        return seen - {role}

    def all(self) -> Iterator[Membership]:
        """Every membership."""
        for domain, subjects in self.up.items():
            for subject, (links, _, _) in subjects.items():
                for role, expires_at in links:
                    yield Membership(subject, role, domain, expires_at)


def _counting(members: dict[str, float | None], now: float) -> list[str]:
    return [member for member, expires_at in members.items() if expires_at is None or now < expires_at]
