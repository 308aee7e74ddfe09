"""The engine against pycasbin and against brute force, on random worlds; where pycasbin differs, brute force decides.

Documented differences: pycasbin reads ``.`` and ``+`` in resources as a regular expression, and ``*`` and ``:`` inside
a segment as patterns; the engine refuses the latter and takes the former as they are. Its domain matching asks a
function for each membership, so memberships in ``*`` are written out for each domain here.
"""

import logging  # factory: allow G01 -- pycasbin writes to a logger of its own, which is silenced here
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from au_sys_identity.conformance.policy_worlds import DOMAINS, World, a_world, questions
from au_sys_identity.core.access.patterns import ANYTHING, actions_of
from au_sys_identity.core.access.ports import PolicyEngine
from au_sys_identity.core.access.rules import Membership, Question

MODEL = """
[request_definition]
r = sub, dom, obj, act
[policy_definition]
p = sub, dom, obj, act, eft
[role_definition]
g = _, _, _
[policy_effect]
e = some(where (p.eft == allow)) && !some(where (p.eft == deny))
[matchers]
m = (p.sub == "*" || g(r.sub, p.sub, r.dom)) && (p.dom == "*" || p.dom == r.dom) && \
keyMatch2(r.obj, p.obj) && actMatch(r.act, p.act)
"""
ROOM = 10
"""Steps up that pycasbin's role manager takes."""


@dataclass
class Tally:
    """How many answers were compared, and where the three differ."""

    compared: int = 0
    wrong: int = 0
    of_casbin: int = 0
    first: str = ""


def casbin_of(world: World) -> Any:  # Any: pycasbin has no types
    """A pycasbin enforcer with the same rules."""
    import casbin  # type: ignore[import-untyped]  # pycasbin ships no types

    logging.getLogger("casbin").setLevel(logging.ERROR)
    model = casbin.Model()
    model.load_model_from_text(MODEL)
    enforcer = casbin.Enforcer(model)
    enforcer.add_function("actMatch", lambda asked, listed: listed == ANYTHING or asked in actions_of(listed))
    enforcer.add_policies([list(rule[:5]) for rule in world.rules])
    spread = {place for held in world.memberships for place in _spread(held)}
    enforcer.add_grouping_policies([list(held[:3]) for held in sorted(spread)])
    return enforcer


def _spread(held: Membership) -> Iterator[Membership]:
    domains = (*DOMAINS, "unknown") if held.domain == ANYTHING else (held.domain,)
    return (Membership(held.subject, held.role, domain) for domain in domains)


def compare(count: int, make_engine: Callable[[int], PolicyEngine], *, seed: int = 0, each: int = 250) -> Tally:
    """Put at least so many random questions to all three; ``make_engine`` takes the most steps up."""
    tally = Tally()
    while tally.compared < count:
        world = a_world(seed, rules=12 + seed % 17, links=6 + seed % 11)
        world.depth = ROOM
        engine = make_engine(ROOM)
        engine.load_policy(world.rules, world.memberships)
        enforcer = casbin_of(world)
        for question in questions(seed, each):
            tally.compared += 1
            _compare_one(tally, engine, enforcer, world, question)
        seed += 1
    return tally


def _compare_one(
    tally: Tally,
    engine: PolicyEngine,
    enforcer: Any,  # Any: pycasbin has no types
    world: World,
    question: Question,
) -> None:
    right = world.enforce(question)
    if engine.enforce(*question) != right:
        tally.wrong += 1
        tally.first = tally.first or f"{question}: {world}"
    if enforcer.enforce(*question) != right:
        tally.of_casbin += 1
        tally.first = tally.first or f"pycasbin: {question}: {world}"
