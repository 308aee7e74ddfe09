"""Bring directory people in, and out: at their sign-in one by one, and all at once in a run.

A run plans first and applies then; a dry run stops after the plan, so that both give the same report. Applying is
repeatable: a run that died is made good by the next one. Rights come from the map of groups to roles and from nothing
else.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from au_sys_identity.core.access.granting import refuse_last_admin
from au_sys_identity.core.access.models import DEFAULT_DOMAIN, EVERYWHERE, PLATFORM_ADMIN, Assignment
from au_sys_identity.core.directories.linking import LinkRules, new_person, taken_over, usable_address, usable_locale
from au_sys_identity.core.directories.models import Action, Directory, Entry, KnownEntry, Step
from au_sys_identity.core.errors import BadCredentials, Conflict, InvalidInput, LastAdmin
from au_sys_identity.core.events import Fact
from au_sys_identity.core.freshness import SUBJECTS
from au_sys_identity.core.ids import uuid7
from au_sys_identity.core.ports import Clock, UnitOfWork
from au_sys_identity.core.subjects.models import Person, SubjectId
from au_sys_identity.core.subjects.names import display_name

LEFT = "not in the directory any more"
"""The reason of an account that a run switched off; the next run switches it on again when the person is back."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run does. ``known`` is how many active people of the directory there were before."""

    steps: tuple[Step, ...]
    seen: int
    known: int

    @property
    def disabled(self) -> int:
        """How many people would be switched off."""
        return sum(1 for step in self.steps if step.action == "disable")

    def exceeds(self, limit: int) -> bool:
        """Whether more are switched off than the limit allows, in percent of those known."""
        return self.disabled * 100 > self.known * limit

    def report(self, limit: int) -> dict[str, object]:
        """As JSON; the list of steps is cut, the counts are not."""
        counts: dict[str, int] = {}
        for step in self.steps:
            counts[step.action] = counts.get(step.action, 0) + 1
        shown = [step.shown() for step in self.steps[:_SHOWN]]
        return {
            "seen": self.seen,
            "known": self.known,
            "counts": counts,
            "steps": shown,
            "cut": len(self.steps) > _SHOWN,
            "exceeds_threshold": self.exceeds(limit),
        }


_SHOWN = 500


