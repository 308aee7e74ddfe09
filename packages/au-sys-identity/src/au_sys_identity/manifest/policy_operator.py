"""Rules for the command line."""

from typing import TypeVar, cast

from au_sys_identity.adapters.policy import casbin_text
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
        found = casbin_text.read(text)
        rehearsing = not real or bool(found.refused)
        async with self.opened() as wiring:
            ruling = _taken(wiring, Ruling)
            if replace:
                done = await ruling.replace_all(found.rules, found.memberships, dry_run=rehearsing, by=OPERATOR)
            else:
                rules, links = found.rules, found.memberships
                done = await ruling.bulk(rules, links, mode="add", dry_run=rehearsing, by=OPERATOR)
        refused = [{"line": line.line, "reason": line.reason} for line in found.refused]
        counts = {"added": done.added, "existing": done.existing, "removed": done.removed}
        return {**counts, "version": done.revision, "dry_run": done.dry_run, "refused": refused}

    async def export_policies(self) -> str:
        """Rules and assignments as Casbin text."""
        async with self.opened() as wiring:
            policy = _taken(wiring, Decisions).policy
            rules, memberships = (await policy.current()).save_policy()
            shipped, held = policy.shipped()
        kept = [one for one in memberships if one not in set(held) and one.role.startswith("role:")]
        return casbin_text.write(set(rules) - set(shipped), kept)

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
