"""Casbin policy text: ``p, sub, dom, obj, act, eft`` and ``g, sub, role, dom``, with Casbin's quoting of CSV."""

import csv
import io
from collections.abc import Iterable
from dataclasses import dataclass, field

from au_sys_identity.core.access.patterns import checked
from au_sys_identity.core.access.rules import Membership, Rule
from au_sys_identity.core.errors import BadPattern

_RULE, _MEMBERSHIP = 5, 3


@dataclass(frozen=True, slots=True)
class RefusedLine:
    """A line that cannot be read, and why."""

    line: int
    reason: str


@dataclass(slots=True)
class PolicyText:
    """What a text says; nothing of it counts when a line was refused."""

    rules: list[Rule] = field(default_factory=list)
    memberships: list[Membership] = field(default_factory=list)
    refused: list[RefusedLine] = field(default_factory=list)


def read(text: str) -> PolicyText:
    """Every line of a text, or why it is refused. Comments begin with ``#``; the effect may be left out."""
    found = PolicyText()
    for number, line in enumerate(text.removeprefix("\ufeff").splitlines(), start=1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        try:
            cells = next(csv.reader(io.StringIO(line), skipinitialspace=True, strict=True))
            _keep(found, [cell.strip() for cell in cells])
        except csv.Error as error:
            found.refused.append(RefusedLine(number, f"is not CSV: {error}"))
        except BadPattern as error:
            found.refused.append(RefusedLine(number, str(error)))
    return found


def write(rules: Iterable[Rule], memberships: Iterable[Membership]) -> str:
    """The text of rules and memberships, in order; what ends has no place in it and is left out."""
    target = io.StringIO()
    lines = csv.writer(target, lineterminator="\n", quoting=csv.QUOTE_MINIMAL)
    lines.writerows(("p", *rule[:5]) for rule in sorted(rules, key=lambda rule: rule[:5]) if rule.expires_at is None)
    lines.writerows(
        ("g", *held[:3]) for held in sorted(memberships, key=lambda held: held[:3]) if held.expires_at is None
    )
    return target.getvalue()


def _keep(found: PolicyText, cells: list[str]) -> None:
    kind, *rest = cells
    if kind == "p" and len(rest) in (_RULE - 1, _RULE):
        subject, domain, resource, action, effect = rest if len(rest) == _RULE else [*rest, "allow"]
        checked("subject", subject)
        checked("domain", domain)
        checked("resource", resource)
        checked("action", action)
        if effect not in ("allow", "deny"):
            raise BadPattern("effect", 0, "is allow or deny")
        found.rules.append(Rule(subject, domain, resource, action, "deny" if effect == "deny" else "allow"))
    elif kind == "g" and len(rest) == _MEMBERSHIP:
        subject, role, domain = rest
        for name in (subject, role):
            checked("subject", name)
        checked("domain", domain)
        found.memberships.append(Membership(subject, role, domain))
    else:
        raise BadPattern(
            "line", 0, "is p with subject, domain, resource, action, effect, or g with subject, role, domain"
        )
