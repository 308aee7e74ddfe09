"""Find people by URN or e-mail address, and ask whether they may write tools."""

from fastapi_services_platform import Authorizer, Principal, SubjectDirectory
from skriptoteket.core.errors import FieldIssue, ValidationFailed
from skriptoteket.core.governance.stewardship.assignment import Candidate
from skriptoteket.core.roles import AUTHOR, RUN, SCHEDULE


class People:
    """The platform's directory, as the library needs it. Lives as long as the app; the directory may be absent."""

    def __init__(self, directory: SubjectDirectory | None, authorizer: Authorizer) -> None:
        self._directory = directory
        self._authorizer = authorizer

    async def candidate(self, text: str) -> Candidate:
        """The person behind a URN or address.

        Raises:
            ValidationFailed: nobody active is known so.
        """
        wanted = text.strip()
        if self._directory is None:
            return Candidate(wanted, wanted.startswith("urn:"))
        is_urn = wanted.startswith("urn:")
        card = await (self._directory.by_urn(wanted) if is_urn else self._directory.by_email(wanted))
        if card is None or not card.active:
            raise ValidationFailed([FieldIssue("subject", "unknown", "nobody active is known by this address")])
        principal = Principal(card.urn, card.kind, card.display_name, "password", locale=card.locale)
        return Candidate(card.urn, (await self._authorizer.authorize(principal, AUTHOR)).allowed)

    async def may_author(self, urn: str) -> bool:
        """Whether the person may still write tools; unknown people may not."""
        return await self._holds(urn, AUTHOR)

    async def may_schedule(self, subject: str) -> bool:
        """Whether the subject may still let tools run at set times; unknown ones may not."""
        return await self._holds(subject, SCHEDULE) and await self._holds(subject, RUN)

    async def _holds(self, urn: str, right: str) -> bool:
        principal = await self._principal(urn)
        return principal is not None and (await self._authorizer.authorize(principal, right)).allowed

    async def _principal(self, urn: str) -> Principal | None:
        """Somebody as the authorizer knows them, without a session of theirs."""
        if self._directory is None:
            return Principal(urn, "person", urn.rpartition(":")[2], "password") if urn.startswith("urn:") else None
        card = await self._directory.by_urn(urn)
        if card is None or not card.active:
            return None
        return Principal(card.urn, card.kind, card.display_name, "password", locale=card.locale)

    async def names(self, urns: frozenset[str]) -> dict[str, str]:
        """Display names by URN; who is not known keeps the URN."""
        if self._directory is None or not urns:
            return {urn: urn.rpartition(":")[2] for urn in urns}
        cards = await self._directory.many(sorted(urns))
        return {urn: cards[urn].display_name if urn in cards else urn.rpartition(":")[2] for urn in urns}
