"""Questions about access: one, many, why, what if, never, and who or what could."""

import asyncio
import base64
import binascii
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from json.encoder import encode_basestring_ascii as _quoted

from au_sys_identity.core.access.decisions import Decisions
from au_sys_identity.core.access.models import (
    DEFAULT_DOMAIN,
    Catalogue,
    canonical_subject,
    permission_of,
    rule_parts,
)
from au_sys_identity.core.access.patterns import ANYTHING, actions_of, checked, is_literal, matches
from au_sys_identity.core.access.ports import PolicyEngine
from au_sys_identity.core.access.rules import Asked, Change, Difference, Invariant, Proof, Question
from au_sys_identity.core.errors import NotFound
from au_sys_identity.core.events import Fact
from au_sys_identity.core.ports import Transactions
from au_sys_identity.core.principal import Principal
from au_sys_identity.core.subjects.models import MACHINES, Named, SubjectKind, person_id, subject_id, subject_urn

_PARTS = 3
_URL_SAFE = bytes.maketrans(b"+/", b"-_")
_MACHINES = ("urn:au:app:", "urn:au:agent:")


@dataclass(frozen=True, slots=True)
class Answer:
    """A decision, the revision it was made at, and why."""

    question: Question
    allowed: bool
    revision: int
    code: str
    text: str
    proof: Proof | None = None

    @property
    def decision_id(self) -> str:
        """Leads back to the question, for those who may ask why."""
        parts = ", ".join([_quoted(part) for part in self.question])
        coded = binascii.b2a_base64(f"[{parts}, {self.revision}]".encode(), newline=False)
        return coded.translate(_URL_SAFE, b"=").decode()


def question_of(decision_id: str) -> Question:
    """The question that a decision answered.

    Raises:
        NotFound: it is no id of a decision.
    """
    try:
        padded = decision_id + "=" * (-len(decision_id) % 4)
        *parts, _ = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
    except (ValueError, binascii.Error, TypeError):
        raise NotFound("decision") from None
    if len(parts) != len(Question._fields) or not all(isinstance(part, str) for part in parts):
        raise NotFound("decision")
    return Question(*parts)


