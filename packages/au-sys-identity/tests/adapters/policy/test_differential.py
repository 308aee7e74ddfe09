"""The engine against pycasbin and brute force, the documented differences, and the text that both read."""

import random

import pytest

from au_sys_identity.adapters.policy import casbin_text
from au_sys_identity.adapters.policy.compiled_engine import CompiledEngine
from au_sys_identity.conformance.policy_differential import casbin_of, compare
from au_sys_identity.conformance.policy_worlds import World, a_world
from au_sys_identity.core.access.patterns import checked, common, includes, matches
from au_sys_identity.core.access.rules import Membership, Rule
from au_sys_identity.core.errors import BadPattern


def test_twenty_thousand_answers_are_the_same_three_times() -> None:
    """Engine, pycasbin and brute force agree on every question in random worlds."""
    tally = compare(20_000, lambda depth: CompiledEngine(lambda: 0.0, depth=depth))
    assert (tally.wrong, tally.of_casbin, tally.first) == (0, 0, "")
    assert tally.compared >= 20_000


@pytest.mark.parametrize(
    ("pattern", "asked", "here"),
    [("/a.b", "/axb", False), ("/a+", "/aa", False), ("/a/x:y", "/a/xz", False), ("/a.b", "/a.b", True)],
)
def test_letters_that_are_regular_expressions_elsewhere_are_letters_here(pattern: str, asked: str, here: bool) -> None:
    """The documented differences from keyMatch2: the first three are matched by pycasbin."""
    engine = CompiledEngine()
    engine.load_policy([Rule("ann", "one", pattern, "read")])
    assert engine.enforce("ann", "one", asked, "read") is here
    theirs = casbin_of(World([Rule("ann", "one", pattern, "read")], []))
    assert theirs.enforce("ann", "one", asked, "read")


@pytest.mark.parametrize("resource", ["/a/*/b", "/a*", "**", "/a/:", "/a\n", "", "/a\x00", "/" + "x" * 500, "/a/x*"])
def test_patterns_outside_the_dialect_are_refused(resource: str) -> None:
    """A refused pattern names the field and the place, and is never run as a slow scan."""
    with pytest.raises(BadPattern) as refused:
        checked("resource", resource)
    assert refused.value.field == "resource"


@pytest.mark.parametrize("action", ["(read|write)", "re.*", "a||b", "read write", ""])
def test_actions_are_words(action: str) -> None:
    """Regular expressions are refused as actions."""
    with pytest.raises(BadPattern):
        checked("action", action)


def test_patterns_contain_and_meet_as_their_matches_do() -> None:
    """On all small patterns, ``includes`` and ``common`` say what enumerating resources says."""
    tokens, ends = ("a", ":n", "b"), ("", "/*")
    patterns = ["*", *(f"/{one}{end}" for one in tokens for end in ends)]
    patterns += [f"/{one}/{two}{end}" for one in tokens for two in tokens for end in ends]
    parts = ("a", "b", "q", "")
    resources = [f"/{one}" for one in parts] + [f"/{one}/{two}" for one in parts for two in parts]
    resources += [f"/{one}/{two}/{three}" for one in parts for two in parts for three in parts]
    under = {pattern: {found for found in resources if matches(pattern, found)} for pattern in patterns}
    for one in patterns:
        for other in patterns:
            assert includes(one, other) == (under[other] <= under[one]), (one, other)
            shared = common(one, other)
            both = under[one] & under[other]
            assert (set() if shared is None else {r for r in resources if matches(shared, r)}) == both, (one, other)


@pytest.mark.parametrize("seed", range(20))
def test_text_goes_round(seed: int) -> None:
    """What is written is read again as it was."""
    world = a_world(seed)
    text = casbin_text.write(world.rules, world.memberships)
    found = casbin_text.read(text)
    assert (found.refused, sorted(found.rules), sorted(found.memberships)) == ([], world.rules, world.memberships)
    assert casbin_text.write(found.rules, found.memberships) == text


def test_odd_names_stay_in_their_cell() -> None:
    """Commas and quotes in a name make no second cell, and no second line."""
    odd = Rule('ann, "the" one', "default", "/a,b", "read")
    found = casbin_text.read(casbin_text.write([odd], [Membership('x,"y"', "role:r", "default")]))
    assert found.rules == [odd]
    assert found.memberships == [Membership('x,"y"', "role:r", "default")]


def test_every_refused_line_is_told_with_its_reason() -> None:
    """Lines of other kinds, with cells too few, bad patterns and broken quotes are listed by number."""
    found = casbin_text.read(
        '# comment\n\np, ann, d, /a, read\np, ann, d, /a/*/b, read, allow\nq, x\np, ann, d, "/a, read\n'
        "p, ann, d, /a, read, maybe\ng, ann, role:x\n"
    )
    assert [refused.line for refused in found.refused] == [4, 5, 6, 7, 8]
    assert found.rules == [Rule("ann", "d", "/a", "read", "allow")]


def test_noise_is_read_or_refused() -> None:
    """No text makes the reader fail."""
    luck = random.Random(7)
    for _ in range(300):
        text = "".join(luck.choice('pg,"\n\r\t *:/|ab\x00\u2028') for _ in range(luck.randrange(60)))
        found = casbin_text.read(text)
        for rule in found.rules:
            checked("resource", rule.resource)
