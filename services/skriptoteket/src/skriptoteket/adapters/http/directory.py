"""Find people by URN or e-mail address, and ask whether they may write tools."""

from fastapi_services_platform import Authorizer, Principal, SubjectDirectory
from skriptoteket.core.errors import FieldIssue, ValidationFailed
from skriptoteket.core.governance.stewardship.assignment import Candidate
from skriptoteket.core.roles import AUTHOR


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
        try:
            return (await self.candidate(urn)).may_author
        except ValidationFailed:
            return False

    async def names(self, urns: frozenset[str]) -> dict[str, str]:
        """Display names by URN; who is not known keeps the URN."""
        if self._directory is None or not urns:
            return {urn: urn.rpartition(":")[2] for urn in urns}
        cards = await self._directory.many(sorted(urns))
        return {urn: cards[urn].display_name if urn in cards else urn.rpartition(":")[2] for urn in urns}
