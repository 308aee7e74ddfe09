"""Who may browse, author, review: rights by name, and the relations that count beside them."""

from collections.abc import Collection
from dataclasses import dataclass

BROWSE = "skriptoteket.browse"
RUN = "skriptoteket.run"
SUGGEST = "skriptoteket.suggest"
AUTHOR = "skriptoteket.author"
SCHEDULE = "skriptoteket.schedule"
AUTHOR_ANY = "skriptoteket.author_any"
TRIAGE = "skriptoteket.triage"
REVIEW = "skriptoteket.review"
PUBLISH = "skriptoteket.publish"
CURATE = "skriptoteket.curate"
VIEW_ANY_RUN = "skriptoteket.view_any_run"
NOMINATE = "skriptoteket.nominate"
ROLLBACK = "skriptoteket.rollback"
REASSIGN_OWNER = "skriptoteket.reassign_owner"
APPROVE_ADMINS = "skriptoteket.approve_admins"
OPERATE = "skriptoteket.operate"

USER_RIGHTS = (BROWSE, RUN)
CONTRIBUTOR_RIGHTS = (*USER_RIGHTS, SUGGEST, AUTHOR, SCHEDULE)
ADMIN_RIGHTS = (*CONTRIBUTOR_RIGHTS, AUTHOR_ANY, TRIAGE, REVIEW, PUBLISH, CURATE, VIEW_ANY_RUN, NOMINATE)
SUPERUSER_RIGHTS = (*ADMIN_RIGHTS, ROLLBACK, REASSIGN_OWNER, APPROVE_ADMINS, OPERATE)

SYSTEM_SUBJECT = "urn:fsp:system:skriptoteket"


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts: the subject, and those of the library's rights that it holds."""

    subject: str
    rights: frozenset[str] = frozenset()

    def holds(self, right: str) -> bool:
        """Whether the right is among the actor's."""
        return right in self.rights

    def may_write(self, maintainers: Collection[str]) -> bool:
        """Whether the actor may change the tool that these people maintain, and read its source."""
        return self.holds(AUTHOR_ANY) or (self.holds(AUTHOR) and self.subject in maintainers)


SYSTEM = Actor(SYSTEM_SUBJECT, frozenset(SUPERUSER_RIGHTS))
"""The service itself, when it installs what ships with it."""
