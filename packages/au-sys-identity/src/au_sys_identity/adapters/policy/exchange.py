"""Rules as text, out of the platform and into it: the same for the API, the pages and the command line."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from au_sys_identity.adapters.policy import casbin_text
from au_sys_identity.adapters.policy.casbin_text import RefusedLine
from au_sys_identity.core.access.live import LivePolicy
from au_sys_identity.core.access.ruling import Outcome, Ruling
from fastapi_services_platform import blocking

Manner = Literal["merge", "replace"]


@dataclass(frozen=True, slots=True)
class TakenIn:
    """What a text came to; with a refused line nothing was changed."""

    outcome: Outcome
    refused: Sequence[RefusedLine]


async def given_out(policy: LivePolicy) -> tuple[int, str]:
    """Rules and assignments of this installation; what ends, and what was shipped, is left out."""
    engine = await policy.current()
    shipped, held = policy.shipped()
    rules, memberships = engine.save_policy()
    known = set(held)
    links = [one for one in memberships if one not in known and one.role.startswith("role:")]
    return engine.revision, await blocking(casbin_text.write, set(rules) - set(shipped), links)


async def taken_in(ruling: Ruling, text: str, manner: Manner, *, dry_run: bool, by: str) -> TakenIn:
    """Add what a text says to the rules, or put it in their place.

    Raises:
        ExceedsOwnRights, LastAdmin, RoleCycle, InvalidInput: as :meth:`Ruling.bulk`.
    """
    found = await blocking(casbin_text.read, text)
    decisive = dry_run or bool(found.refused)
    if manner == "replace":
        outcome = await ruling.replace_all(found.rules, found.memberships, dry_run=decisive, by=by)
    else:
        outcome = await ruling.bulk(found.rules, found.memberships, mode="add", dry_run=decisive, by=by)
    return TakenIn(outcome, found.refused)