class Provisioning:
    """Accounts of directory people."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    async def plan(self, unit: UnitOfWork, directory: Directory, entries: Sequence[Entry]) -> Plan:
        """What bringing these entries in, and everybody else out, takes."""
        known = {entry.external_id: entry for entry in await unit.directory_entries.of_directory(directory.name)}
        people = {person.id: person for person in await unit.subjects.many([one.subject_id for one in known.values()])}
        steps: list[Step] = []
        taken: set[str] = set()
        for entry in sorted(entries, key=lambda entry: entry.external_id):
            step = await self._step(unit, directory, entry, known.get(entry.external_id), people)
            address = usable_address(entry.email)
            if step and address and address.canonical in taken:
                step = Step("conflict", entry.external_id, entry.email, "two entries have this address")
            if address:
                taken.add(address.canonical)
            if step:
                steps.append(step)
        present = {entry.external_id for entry in entries}
        active = 0
        for external_id, entry_before in known.items():
            person = people.get(entry_before.subject_id)
            if person is None or not person.active:
                continue
            active += 1
            if external_id not in present:
                last = await _last_admin(unit, person, self._clock())
                action: Action = "keep-last-admin" if last else "disable"
                steps.append(Step(action, external_id, person.email, LEFT, None, person.id))
        return Plan(tuple(steps), len(entries), active)

    async def apply(self, unit: UnitOfWork, directory: Directory, step: Step, *, by: str) -> None:
        """Do one step; done before, it changes nothing."""
        if step.action in ("create", "adopt", "change", "enable") and step.entry is not None:
            await self.bring_in(unit, directory, step.entry, by=by)
        elif step.action == "disable" and step.subject_id is not None:
            await self._switch_off(unit, step.subject_id, by=by)

    async def bring_in(self, unit: UnitOfWork, directory: Directory, entry: Entry, *, by: str) -> SubjectId:
        """The account of an entry, as the entry says: made, changed or switched on again.

        Raises:
            BadCredentials: there is none, and none is made or taken over.
        """
        now = self._clock()
        known = await unit.directory_entries.find(directory.name, entry.external_id)
        person = await unit.subjects.get(known.subject_id) if known else None
        if person is None or person.status == "closed":
            person = await self._found(unit, directory, entry, by=by, now=now)
        else:
            person = await self._changed(unit, person, entry, by=by, now=now)
        await self._roles(unit, directory, person, entry.roles, by=by, now=now)
        kept = KnownEntry(directory.name, entry.external_id, person.id, entry.dn, entry.fingerprint, now)
        await unit.directory_entries.keep(kept)
        return person.id

    async def _step(
        self,
        unit: UnitOfWork,
        directory: Directory,
        entry: Entry,
        known: KnownEntry | None,
        people: Mapping[SubjectId, Person],
    ) -> Step | None:
        person = people.get(known.subject_id) if known else None
        if person is None or person.status == "closed":
            return await _newcomer(unit, directory, entry)
        if person.status == "disabled" and person.status_reason == LEFT:
            return Step("enable", entry.external_id, entry.email, "", entry, person.id)
        if known is not None and known.fingerprint == entry.fingerprint:
            return None
        address = usable_address(entry.email)
        if address is None:
            return Step("conflict", entry.external_id, entry.email, "has no usable address")
        other = await unit.subjects.by_email(address.canonical)
        if other is not None and other.id != person.id:
            return Step("conflict", entry.external_id, entry.email, "the address belongs to another account")
        return Step("change", entry.external_id, entry.email, _difference(person, entry), entry, person.id)

    async def _found(self, unit: UnitOfWork, directory: Directory, entry: Entry, *, by: str, now: datetime) -> Person:
        address = usable_address(entry.email)
        if address is None:
            raise BadCredentials
        person = await unit.subjects.by_email(address.canonical)
        if person is not None:
            if not LinkRules(directory.domains).speaks_for(address):
                raise BadCredentials
            person = await taken_over(unit, person, now=now)
            moved = replace(person, auth_source=directory.source, version=person.version + 1, updated_at=now)
            await unit.subjects.save(moved, expected_version=person.version)
            await unit.credentials.remove_password(person.id)
            unit.record(Fact("subject.changed", by, person.urn, reason="taken over", details=_details(directory)))
            await unit.versions.raise_topic(SUBJECTS)
            return moved
        if not directory.provision:
            raise BadCredentials
        person = new_person(address, entry.display_name, entry.locale, source=directory.source, now=now)
        await unit.subjects.add(person)
        unit.record(Fact("subject.created", by, person.urn, details=_details(directory)))
        return person

    async def _changed(self, unit: UnitOfWork, person: Person, entry: Entry, *, by: str, now: datetime) -> Person:
        changed = replace(person, display_name=_name(entry, person), locale=usable_locale(entry.locale))
        address = usable_address(entry.email)
        if address is not None and address.canonical != person.email_canonical:
            changed = replace(changed, email=address.shown, email_canonical=address.canonical, email_verified_at=now)
        if person.status == "disabled" and person.status_reason == LEFT:
            changed = replace(changed, status="active", status_reason=None)
        if changed == person:
            return person
        saved = replace(changed, version=person.version + 1, updated_at=now)
        try:
            await unit.subjects.save(saved, expected_version=person.version)
        except Conflict:
            return person
        await unit.versions.raise_topic(SUBJECTS)
        action = "subject.changed" if saved.status == person.status else "subject.enabled"
        unit.record(Fact(action, by, person.urn, reason="directory"))
        return saved

    async def _switch_off(self, unit: UnitOfWork, subject_id: SubjectId, *, by: str) -> None:
        now = self._clock()
        person = await unit.subjects.get(subject_id)
        if person is None or not person.active or await _last_admin(unit, person, now):
            return
        off = replace(person.distrusted(now, status="disabled"), status_reason=LEFT)
        await unit.subjects.save(off, expected_version=person.version)
        await unit.sessions.end_all(person.id, at=now, reason=LEFT)
        await unit.versions.raise_topic(SUBJECTS)
        unit.record(Fact("subject.disabled", by, person.urn, reason=LEFT))

    async def _roles(
        self, unit: UnitOfWork, directory: Directory, person: Person, wanted: frozenset[str], *, by: str, now: datetime
    ) -> None:
        held = await unit.grants.of_subject(person.urn)
        given = {assignment.role: assignment for assignment in held if assignment.source == directory.source}
        for role in sorted(wanted - given.keys()):
            domain = EVERYWHERE if role == PLATFORM_ADMIN else DEFAULT_DOMAIN
            made = Assignment(uuid7(), person.urn, role, domain, now, by, None, directory.source)
            if await unit.grants.assign(made):
                unit.record(Fact("role.granted", by, person.urn, details={"role": role, **_details(directory)}))
        for role in sorted(given.keys() - wanted):
            if role == PLATFORM_ADMIN and await _last_admin(unit, person, now):
                continue
            await unit.grants.withdraw(person.urn, role, given[role].domain)
            unit.record(Fact("role.withdrawn", by, person.urn, details={"role": role, **_details(directory)}))


async def _newcomer(unit: UnitOfWork, directory: Directory, entry: Entry) -> Step | None:
    def step(action: Action, details: str = "") -> Step:
        return Step(action, entry.external_id, entry.email, details, entry)

    address = usable_address(entry.email)
    if address is None:
        return step("conflict", "has no usable address")
    person = await unit.subjects.by_email(address.canonical)
    if person is None:
        return step("create", ", ".join(sorted(entry.roles))) if directory.provision else None
    if not LinkRules(directory.domains).speaks_for(address):
        return step("conflict", "an account with this address exists; the directory is not authoritative for it")
    if person.status == "disabled":
        return step("conflict", "the account with this address is switched off")
    return step("adopt", ", ".join(sorted(entry.roles)))


async def _last_admin(unit: UnitOfWork, person: Person, now: datetime) -> bool:
    try:
        await refuse_last_admin(unit, without=person.urn, now=now)
    except LastAdmin:
        return True
    return False


def _name(entry: Entry, person: Person) -> str:
    try:
        return display_name(entry.display_name[:120])
    except InvalidInput:
        return person.display_name


def _difference(person: Person, entry: Entry) -> str:
    pairs = {
        "name": (person.display_name, entry.display_name),
        "email": (person.email, entry.email),
        "locale": (person.locale, entry.locale),
    }
    changed = [name for name, (before, after) in pairs.items() if before != after]
    return ", ".join(changed) or "place or roles"


def _details(directory: Directory) -> dict[str, str | int | bool | None]:
    return {"source": directory.source}
