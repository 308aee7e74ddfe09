"""Find what points nowhere, and repair what can be repaired without deciding for anybody.

A dry run gives the report of the real run: both come from the same plan.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from au_sys_identity.core.access.rules import Membership, Rule
from au_sys_identity.core.events import Fact
from au_sys_identity.core.freshness import ACCESS, SUBJECTS
from au_sys_identity.core.graph.index import GraphIndex
from au_sys_identity.core.graph.live import LiveGraph
from au_sys_identity.core.graph.models import RELATIONS
from au_sys_identity.core.graph.ports import Link
from au_sys_identity.core.ports import Clock, Transactions, UnitOfWork
from au_sys_identity.core.subjects.models import MACHINES, Named, SubjectId, parsed_urn

Direction = Literal["iam_to_rbac", "rbac_to_iam"]
_SHOWN = 500


@dataclass(slots=True)
class Findings:
    """What is wrong, by kind; what is repaired by taking it away is kept beside."""

    dead_edges: list[Link] = field(default_factory=list)
    alone: list[str] = field(default_factory=list)
    rules: list[Rule] = field(default_factory=list)
    memberships: list[Membership] = field(default_factory=list)
    nobody: list[str] = field(default_factory=list)
    drift: list[str] = field(default_factory=list)


class Integrity:
    """The run with ``source=integrity``."""

    def __init__(self, transactions: Transactions, graph: LiveGraph, clock: Clock) -> None:
        self._transactions = transactions
        self._graph = graph
        self._clock = clock

    async def run(self, direction: Direction, target: str, *, dry_run: bool, by: str) -> Mapping[str, object]:
        """Look at everything, or at what touches one URN. ``iam_to_rbac`` takes away edges, rules and assignments of
        subjects that nobody is; ``rbac_to_iam`` tells which subjects rules name, and changes nothing.
        """
        index = await self._graph.current()
        if dry_run or direction == "rbac_to_iam":
            async with self._transactions.reading() as unit:
                found = await self._found(unit, index, direction, target)
        else:
            async with self._transactions.writing() as unit:
                found = await self._found(unit, index, direction, target)
                await self._repaired(unit, found, by)
            if found.drift:
                await self._graph.reload()
        return _report(found, direction, target, dry_run=dry_run)

    async def _found(self, unit: UnitOfWork, index: GraphIndex, direction: Direction, target: str) -> Findings:
        found = Findings()
        links = [link async for portion in unit.edges.every() for link in portion]
        _revision, rules, memberships = await unit.grants.everything()
        known = await _known(unit, links, rules, memberships)
        if direction == "rbac_to_iam":
            urns = {rule.subject for rule in rules} | {held.subject for held in memberships}
            found.nobody = sorted(urn for urn in urns if _missing(urn, known) and target in ("*", urn))
            return found
        now = self._clock()
        for link in links:
            ends = known.get(link[0]), known.get(link[2])
            over = link[3] is not None and link[3] <= now
            dead = over or any(end is None or end.status == "closed" for end in ends)
            if dead and _touches(target, [end.urn for end in ends if end]):
                found.dead_edges.append(link)
        found.rules = [rule for rule in rules if _missing(rule.subject, known) and target in ("*", rule.subject)]
        found.memberships = [
            held
            for held in memberships
            if _missing(held.subject, known) and not held.role.startswith("urn:") and target in ("*", held.subject)
        ]
        found.alone = sorted(
            named.urn
            for one in index.subjects()
            if one.kind in MACHINES and one.status == "active" and not index.custody(one.id).custodians
            if (named := known.get(one.id)) and target in ("*", named.urn)
        )
        if target == "*":
            found.drift = _drift(index, links, known)
        return found

    async def _repaired(self, unit: UnitOfWork, found: Findings, by: str) -> None:
        for source, relation, target, _end in found.dead_edges:
            await unit.edges.unlink(source, relation, target)
        if found.rules:
            await unit.grants.change(remove=found.rules)
        for held in found.memberships:
            await unit.grants.withdraw(held.subject, held.role.removeprefix("role:"), held.domain)
        if found.dead_edges or found.rules or found.memberships:
            await unit.versions.raise_topic(SUBJECTS)
            await unit.versions.raise_topic(ACCESS)
            details: dict[str, str | int | bool | None] = {
                "edges": len(found.dead_edges),
                "rules": len(found.rules),
                "assignments": len(found.memberships),
            }
            unit.record(Fact("graph.repaired", by, "urn:au:integrity", details=details))


async def _known(
    unit: UnitOfWork, links: Sequence[Link], rules: Sequence[Rule], memberships: Sequence[Membership]
) -> Mapping[SubjectId, Named]:
    ids = {end for link in links for end in (link[0], link[2])}
    named = {rule.subject for rule in rules} | {held.subject for held in memberships}
    ids |= {parsed[1] for urn in named if (parsed := parsed_urn(urn))}
    async for portion in unit.names.every():
        ids |= {one.id for one in portion if one.kind in MACHINES}
    return await unit.names.many(ids)


def _missing(urn: str, known: Mapping[SubjectId, Named]) -> bool:
    """Whether a name in a rule is that of a subject that nobody is; roles and ``*`` are no subjects."""
    parsed = parsed_urn(urn)
    if parsed is None:
        return False
    named = known.get(parsed[1])
    return named is None or named.urn != urn or named.status == "closed"


def _touches(target: str, urns: Sequence[str]) -> bool:
    return target == "*" or target in urns


def _drift(index: GraphIndex, links: Sequence[Link], known: Mapping[SubjectId, Named]) -> list[str]:
    """Where the graph in memory is not what the tables say."""
    kept = {
        (source, relation, target)
        for source, relation, target, _end in links
        if all((end := known.get(one)) and end.status != "closed" for one in (source, target))
    }
    held = {(source, relation, target) for relation in RELATIONS for source, target in index.edges(relation)}
    expired = {(source, relation, target) for source, relation, target, end in links if end is not None}
    return sorted(f"{source} {relation} {target}" for source, relation, target in (kept ^ held) - expired)


def _report(found: Findings, direction: Direction, target: str, *, dry_run: bool) -> Mapping[str, object]:
    dead = [{"source": str(link[0]), "relation": link[1], "target": str(link[2])} for link in found.dead_edges]
    rules = [rule._asdict() for rule in found.rules]
    held = [one._asdict() for one in found.memberships]
    findings: dict[str, Sequence[object]] = {
        "dead_edges": dead,
        "machines_without_custodian": found.alone,
        "rules_of_unknown_subjects": rules,
        "assignments_of_unknown_subjects": held,
        "subjects_that_nobody_is": found.nobody,
        "memory_against_tables": found.drift,
    }
    return {
        "source": "integrity",
        "direction": direction,
        "target": target,
        "dry_run": dry_run,
        "counts": {kind: len(items) for kind, items in findings.items()},
        "findings": {kind: list(items)[:_SHOWN] for kind, items in findings.items()},
        "repairs": len(dead) + len(rules) + len(held),
    }
