"""The compiled engine against brute force, row by row of its semantics."""

import pytest

from au_sys_identity.adapters.policy.compiled_engine import CompiledEngine
from au_sys_identity.conformance.policy_worlds import World, a_world, questions
from au_sys_identity.core.access.rules import Change, Membership, Question, Rule

ANN = "urn:au:user:ann"


def an_engine(world: World, now: float = 0.0) -> CompiledEngine:
    engine = CompiledEngine(lambda: now, depth=world.depth)
    engine.load_policy(world.rules, world.memberships)
    return engine


@pytest.mark.parametrize("seed", range(60))
def test_every_answer_is_the_one_of_brute_force(seed: int) -> None:
    """In worlds with cycles, denies, patterns and tenants no answer differs, one by one and in a batch."""
    world = a_world(seed)
    engine = an_engine(world)
    asked = list(questions(seed, 150))
    expected = [world.enforce(question) for question in asked]
    assert [engine.enforce(*question) for question in asked] == expected
    assert engine.batch_enforce(asked) == expected


def test_nothing_is_allowed_before_the_first_load() -> None:
    """An empty engine says no."""
    assert not CompiledEngine().enforce(ANN, "default", "/a", "read")


def test_deny_beats_every_allow_in_any_order() -> None:
    """One matching deny decides, however many allows match and whichever came first."""
    allow, deny = Rule(ANN, "*", "/a/*", "*"), Rule("role:x", "d", "/a/:id", "read", "deny")
    for rules in ([allow, deny], [deny, allow]):
        engine = CompiledEngine()
        engine.load_policy(rules, [Membership(ANN, "role:x", "d")])
        assert not engine.enforce(ANN, "d", "/a/1", "read")
        assert engine.enforce(ANN, "d", "/a/1", "write")
        assert engine.enforce(ANN, "other", "/a/1", "read")


def test_a_rule_and_a_membership_end_at_their_instant() -> None:
    """From the instant of its end on, neither counts, and a deny that ended stops denying."""
    now = 0.0
    engine = CompiledEngine(lambda: now)
    engine.load_policy(
        [
            Rule("role:x", "d", "/a", "read"),
            Rule(ANN, "d", "/b", "read", "allow", 10.0),
            Rule(ANN, "d", "/c", "read"),
            Rule(ANN, "d", "/c", "read", "deny", 10.0),
        ],
        [Membership(ANN, "role:x", "d", 10.0)],
    )
    now = 9.999
    assert [engine.enforce(ANN, "d", place, "read") for place in ("/a", "/b", "/c")] == [True, True, False]
    now = 10.0
    assert [engine.enforce(ANN, "d", place, "read") for place in ("/a", "/b", "/c")] == [False, False, True]


def test_a_check_in_all_domains_meets_only_rules_of_all_domains() -> None:
    """Who holds a right in one domain does not hold it in ``*``; who holds it in ``*`` holds it everywhere."""
    engine = CompiledEngine()
    engine.load_policy([Rule(ANN, "d", "/a", "read"), Rule(ANN, "*", "/b", "read")])
    assert not engine.enforce(ANN, "*", "/a", "read")
    assert engine.enforce(ANN, "*", "/b", "read")
    assert engine.enforce(ANN, "anything", "/b", "read")


def test_what_every_subject_of_a_kind_holds() -> None:
    """A role of the kind reaches subjects that no membership names, and no others."""
    engine = CompiledEngine(kind_of=lambda name: "urn:au:user:*" if name.startswith("urn:au:user:") else None)
    engine.load_policy([Rule("role:x", "*", "/a", "read")], [Membership("urn:au:user:*", "role:x", "*")])
    assert engine.enforce(ANN, "d", "/a", "read")
    assert not engine.enforce("urn:au:app:1", "d", "/a", "read")
    engine.apply([Change(False, Membership("urn:au:user:*", "role:x", "*"))])
    assert not engine.enforce(ANN, "d", "/a", "read")


def test_unknown_names_allocate_nothing() -> None:
    """Asking about subjects that nobody knows leaves nothing behind."""
    engine = CompiledEngine()
    engine.load_policy([Rule("role:x", "d", "/a", "read")], [Membership(ANN, "role:x", "d")])
    assert engine.enforce(ANN, "d", "/a", "read")
    index = engine._index
    kept = {domain: len(known) for domain, known in index.closures.items()}
    assert not any(engine.enforce(f"urn:au:user:{n}", "d", f"/{n}", "read") for n in range(50))
    assert not any(engine.enforce("urn:au:user:1", f"d{n}", "/a", "read") for n in range(50))
    assert {domain: len(known) for domain, known in index.closures.items()} == kept


def test_a_subject_that_becomes_a_role_brings_its_rules() -> None:
    """Rules of its own reach whoever is made its member, and later changes do as well."""
    engine = CompiledEngine()
    engine.load_policy([Rule("bob", "d", "/a", "read"), Rule("bob", "d", "/b", "read", "deny")])
    assert engine.enforce("bob", "d", "/a", "read")
    engine.add_grouping_policy(Membership(ANN, "bob", "d"))
    assert engine.enforce(ANN, "d", "/a", "read")
    assert engine.enforce("bob", "d", "/a", "read")
    engine.remove_policy(Rule("bob", "d", "/a", "read"))
    assert not engine.enforce(ANN, "d", "/a", "read")
    assert not engine.enforce("bob", "d", "/a", "read")


def test_a_depth_limit_counts_alike_for_checks_and_lists() -> None:
    """A role one step beyond the limit neither allows nor is listed."""
    chain = [Membership(f"role:{n}", f"role:{n + 1}", "d") for n in range(6)]
    engine = CompiledEngine(depth=3)
    engine.load_policy([Rule(f"role:{n}", "d", f"/{n}", "read") for n in range(7)], chain)
    assert [engine.enforce("role:0", "d", f"/{n}", "read") for n in range(5)] == [True, True, True, True, False]
    assert [held.role for held in engine.get_implicit_roles_for_user("role:0", "d")] == ["role:1", "role:2", "role:3"]


