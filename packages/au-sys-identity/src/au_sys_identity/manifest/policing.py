"""Wires what decides: the engine, and the questions and changes around it."""

from typing import Any

from au_sys_identity.adapters.policy.compiled_engine import CompiledEngine
from au_sys_identity.core.access.asking import Asking
from au_sys_identity.core.access.decisions import Decisions
from au_sys_identity.core.access.live import LivePolicy, kind_of
from au_sys_identity.core.access.models import Catalogue
from au_sys_identity.core.access.ruling import Ruling
from au_sys_identity.core.freshness import Freshness
from au_sys_identity.core.ports import Clock, Transactions


def live_policy(transactions: Transactions, freshness: Freshness, catalogue: Catalogue) -> LivePolicy:
    """The rules of this process, still empty."""
    return LivePolicy(transactions, freshness, catalogue, CompiledEngine(kind_of=kind_of))


def policing(
    transactions: Transactions, decisions: Decisions, catalogue: Catalogue, clock: Clock
) -> dict[type[Any], object]:  # Any: interfaces of unrelated types
    """Questions about access, and changes of rules."""
    return {
        Asking: Asking(transactions, decisions, catalogue),
        Ruling: Ruling(transactions, decisions, clock),
    }
