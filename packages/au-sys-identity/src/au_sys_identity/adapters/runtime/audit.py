"""``audit-trail@1`` for the whole platform: events of other capabilities end in the same tree."""

from collections.abc import Sequence

from au_sys_identity.core.audit.models import Shown, Wanted
from au_sys_identity.core.audit.reading import Audit
from au_sys_identity.core.events import Fact
from au_sys_identity.core.ports import Transactions
from fastapi_services_platform import AuditEvent, ChainVerdict, KeptEvent


class TreeTrail:
    """Keeps events of every capability, and lets the hub read them back."""

    def __init__(self, transactions: Transactions, audit: Audit) -> None:
        self._transactions = transactions
        self._audit = audit

    async def record(self, event: AuditEvent) -> None:
        """Keep an event; it is durable when this returns."""
        states = {name: value for name, value in (("before", event.before), ("after", event.after)) if value}
        fact = Fact(
            event.action, event.actor, event.resource, event.outcome, event.reason, details={**event.details, **states}
        )
        async with self._transactions.writing() as unit:
            unit.record(fact)

    async def tail(
        self, *, before: int | None = None, limit: int = 50, actor: str = "", action: str = ""
    ) -> Sequence[KeptEvent]:
        """The newest entries first; entries are numbered from 1."""
        wanted = Wanted(actor=actor, action=action, before=None if before is None else before - 1, limit=limit)
        return [_kept(shown) for shown in await self._audit.find(wanted)]

    async def verify(self) -> ChainVerdict:
        """Recompute the tree."""
        report = (await self._audit.verify()).report
        if report.ok:
            return ChainVerdict(report.leaves)
        first = report.findings[0]
        return ChainVerdict(first.leaf_index, first.leaf_index + 1, f"{first.kind}: {first.detail}")


def _kept(shown: Shown) -> KeptEvent:
    members, details = shown.members, shown.members.get("details")
    told = {str(name): value for name, value in details.items()} if isinstance(details, dict) else {}
    reason = str(told.pop("reason", ""))
    return KeptEvent(
        sequence=shown.leaf_index + 1,
        at=shown.at,
        action=str(members["action"]),
        actor=str(members["actor"]),
        resource=str(members["target"]),
        outcome=str(members["outcome"]),
        correlation_id=str(members["correlation_id"]),
        reason=reason,
        details=told,
        digest=shown.leaf_hash.hex(),
    )
