"""What putting rows back does to who may do what: the same rules and memberships that the engine decides by."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from au_sys_identity.core.access import ceiling
from au_sys_identity.core.access.models import DEFAULT_DOMAIN, EVERYWHERE, canonical_subject, role_subject
from au_sys_identity.core.access.ports import PolicyEngine
from au_sys_identity.core.access.rules import Change, Membership, Question, Rule
from au_sys_identity.core.recovery.models import Effect, RowImage
from au_sys_identity.core.subjects.models import MACHINES, SubjectId, subject_urn

_ACTING = ("person", *MACHINES)
Row = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Consequences:
    """Rules and memberships that come and go, subjects that may act again or no more, and all whom it is about."""

    changes: Sequence[Change]
    started: frozenset[str]
    stopped: frozenset[str]
    concerned: frozenset[str]
    roles: frozenset[str]
    """Roles that would be there no more."""


def consequences_of(images: Sequence[RowImage], urns: Mapping[UUID, str]) -> Consequences:
    """Read rows before and after; ``urns`` names the ends of edges."""
    changes: list[Change] = []
    started, stopped, concerned, roles = set(), set(), set(), set()
    for image in images:
        before, after = _item(image.table, image.before, urns), _item(image.table, image.after, urns)
        changes += [Change(False, after)] if after is not None else []
        changes += [Change(True, before)] if before is not None else []
        whole = image.before or image.after or {}
        if image.table == "roles" and image.before is None:
            roles.add(str(whole["name"]))
        if image.table == "subjects" and whole["kind"] in _ACTING:
            urn = str(whole["urn"])
            concerned.add(urn)
            active = [row is not None and row["status"] == "active" for row in (image.before, image.after)]
            if active == [True, False] and (image.after or {}).get("status") != "closed":
                started.add(urn)
            elif active == [False, True]:
                stopped.add(urn)
        elif image.table == "persons":
            concerned.add(subject_urn("person", SubjectId(UUID(str(whole["subject_id"])))))
    return Consequences(changes, *(frozenset(one) for one in (started, stopped, concerned, roles)))


def ends_of(images: Sequence[RowImage]) -> set[UUID]:
    """Whom edges lead from and to."""
    rows = [row for image in images if image.table == "edges" for row in (image.before, image.after) if row]
    return {UUID(str(row[name])) for row in rows for name in ("source_id", "target_id")}


class Reckoning:
    """The engine before and after."""

    def __init__(self, before: PolicyEngine, after: PolicyEngine, found: Consequences) -> None:
        self.before = before
        self.after = after
        self._found = found

    @classmethod
    async def make(cls, engine: PolicyEngine, found: Consequences) -> "Reckoning":
        """Build the engine as it would be."""
        after = await asyncio.to_thread(engine.after, found.changes) if found.changes else engine
        return cls(engine, after, found)

    async def effect(self) -> Effect:
        """Who gains and who loses what."""
        told = await asyncio.to_thread(self.before.preview, self._found.changes)
        gains = [*told.gains, *_all_of(self.after, self._found.started)]
        losses = [*told.losses, *_all_of(self.before, self._found.stopped)]
        return Effect(_shown(gains), _shown(losses))

    def given(self) -> list[Rule]:
        """Every right that is given or taken, as rules that allow: what the ceiling is held against."""
        rules: list[Rule] = []
        for add, item in self._found.changes:
            if isinstance(item, Membership):
                rules += ceiling.rules_of_role(self.after if add else self.before, item.role, item.domain)
            else:
                rules.append(item._replace(effect="allow"))
        return [rule for rule in rules if rule.effect == "allow"]


def _item(table: str, row: Row | None, urns: Mapping[UUID, str]) -> Rule | Membership | None:
    if row is None:
        return None
    end = row.get("expires_at")
    until = datetime.fromisoformat(str(end).replace("Z", "+00:00")).timestamp() if end else None
    if table == "policies":
        subject = canonical_subject(str(row["subject"]))
        domain, resource, action = (str(row[name]) for name in ("domain", "resource", "action"))
        return Rule(subject, domain, resource, action, "deny" if row["effect"] == "deny" else "allow", until)
    if table == "role_assignments":
        return Membership(str(row["subject"]), role_subject(str(row["role"])), str(row["domain"]), until)
    if table == "edges" and row["relation"] == "member_of":
        source, target = (urns.get(UUID(str(row[name]))) for name in ("source_id", "target_id"))
        return Membership(source, target, EVERYWHERE, until) if source and target else None
    return None


def _all_of(engine: PolicyEngine, subjects: Iterable[str]) -> Iterable[Question]:
    """Every right of subjects: what they get or lose with being allowed to act at all."""
    places = sorted(engine.all_domains() | {DEFAULT_DOMAIN})
    for subject in sorted(subjects):
        for place in places:
            for given in engine.get_implicit_permissions_for_user(subject, place):
                rule = given.rule
                if rule.effect == "allow":
                    yield Question(subject, rule.domain, rule.resource, rule.action)


def _shown(questions: Iterable[Question]) -> tuple[Mapping[str, str], ...]:
    return tuple({**one._asdict(), "effect": "allow"} for one in dict.fromkeys(questions))
