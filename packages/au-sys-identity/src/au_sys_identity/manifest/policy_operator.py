"""Rules for the command line."""

from typing import TypeVar, cast

from au_sys_identity.adapters.policy.exchange import Manner, given_out, taken_in
from au_sys_identity.core.access.asking import Asking
from au_sys_identity.core.access.decisions import Decisions
from au_sys_identity.core.access.models import Role, role_name, role_subject
from au_sys_identity.core.access.patterns import checked
from au_sys_identity.core.access.rules import Invariant
from au_sys_identity.core.access.ruling import Ruling
from au_sys_identity.core.subjects.models import SubjectKind
from au_sys_identity.manifest.container import Wiring
from au_sys_identity.manifest.permissions import BUNDLES, PERMISSIONS
from au_sys_identity.manifest.recovery_operator import OPERATOR, Services

Wanted = TypeVar("Wanted")


class PolicyOperator(Services):
    """Acts for whoever runs the machine. Of the shipped roles it knows those of identity."""

    async def import_policies(self, text: str, *, replace: bool, real: bool) -> dict[str, object]:
        """Read Casbin text; what it came to, or would."""
        async with self.opened() as wiring:
            manner: Manner = "replace" if replace else "merge"
            taken = await taken_in(_taken(wiring, Ruling), text, manner, dry_run=not real, by=OPERATOR)
        done = taken.outcome
        refused = [{"line": line.line, "reason": line.reason} for line in taken.refused]
        counts = {"added": done.added, "existing": done.existing, "removed": done.removed}
        return {**counts, "version": done.revision, "dry_run": done.dry_run, "refused": refused}

    async def export_policies(self) -> str:
        """Rules and assignments as Casbin text."""
        async with self.opened() as wiring:
            _, text = await given_out(_taken(wiring, Decisions).policy)
        return text

    async def prove_policies(
        self, *, kind: str | None, role: str | None, resource: str, action: str
    ) -> dict[str, object]:
        """Whether something can never happen, or a case in which it does."""
        never = Invariant("*", checked("resource", resource), checked("action", action))
        async with self.opened() as wiring:
            named = None if role is None else role_subject(role_name(role))
            revision, subjects, question, _ = await _taken(wiring, Asking).prove(
                never,
                kind=cast("SubjectKind | None", kind),
                role=named,  # cast: click admits these words only
            )
        case = None if question is None else question._asdict()
        return {"holds": question is None, "version": revision, "subjects": subjects, "counterexample": case}


def _taken(wiring: Wiring, interface: type[Wanted]) -> Wanted:
    """A service, with the roles of identity known."""
    wiring.catalogue.permissions = {known.name: known.summary for known in PERMISSIONS}
    wiring.catalogue.bundles = {
        bundle.name: Role(bundle.name, bundle.summary, frozenset(bundle.permissions), source="bundle")
        for bundle in BUNDLES
    }
    found = next(service for service in wiring.services if service.interface is interface)
    return cast("Wanted", found.factory(None))  # the factories of identity take no scope
