"""Wires what decides: the engine, and the questions and changes around it."""

from collections.abc import Mapping
from typing import Any

from au_sys_identity.adapters.api.rights.authzen import DecisionPoint
from au_sys_identity.adapters.policy.compiled_engine import CompiledEngine
from au_sys_identity.adapters.web.governing.rule_room import RuleRoom
from au_sys_identity.core.access.asking import Asking
from au_sys_identity.core.access.decisions import Decisions
from au_sys_identity.core.access.granting import Granting
from au_sys_identity.core.access.live import LivePolicy, kind_of
from au_sys_identity.core.access.models import Catalogue
from au_sys_identity.core.access.roles import Roles
from au_sys_identity.core.access.ruling import Ruling
from au_sys_identity.core.accounts.step_up import StepUp
from au_sys_identity.core.freshness import Freshness
from au_sys_identity.core.ports import Clock, Transactions
from au_sys_identity.core.recovery.backups import Backups


def live_policy(transactions: Transactions, freshness: Freshness, catalogue: Catalogue) -> LivePolicy:
    """The rules of this process, still empty."""
    return LivePolicy(transactions, freshness, catalogue, CompiledEngine(kind_of=kind_of))


def policing(
    transactions: Transactions,
    decisions: Decisions,
    granting: Granting,
    steps: StepUp,
    catalogue: Catalogue,
    clock: Clock,
    *,
    public_url: str,
) -> dict[type[Any], object]:  # Any: interfaces of unrelated types
    """Questions about access, and changes of rules."""
    asking = Asking(transactions, decisions, catalogue)
    ruling = Ruling(transactions, decisions, clock)
    roles = Roles(transactions, decisions, granting, catalogue, clock)
    return {
        Asking: asking,
        DecisionPoint: DecisionPoint(public_url.rstrip("/")),
        Ruling: ruling,
        Roles: roles,
        RuleRoom: RuleRoom(asking, ruling, roles, decisions, catalogue, steps),
    }


def back_up_before_reset(built: Mapping[type[Any], object], backups: Backups) -> None:  # Any: interfaces of all kinds
    """Have rules archived before they are reset."""
    ruling = built[Ruling]
    if isinstance(ruling, Ruling):
        ruling.backup = _Archiving(backups)


class _Archiving:
    """A backup for a reason."""

    def __init__(self, backups: Backups) -> None:
        self._backups = backups

    async def __call__(self, by: str, reason: str) -> str:
        return str((await self._backups.back_up(by=by, label=reason)).id)
