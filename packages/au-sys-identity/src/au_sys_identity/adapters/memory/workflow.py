"""RequestStore in plain dicts."""

from uuid import UUID

from au_sys_identity.adapters.memory.tables import Tables
from au_sys_identity.core.workflow.models import AccessRequest
from au_sys_identity.core.workflow.ports import RequestFilter


class MemoryRequests:
    """See :class:`~au_sys_identity.core.workflow.ports.RequestStore`."""

    def __init__(self, tables: Tables) -> None:
        self._rows = tables.access_requests

    async def add(self, request: AccessRequest) -> None:
        self._rows[request.id] = request

    async def get(self, request_id: UUID) -> AccessRequest | None:
        return self._rows.get(request_id)

    async def page(self, wanted: RequestFilter) -> list[AccessRequest]:
        state = wanted.state.replace("expired", "provisioned") if wanted.state else None
        found = [
            row
            for row in sorted(self._rows.values(), key=lambda row: row.id, reverse=True)
            if (wanted.concerning is None or row.requester_id == wanted.concerning)
            and (state is None or row.state == state)
            and (wanted.domain is None or row.domain == wanted.domain)
            and (wanted.after is None or row.id < wanted.after)
        ]
        return found[: wanted.limit]

    async def settle(self, request: AccessRequest) -> bool:
        if self._rows[request.id].state != "submitted":
            return False
        self._rows[request.id] = request
        return True
