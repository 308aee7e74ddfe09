"""Bundles of other capabilities are roles here."""

from datetime import UTC, datetime

from au_sys_identity.adapters.memory.unit_of_work import MemoryTransactions
from au_sys_identity.core.access.decisions import Decisions
from au_sys_identity.core.access.granting import Granting
from au_sys_identity.core.access.models import Catalogue
from au_sys_identity.core.freshness import Freshness
from au_sys_identity.core.workflow.requests import Requests
from au_sys_identity.manifest.parts.policing import live_policy
from au_sys_identity.manifest.permissions import role_of
from fastapi_services_platform import Bundle


async def test_a_bundle_says_whether_people_may_ask_for_it() -> None:
    """What is marked as requestable is offered; nothing else is."""
    bundles = [
        Bundle("notes-editor", "Edits", ("notes.note.write",), requestable=True),
        Bundle("notes-root", "All", ()),
    ]
    transactions, catalogue = MemoryTransactions(), Catalogue()
    catalogue.bundles = {bundle.name: role_of(bundle) for bundle in bundles}
    decisions = Decisions(transactions, catalogue, live_policy(transactions, Freshness(transactions), catalogue))

    def clock() -> datetime:
        return datetime.now(UTC)

    requests = Requests(transactions, decisions, Granting(transactions, decisions, clock), clock)
    assert [role.name for role in await requests.offered()] == ["notes-editor"]