def test_changes_of_one_step_are_seen_together() -> None:
    """Replacing a rule by another is one revision."""
    engine = CompiledEngine()
    engine.load_policy([Rule(ANN, "d", "/a", "read")], revision=7)
    assert engine.update_policy(Rule(ANN, "d", "/a", "read"), Rule(ANN, "d", "/b", "read")) == 8
    assert [engine.enforce(ANN, "d", place, "read") for place in ("/a", "/b")] == [False, True]
    with pytest.raises(ValueError, match="does not follow"):
        engine.apply([], revision=8)


@pytest.mark.parametrize("seed", range(30))
def test_lists_agree_with_checks(seed: int) -> None:
    """Implicit users are those of whom the check says yes; a user's implicit rules decide as the check does."""
    world = a_world(seed)
    engine = an_engine(world)
    everybody = {name for name in engine.all_users()}
    for question in questions(seed + 1000, 25):
        _, domain, resource, action = question
        may = {name for name in everybody if world.enforce(Question(name, domain, resource, action))}
        assert engine.get_implicit_users_for_permission(domain, resource, action) == may
    for name in sorted(everybody):
        given = {found.rule for found in engine.get_implicit_permissions_for_user(name, "one")}
        reached = world.reached(name, "one") | {"*"}
        assert given == {rule for rule in world.rules if rule.subject in reached and rule.domain in ("one", "*")}
        assert {held.role for held in engine.get_implicit_roles_for_user(name, "one")} == reached - {name, "*"}


@pytest.mark.parametrize("seed", range(40))
def test_a_proof_replays_and_is_the_shortest(seed: int) -> None:
    """Every step of a proof exists, its rule decides, and no shorter chain leads to such a rule."""
    world = a_world(seed)
    engine = an_engine(world)
    for question in questions(seed, 60):
        proof = engine.enforce_ex(*question)
        assert proof.allowed == world.enforce(question)
        deciding = world.matching(question)
        if proof.rule is None:
            assert deciding == []
            continue
        assert proof.rule in deciding
        at = question.subject
        for step in proof.chain:
            assert step in world.memberships
            assert (step.subject, step.domain in (question.domain, "*")) == (at, True)
            at = step.role
        assert proof.rule.subject in (at, "*")
        wanted = [rule for rule in deciding if rule.effect == proof.rule.effect]
        assert len(proof.chain) == min(_distance(world, question, rule.subject) for rule in wanted)


def _distance(world: World, question: Question, name: str) -> int:
    if name == "*":
        return 0
    for depth in range(world.depth + 1):
        if name in World(world.rules, world.memberships, depth).reached(question.subject, question.domain):
            return depth
    raise AssertionError(name)


def test_a_refusal_names_what_would_help() -> None:
    """A denial without a rule tells roles and domains that would allow."""
    engine = CompiledEngine()
    engine.load_policy([Rule("role:reader", "d", "/a/*", "read")], [Membership(ANN, "role:reader", "e")])
    engine.add_policy(Rule(ANN, "f", "/a/1", "read"))
    proof = engine.enforce_ex(ANN, "d", "/a/1", "read")
    assert (proof.allowed, proof.rule) == (False, None)
    assert proof.nearest == ("with role:reader", "in the domain f")


@pytest.mark.parametrize("seed", range(25))
def test_a_preview_is_the_difference_that_follows(seed: int) -> None:
    """Whoever the preview says gains or loses does, and nobody else among those asked; nothing changed before."""
    world, other = a_world(seed), a_world(seed + 500)
    engine = an_engine(world)
    gone: list[Rule | Membership] = [*world.rules[:3], *world.memberships[:2]]
    made: list[Rule | Membership] = [*other.rules[:3], *other.memberships[:2]]
    changes = [Change(False, item) for item in gone] + [Change(True, item) for item in made]
    told = engine.preview(changes)
    asked = list(questions(seed, 100))
    before = engine.batch_enforce(asked)
    assert before == [world.enforce(question) for question in asked]
    engine.apply(changes)
    after = engine.batch_enforce(asked)
    gained = {(question.subject, question.domain) for question in told.gains}
    lost = {(question.subject, question.domain) for question in told.losses}
    for question, was, will in zip(asked, before, after, strict=True):
        if question.subject in engine.all_users() and will and not was:
            assert gained
        if was and not will:
            assert lost


def test_an_invariant_holds_or_a_case_breaks_it() -> None:
    """The search finds a case behind patterns, and none where denies cover all that is left."""
    from au_sys_identity.core.access.rules import Invariant

    never = Invariant("*", "/rbac/management/*", "*")
    engine = CompiledEngine()
    engine.load_policy(
        [Rule("role:ops", "d", "/rbac/:part/*", "write")], [Membership("urn:au:agent:1", "role:ops", "d")]
    )
    found = engine.prove(never, ["urn:au:agent:1", "urn:au:agent:2"])
    assert found is not None
    question, proof = found
    assert (question.subject, question.domain, question.action) == ("urn:au:agent:1", "d", "write")
    assert proof.allowed
    assert engine.enforce(*question)
    engine.add_policy(Rule("role:ops", "*", "/rbac/management/:one", "*", "deny"))
    assert engine.prove(never, ["urn:au:agent:1"]) is not None
    engine.add_policy(Rule("role:ops", "*", "/rbac/management/*", "*", "deny"))
    assert engine.prove(never, ["urn:au:agent:1"]) is None