class Asking:
    """Answers with their reason. What is unknown is denied."""

    def __init__(self, transactions: Transactions, decisions: Decisions, catalogue: Catalogue) -> None:
        self._transactions = transactions
        self._decisions = decisions
        self._catalogue = catalogue

    async def check(
        self, caller: Principal, question: Question, *, at_least: int | None = None, explain: bool = False
    ) -> Answer:
        """Answer one question; one about others is told to the audit trail.

        Raises:
            PolicyBehind: the rules of that revision are not here.
        """
        engine = await self._decisions.policy.at_least(at_least)
        asked = question
        if asked.subject != caller.urn:
            asked = question._replace(subject=canonical_subject(question.subject))
            async with self._transactions.writing() as unit:
                unit.record(_asked(caller, asked, 1))
            known = await self._active([asked.subject])
            if asked.subject not in known:
                return Answer(asked, False, engine.revision, "unknown-subject", "No active subject has that name.")
        if not engine.enforce(*asked):
            proof = engine.enforce_ex(*asked) if explain else None
            return Answer(asked, False, engine.revision, *_said(False, proof), proof)
        if asked.subject.startswith(_MACHINES):
            narrowed = await self._narrowed(asked)
            if narrowed is not None:
                return Answer(asked, False, engine.revision, "narrowed", narrowed)
        proof = engine.enforce_ex(*asked) if explain else None
        return Answer(asked, True, engine.revision, *_said(True, proof), proof)

    async def batch(
        self, caller: Principal, questions: Sequence[Asked], *, at_least: int | None = None
    ) -> tuple[int, list[bool]]:
        """Answers to many questions at one revision.

        Raises:
            PolicyBehind: the rules of that revision are not here.
        """
        engine = await self._decisions.policy.at_least(at_least)
        spelled = {subject: canonical_subject(subject) for subject in {one[0] for one in questions}}
        asked = questions
        if any(subject != name for subject, name in spelled.items()):
            asked = [(spelled[one[0]], one[1], one[2], one[3]) for one in questions]
        subjects = set(spelled.values())
        if subjects - {caller.urn}:
            async with self._transactions.writing() as unit:
                unit.record(_asked(caller, Question(*asked[0]), len(asked)))
        known = await self._active(sorted(subjects - {caller.urn})) | {caller.urn}
        answers = engine.batch_enforce(asked)
        unsure = subjects - known | {urn for urn in subjects if urn.startswith(_MACHINES)}
        for number, one in enumerate(asked if unsure else ()):
            if answers[number] and one[0] in unsure:
                answers[number] = one[0] in known and await self._narrowed(Question(*one)) is None
        return engine.revision, answers

    async def preview(self, changes: Sequence[Change]) -> tuple[int, Difference]:
        """Who would gain and who would lose what."""
        engine = await self._decisions.policy.current()
        return engine.revision, await asyncio.to_thread(engine.preview, changes)

    async def prove(
        self, invariant: Invariant, *, kind: SubjectKind | None, role: str | None
    ) -> tuple[int, int, Question | None, Proof | None]:
        """Whether something can never happen: revision, subjects looked at, and the case that breaks it."""
        engine = await self._decisions.policy.current()
        if role is not None:
            subjects = sorted(engine.members_of(role, invariant.domain) | {role})
            if invariant.domain == ANYTHING:
                subjects = sorted({role}.union(*(engine.members_of(role, place) for place in engine.all_domains())))
        else:
            subjects = await self._of_kind(kind or "person")
        found = await asyncio.to_thread(engine.prove, invariant, subjects)
        return engine.revision, len(subjects), *(found or (None, None))

    async def who(self, domain: str, resource: str, action: str, kind: SubjectKind) -> list[Named]:
        """Active subjects of a kind who may do this, in the order of their names."""
        engine = await self._decisions.policy.current()
        urns = await self._of_kind(kind)
        answers = engine.batch_enforce([Question(urn, domain, resource, action) for urn in urns])
        may = [subject_id(urn) for urn, allowed in zip(urns, answers, strict=True) if allowed]
        async with self._transactions.reading() as unit:
            found = await unit.names.many([one for one in may if one is not None])
        return sorted(found.values(), key=lambda named: named.urn)

    async def what(self, subject: str, domain: str, kind: str, action: str) -> list[tuple[str, bool]]:
        """Resources of a type that rules name and a subject may act on, and patterns under which it may (``True``)."""
        engine = await self._decisions.policy.current()
        if subject not in await self._active([subject]):
            return []
        found: dict[str, bool] = {}
        for given in engine.get_implicit_permissions_for_user(subject, domain):
            rule = given.rule
            if rule.effect == "deny" or not (rule.action == ANYTHING or action in actions_of(rule.action)):
                continue
            if is_literal(rule.resource):
                if rule.resource.startswith(f"/{kind}/") and engine.enforce(subject, domain, rule.resource, action):
                    found[rule.resource] = False
            elif rule.resource == ANYTHING or matches(rule.resource.split("/")[1] or "-", kind):
                found[rule.resource] = True
        return sorted(found.items())

    async def how(self, subject: str, domain: str, resource: str) -> list[str]:
        """Actions that rules and the catalogue name and that a subject may do to a resource."""
        engine = await self._decisions.policy.current()
        if subject not in await self._active([subject]):
            return []
        named = {rule_parts(name)[1] for name in self._catalogue.permissions}
        for given in engine.get_implicit_permissions_for_user(subject, domain):
            named.update(actions_of(given.rule.action))
        wanted = sorted(named - {ANYTHING})
        answers = engine.batch_enforce([Question(subject, domain, resource, action) for action in wanted])
        return [action for action, allowed in zip(wanted, answers, strict=True) if allowed]

    async def urn_of(self, text: str, kind: SubjectKind | None = None) -> str:
        """A subject's URN from a URN, or from the UUID of any kind; the same text when it is neither."""
        wanted = person_id(text) if ":" not in text else None
        if wanted is None:
            return canonical_subject(text)
        async with self._transactions.reading() as unit:
            found = await unit.names.get(wanted)
        return found.urn if found is not None else subject_urn(kind or "person", wanted)

    async def names(self, subjects: Iterable[str]) -> dict[str, str]:
        """What people call the subjects that have a name, by URN."""
        wanted = {found for subject in subjects if (found := subject_id(subject)) is not None}
        async with self._transactions.reading() as unit:
            known = await unit.names.many(sorted(wanted))
        return {named.urn: named.name for named in known.values()}

    async def holds(self, caller: Principal, permission: str, domain: str) -> bool:
        """Whether a caller may ask about others, in a domain."""
        return await self._decisions.holds(caller, permission, domain=domain)

    async def engine(self) -> PolicyEngine:
        """The engine, for what lists read."""
        return await self._decisions.policy.current()

    async def _of_kind(self, kind: SubjectKind) -> list[str]:
        urns: list[str] = []
        async with self._transactions.reading() as unit:
            async for portion in unit.names.every():
                urns += [
                    subject_urn(one.kind, one.id) for one in portion if one.kind == kind and one.status == "active"
                ]
        return sorted(urns)

    async def _active(self, subjects: Sequence[str]) -> set[str]:
        """Those of the subjects that exist and may act; a role may be asked about too."""
        roles = {subject for subject in subjects if subject.startswith("role:")}
        wanted = {found: subject for subject in subjects if (found := subject_id(subject)) is not None}
        if not wanted:
            return roles
        async with self._transactions.reading() as unit:
            known = await unit.names.many(list(wanted))
        return roles | {found.urn for found in known.values() if found.active and found.urn in subjects}

    async def _narrowed(self, asked: Question) -> str | None:
        """Why a machine's own right does not count; ``None`` when it does."""
        narrowing = self._decisions.narrowing
        machine = subject_id(asked.subject, *MACHINES) if asked.subject.startswith(_MACHINES) else None
        if narrowing is None or machine is None:
            return None
        head, _, object_id = asked.resource.rpartition("/")
        permission = permission_of(f"{head}/*", asked.action)
        if permission is None or permission.count(".") < _PARTS - 1:
            return None
        found = await narrowing.narrowed(machine, None, permission, domain=asked.domain, object_id=object_id)
        return None if found.allowed else found.reason


def checked_question(question: Question, own: str = "") -> Question:
    """The same question, when its parts can be asked about. ``own`` is the caller's name, which is known to be one.

    Raises:
        BadPattern: a part holds what no name may.
    """
    if question.subject != own:
        checked("subject", question.subject)
    if question.domain != DEFAULT_DOMAIN:
        checked("domain", question.domain)
    checked("action", question.action)
    return question


def _said(allowed: bool, proof: Proof | None) -> tuple[str, str]:
    if allowed:
        return "allowed", "A rule gives this."
    if proof is not None and proof.rule is not None:
        return "denied-by-rule", "A rule denies this."
    return "no-rule", "No rule gives this."


def _asked(caller: Principal, question: Question, count: int) -> Fact:
    details: dict[str, str | int | bool | None] = {"resource": question.resource, "action": question.action}
    return Fact("access.asked", caller.urn, question.subject, details={**details, "questions": count})
