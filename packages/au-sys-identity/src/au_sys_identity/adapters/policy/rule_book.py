"""Every rule by subject, domain and resource: what the index is made from, and what lists are read from."""

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from au_sys_identity.core.access.rules import Effect, Rule


class Grant(NamedTuple):
    """What a rule says about its resource."""

    action: str
    effect: Effect
    expires_at: float | None


Grants = tuple[Grant, ...]
_NONE: Mapping[str, Mapping[str, Grants]] = {}
_NO_GRANTS: Mapping[str, Grants] = {}


class RuleBook:
    """Rules, each once; equal sets of grants are kept as one object."""

    def __init__(self) -> None:
        self._rules: dict[str, dict[str, dict[str, Grants]]] = {}
        self._same: dict[Grants, Grants] = {}
        self.size = 0

    def filled(self, domain: str, rules: Iterable[Rule]) -> Iterator[Rule]:
        """Put rules of one domain into a book that nobody reads yet; those of them that were not there."""
        books: dict[str, dict[str, Grants]] = {}
        same: dict[str, str] = {}
        alone: dict[tuple[str, Effect, float | None], Grants] = {}
        for rule in rules:
            subject, _, resource, action, effect, expires_at = rule
            resources = books.get(subject)
            if resources is None:
                resources = books[subject] = self._rules.setdefault(subject, {}).setdefault(domain, {})
            if resource in resources:
                if self.put(rule):
                    yield rule
                continue
            wanted = (action, effect, expires_at)
            grants = alone.get(wanted)
            if grants is None:
                made: Grants = (Grant(*wanted),)
                grants = alone[wanted] = self._same.setdefault(made, made)
            resources[same.setdefault(resource, resource)] = grants
            self.size += 1
            yield rule

    def put(self, rule: Rule) -> bool:
        """Keep a rule; ``False`` when it was there with the same end."""
        resources = self._rules.setdefault(rule[0], {}).setdefault(rule[1], {})
        grant = Grant(rule[3], rule[4], rule[5])
        known = resources.get(rule[2])
        if known is None:
            grants: Grants = (grant,)
            self.size += 1
        elif grant in known:
            return False
        else:
            kept = tuple(other for other in known if other[:2] != grant[:2])
            self.size += len(kept) + 1 - len(known)
            grants = tuple(sorted((*kept, grant), key=lambda one: one[:2]))
        resources[rule[2]] = self._same.setdefault(grants, grants)
        return True

    def drop(self, rule: Rule) -> bool:
        """Remove a rule, whenever it would have ended; ``False`` when there was none."""
        resources = self._rules.get(rule.subject, {}).get(rule.domain, {})
        known = resources.get(rule.resource, ())
        kept = tuple(grant for grant in known if grant[:2] != (rule.action, rule.effect))
        if len(kept) == len(known):
            return False
        self.size -= 1
        if kept:
            resources[rule.resource] = self._same.setdefault(kept, kept)
            return True
        del resources[rule.resource]
        if not resources:
            del self._rules[rule.subject][rule.domain]
            if not self._rules[rule.subject]:
                del self._rules[rule.subject]
        return True

    def grants(self, subject: str, domain: str, resource: str) -> Grants:
        """What the rules of a subject say about one resource pattern."""
        return self._rules.get(subject, _NONE).get(domain, _NO_GRANTS).get(resource, ())

    def of(self, subject: str) -> Iterator[Rule]:
        """The rules of one subject."""
        for domain, resources in self._rules.get(subject, _NONE).items():
            for resource, grants in resources.items():
                for grant in grants:
                    yield Rule(subject, domain, resource, *grant)

    def of_many(self, subjects: Iterable[str], domains: tuple[str, ...]) -> Iterator[tuple[str, str, str, Grants]]:
        """Subject, domain, resource and grants of several subjects in some domains, in their order."""
        for subject in subjects:
            known = self._rules.get(subject)
            if known is not None:
                for domain in domains:
                    for resource, grants in known.get(domain, _NO_GRANTS).items():
                        yield subject, domain, resource, grants

    def subjects(self) -> list[str]:
        """Everybody who has rules."""
        return list(self._rules)

    def domains(self) -> set[str]:
        """Every domain that a rule names."""
        return {domain for domains in self._rules.values() for domain in domains}

    def all(self) -> Iterator[Rule]:
        """Every rule."""
        for subject in self._rules:
            yield from self.of(subject)
