"""What a caller reaches: each object in its own domain, and nothing of an organization in which they hold nothing."""

from au_sys_identity.core.access.decisions import Decisions
from au_sys_identity.core.access.granting import Granting
from au_sys_identity.core.errors import NotFound
from au_sys_identity.core.graph.errors import NotPermitted
from au_sys_identity.core.graph.linking import Linking
from au_sys_identity.core.organizations.membership import Organizations
from au_sys_identity.core.organizations.models import DEFAULT_SLUG, AuthorizedOrganizationId, Organization
from au_sys_identity.core.principal import Principal
from au_sys_identity.core.subjects.models import Named, SubjectId, SubjectKind, subject_id


class Reach:
    """Asks the engine in the domain of the object."""

    def __init__(
        self, decisions: Decisions, granting: Granting, organizations: Organizations, linking: Linking
    ) -> None:
        self.decisions = decisions
        self._granting = granting
        self._organizations = organizations
        self._linking = linking

    async def domains_of(self, subject: Named) -> tuple[str, ...]:
        """The domains in which a subject is somebody's business: its organization, or those of a person."""
        if subject.kind != "person":
            return (await self._organizations.slug_of(subject.organization_id),)
        taken_in = await self._organizations.of_subject(subject.id)
        return (DEFAULT_SLUG, *(known.slug for known in taken_in if known.slug != DEFAULT_SLUG))

    async def may(self, caller: Principal, permission: str, subject: Named) -> bool:
        """Whether a caller holds a permission over a subject."""
        for domain in await self.domains_of(subject):
            if await self.decisions.holds(caller, permission, domain=domain):
                return True
        return False

    async def subject(self, caller: Principal, text: str, permission: str, *kinds: SubjectKind) -> Named:
        """A subject that the caller may know about: itself, or with a permission over it.

        Raises:
            NotFound: there is none of these kinds, or it is none of their business; the two look alike.
        """
        found = subject_id(text, *kinds)
        names = await self._linking.names([found]) if found else {}
        named = names.get(found) if found else None
        if named is None or named.status == "closed" or (kinds and named.kind not in kinds):
            raise NotFound("subject")
        if named.id == caller.id or await self.may(caller, permission, named):
            return named
        raise NotFound("subject")

    async def organization(
        self, caller: Principal, slug: str, permission: str, *, change: bool = False
    ) -> tuple[Organization, AuthorizedOrganizationId]:
        """An organization in which the caller holds a permission; members may know of their own.

        Raises:
            NotFound: there is none, or they hold nothing in it.
            NotPermitted: they hold something in it, and not this.
        """
        held = await self.decisions.holds(caller, permission, domain=slug)

        async def anything(wanted: str) -> bool:
            known = await self.decisions.permissions_of(caller.urn, domain=wanted)
            # what capabilities give everybody everywhere makes nobody an insider
            if held or any(one == "*" or one.startswith("identity.") for one in known):
                return True
            mine = await self._organizations.of_subject(caller.id)
            return any(known.slug == wanted for known in mine)

        found = await self._organizations.reached(slug, anything)
        if not held and (change or slug == DEFAULT_SLUG or permission != "identity.organizations.read"):
            raise NotPermitted(permission, slug)
        return found

    async def check_ceiling(self, giver: str, group: Named) -> None:
        """Refuse to take somebody into a group that holds more than the giver.

        Raises:
            ExceedsOwnRights: with the first excess.
        """
        for domain in ("*", *await self.domains_of(group)):
            held = await self.decisions.permissions_of(group.urn, domain=domain)
            await self._granting.check_ceiling(giver, held)

    async def names(self, ids: list[SubjectId]) -> dict[SubjectId, Named]:
        """Subjects by id."""
        return dict(await self._linking.names(ids))
