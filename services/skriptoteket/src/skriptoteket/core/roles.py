"""Who may browse, author, review: rights by name, and the relations that count beside them."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal

BROWSE = "skriptoteket.tools.browse"
RUN = "skriptoteket.tools.run"
SUGGEST = "skriptoteket.suggestions.create"
AUTHOR = "skriptoteket.versions.author"
SCHEDULE = "skriptoteket.schedules.manage"
AUTHOR_ANY = "skriptoteket.versions.author_any"
TRIAGE = "skriptoteket.suggestions.triage"
REVIEW = "skriptoteket.versions.review"
PUBLISH = "skriptoteket.versions.publish"
CURATE = "skriptoteket.tools.curate"
VIEW_ANY_RUN = "skriptoteket.runs.view_any"
NOMINATE = "skriptoteket.admins.nominate"
ROLLBACK = "skriptoteket.versions.rollback"
REASSIGN_OWNER = "skriptoteket.tools.reassign_owner"
APPROVE_ADMINS = "skriptoteket.admins.approve"
OPERATE = "skriptoteket.service.operate"

USER_RIGHTS = (BROWSE, RUN)
CONTRIBUTOR_RIGHTS = (*USER_RIGHTS, SUGGEST, AUTHOR, SCHEDULE)
ADMIN_RIGHTS = (*CONTRIBUTOR_RIGHTS, AUTHOR_ANY, TRIAGE, REVIEW, PUBLISH, CURATE, VIEW_ANY_RUN, NOMINATE)
SUPERUSER_RIGHTS = (*ADMIN_RIGHTS, ROLLBACK, REASSIGN_OWNER, APPROVE_ADMINS, OPERATE)

SYSTEM_SUBJECT = "urn:fsp:system:skriptoteket"


Strength = Literal["mail", "password", "multi", "phishing_resistant"]
"""How surely a sign-in proved who somebody is."""

STRENGTHS: tuple[Strength, ...] = ("mail", "password", "multi", "phishing_resistant")
"""Weakest first."""


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts: the subject, and those of the library's rights that it holds."""

    subject: str
    rights: frozenset[str] = frozenset()
    strength: Strength = STRENGTHS[-1]

    def holds(self, right: str) -> bool:
        """Whether the right is among the actor's."""
        return right in self.rights

    def proved(self, wanted: Strength) -> bool:
        """Whether the actor's sign-in was as sure as that."""
        return STRENGTHS.index(self.strength) >= STRENGTHS.index(wanted)

    def may_write(self, maintainers: Collection[str]) -> bool:
        """Whether the actor may change the tool that these people maintain, and read its source."""
        return self.holds(AUTHOR_ANY) or (self.holds(AUTHOR) and self.subject in maintainers)


SYSTEM = Actor(SYSTEM_SUBJECT, frozenset(SUPERUSER_RIGHTS))
"""The service itself, when it installs what ships with it."""
