"""RequestStore on SQL."""

import json
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Row, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from au_sys_identity.adapters.db.tables import access_requests, subjects
from au_sys_identity.core.workflow.models import AccessRequest
from au_sys_identity.core.workflow.ports import RequestFilter

_SELECTED = select(access_requests, subjects.c.urn).join(subjects, subjects.c.id == access_requests.c.requester_id)


class SqlRequests:
    """The table ``access_requests``."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def add(self, request: AccessRequest) -> None:
        """See :class:`~au_sys_identity.core.workflow.ports.RequestStore`."""
        await self._session.execute(
            insert(access_requests).values(
                id=request.id,
                requester_id=request.requester_id,
                subject=request.subject,
                wanted=json.dumps({"role": request.role}),
                domain=request.domain,
                reason=request.reason,
                created_at=request.created_at,
                **_settled(request),
            )
        )

    async def get(self, request_id: UUID) -> AccessRequest | None:
        """See :class:`~au_sys_identity.core.workflow.ports.RequestStore`."""
        row = (await self._session.execute(_SELECTED.where(access_requests.c.id == request_id))).first()
        return _request(row) if row else None

    async def page(self, wanted: RequestFilter) -> list[AccessRequest]:
        """See :class:`~au_sys_identity.core.workflow.ports.RequestStore`."""
        query = _SELECTED
        if wanted.concerning is not None:
            query = query.where(access_requests.c.requester_id == wanted.concerning)
        if wanted.state is not None:
            query = query.where(access_requests.c.state == wanted.state.replace("expired", "provisioned"))
        if wanted.domain is not None:
            query = query.where(access_requests.c.domain == wanted.domain)
        if wanted.after is not None:
            query = query.where(access_requests.c.id < wanted.after)
        rows = await self._session.execute(query.order_by(access_requests.c.id.desc()).limit(wanted.limit))
        return [_request(row) for row in rows]

    async def settle(self, request: AccessRequest) -> bool:
        """See :class:`~au_sys_identity.core.workflow.ports.RequestStore`."""
        settled = await self._session.execute(
            update(access_requests)
            .where(access_requests.c.id == request.id, access_requests.c.state == "submitted")
            .values(**_settled(request))
            .returning(access_requests.c.id)
        )
        return settled.first() is not None


def _settled(request: AccessRequest) -> dict[str, object]:
    return {
        "state": request.state,
        "duration": int(request.duration.total_seconds()) if request.duration else None,
        "decided_by": request.decided_by,
        "decided_at": request.decided_at,
        "note": request.note,
        "grant_until": request.grant_until,
    }


def _request(row: Row[Any]) -> AccessRequest:  # Any: rows of a Core select are untyped
    return AccessRequest(
        id=row.id,
        requester_id=row.requester_id,
        requester=row.urn,
        subject=row.subject,
        role=json.loads(row.wanted)["role"],
        domain=row.domain,
        reason=row.reason,
        duration=timedelta(seconds=row.duration) if row.duration else None,
        created_at=row.created_at,
        state=row.state,
        decided_by=row.decided_by,
        decided_at=row.decided_at,
        note=row.note,
        grant_until=row.grant_until,
    )
