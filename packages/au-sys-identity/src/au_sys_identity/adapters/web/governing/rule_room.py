"""What the pages of roles and rules share: the services, effects with names, permissions in groups."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from au_sys_identity.core.access.asking import Asking
from au_sys_identity.core.access.decisions import Decisions
from au_sys_identity.core.access.models import Catalogue, permission_of
from au_sys_identity.core.access.roles import Roles
from au_sys_identity.core.access.rules import Change, Question
from au_sys_identity.core.access.ruling import Ruling
from au_sys_identity.core.accounts.step_up import StepUp

_SHOWN = 200


@dataclass(frozen=True, slots=True)
class Touched:
    """One right that somebody gains or loses."""

    subject: str
    name: str
    domain: str
    what: str


@dataclass(frozen=True, slots=True)
class ShownEffect:
    """Who would gain and who would lose what; ``complete`` unless there is more than is shown."""

    gains: Sequence[Touched]
    losses: Sequence[Touched]
    complete: bool


@dataclass(frozen=True, slots=True)
class RuleRoom:
    """One service, so that the endpoints stay readable."""

    asking: Asking
    ruling: Ruling
    roles: Roles
    decisions: Decisions
    catalogue: Catalogue
    steps: StepUp

    async def effect(self, changes: Sequence[Change]) -> ShownEffect:
        """What a change would do, with the names of those whom it touches."""
        _, found = await self.asking.preview(changes)
        gains, losses = found.gains[:_SHOWN], found.losses[:_SHOWN]
        names = await self.asking.names({one.subject for one in (*gains, *losses)})
        return ShownEffect(
            [_touched(one, names) for one in gains],
            [_touched(one, names) for one in losses],
            found.complete and len(found.gains) <= _SHOWN and len(found.losses) <= _SHOWN,
        )

    def grouped(self) -> Mapping[str, Sequence[tuple[str, str]]]:
        """The catalogue by capability and noun: the names of permissions with what each allows."""
        groups: dict[str, list[tuple[str, str]]] = {}
        for name, summary in sorted(self.catalogue.permissions.items()):
            groups.setdefault(" ".join(name.split(".")[:2]), []).append((name, summary))
        return groups


def _touched(one: Question, names: Mapping[str, str]) -> Touched:
    said = permission_of(one.resource, one.action) or f"{one.action} on {one.resource}"
    return Touched(one.subject, names.get(one.subject, one.subject), one.domain, said)
