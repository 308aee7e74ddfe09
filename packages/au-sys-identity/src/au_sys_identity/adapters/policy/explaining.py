"""Why: the shortest chain to the rule that decided, or what is missing."""

from au_sys_identity.adapters.policy.compiled_index import CompiledIndex
from au_sys_identity.adapters.policy.shelves import entries
from au_sys_identity.core.access.patterns import ANYTHING, actions_of, matches
from au_sys_identity.core.access.rules import Membership, Proof, Question, Rule

_NEAREST = 5
Steps = dict[str, tuple[str, Membership] | None]


def proof_of(index: CompiledIndex, question: Question, now: float) -> Proof:
    """The decision on a question with its proof, as of the index's present revision."""
    with index.lock:
        steps, _ = index.memberships.reach(question.subject, question.domain, index.revision, now)
        steps.setdefault(ANYTHING, None)
        found = _deciding(index, steps, question, now)
        if found is None:
            return Proof(False, index.revision, nearest=tuple(_nearest(index, question, now)))
        return Proof(found.effect == "allow", index.revision, chain_of(steps, found.subject), found)


def chain_of(steps: Steps, name: str) -> tuple[Membership, ...]:
    """The memberships that lead from the subject to a name, in that order."""
    chain: list[Membership] = []
    step = steps.get(name)
    while step is not None:
        below, membership = step
        chain.append(membership)
        step = steps.get(below)
    return tuple(reversed(chain))


def places_of(domain: str) -> tuple[str, ...]:
    """The domains whose rules are met by a check in one."""
    return (domain,) if domain == ANYTHING else (domain, ANYTHING)


def _deciding(index: CompiledIndex, steps: Steps, question: Question, now: float) -> Rule | None:
    """A matching deny rule, else a matching allow rule; of several the nearest, then the first in order."""
    places = places_of(question.domain)
    best: tuple[bool, int, Rule] | None = None
    length = {ANYTHING: 0}
    for name, step in steps.items():
        length[name] = 0 if step is None else length[step[0]] + 1
    for subject, domain, resource, grants in index.rules.of_many(steps, places):
        for action, effect, expires_at in grants:
            if not _lists(action, question.action) or (expires_at is not None and expires_at <= now):
                continue
            if not matches(resource, question.resource):
                continue
            rule = Rule(subject, domain, resource, action, effect, expires_at)
            candidate = (effect == "allow", length[subject], rule)
            if best is None or (candidate[:2], rule[:5]) < (best[:2], best[2][:5]):
                best = candidate
    return None if best is None else best[2]


def _lists(pattern: str, action: str) -> bool:
    return pattern == ANYTHING or action in actions_of(pattern)


def _nearest(index: CompiledIndex, question: Question, now: float) -> list[str]:
    """Roles that would allow it, then domains in which the subject may do it."""
    helpful: list[str] = []
    for shelf, slots in index.matching(question.domain, question.resource):
        allowing = 0
        for entry in entries(slots, question.action):
            allowing |= entry[0] & ~entry[1]
        if allowing:
            helpful.extend(f"with {name}" for name, bit in shelf.bits.items() if bit & allowing and name != ANYTHING)
    helpful = sorted(set(helpful))[:_NEAREST]
    for domain in sorted(index.rules.domains() | set(index.memberships.up))[: 20 * _NEAREST]:
        if len(helpful) == 2 * _NEAREST:
            break
        if domain != question.domain and index.allowed(question.subject, domain, question.resource, question.action):
            helpful.append(f"in the domain {domain}")
    return helpful
