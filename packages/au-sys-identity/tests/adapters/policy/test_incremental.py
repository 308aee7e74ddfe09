"""Any history of changes ends where loading afresh ends; readers beside a writer never see a wrong answer."""

import random
import subprocess
import sys
import threading

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from au_sys_identity.adapters.policy.compiled_engine import CompiledEngine
from au_sys_identity.conformance.policy_worlds import ACTIONS, RESOURCES, World, questions
from au_sys_identity.core.access.rules import Change, Membership, Question, Rule

NAMES = st.sampled_from(["user0", "user1", "user2", "role:0", "role:1", "role:2", "*"])
PLACES = st.sampled_from(["one", "two", "*"])
RULES = st.builds(
    Rule,
    NAMES,
    PLACES,
    st.sampled_from(RESOURCES),
    st.sampled_from(ACTIONS),
    st.sampled_from(["allow", "deny"]),
    st.sampled_from([None, None, 5.0, 15.0]),
)
LINKS = st.builds(Membership, NAMES, NAMES, PLACES, st.sampled_from([None, None, 5.0, 15.0])).filter(
    lambda held: held.subject != held.role and "*" not in (held.subject, held.role)
)
CHANGES = st.lists(st.builds(Change, st.booleans(), st.one_of(RULES, LINKS)), max_size=4)


class History(RuleBasedStateMachine):
    """A few changes at a time, the clock going on, and the same kept plainly."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self.engine = CompiledEngine(lambda: self.now)
        self.kept: dict[tuple[str, ...], Rule | Membership] = {}

    @rule(changes=CHANGES)
    def change(self, changes: list[Change]) -> None:
        self.engine.apply(changes)
        for add, item in changes:
            key = tuple(str(part) for part in item[:-1])
            if add:
                self.kept[key] = item
            else:
                self.kept.pop(key, None)

    @rule(changes=CHANGES)
    def look_ahead(self, changes: list[Change]) -> None:
        self.engine.preview(changes)

    @rule()
    def later(self) -> None:
        self.now += 4.0

    @rule()
    def reload(self) -> None:
        self.engine.load_policy(*self.engine.save_policy())

    @invariant()
    def equals_one_loaded_afresh(self) -> None:
        rules = [item for item in self.kept.values() if isinstance(item, Rule)]
        links = [item for item in self.kept.values() if isinstance(item, Membership)]
        assert self.engine.counts == (len(rules), len(links))
        fresh = CompiledEngine(lambda: self.now)
        fresh.load_policy(rules, links)
        world = World(rules, links)
        asked = [one._replace(subject=name) for one in questions(3, 12) for name in ("user0", "user1", "role:1")]
        expected = [world.enforce(question, self.now) for question in asked]
        assert self.engine.batch_enforce(asked) == expected
        assert fresh.batch_enforce(asked) == expected


History.TestCase.settings = settings(max_examples=40, stateful_step_count=12, deadline=None)
TestHistory = History.TestCase


ANN, BOB = "urn:au:user:ann", "urn:au:user:bob"


def wrong_answers(engine: CompiledEngine) -> list[str]:
    """Whose answers are wrong: at every revision Ann holds exactly one of two rights, Bob and Eve none."""
    left, right = Question(ANN, "d", "/left", "read"), Question(ANN, "d", "/right/1", "read")
    wrong = ["ann"] if sum(engine.batch_enforce([left] * 50 + [right] * 50)) != 50 else []
    if engine.enforce(BOB, "d", "/secret/1", "read"):
        wrong.append("bob")
    if engine.enforce("urn:au:user:eve", "d", "/left", "read"):
        wrong.append("eve")
    return wrong


def readers_beside_a_writer(rounds: int) -> int:
    """Four threads read while one moves a right from role to role and reloads; how many answers were wrong."""
    ann, bob = ANN, BOB
    left = [Rule("role:x", "d", "/left", "read"), Rule("role:y", "d", "/right/:any", "read")]
    closed = [Rule("role:all", "*", "/secret/*", "*"), Rule(bob, "d", "/secret/*", "*", "deny")]
    engine = CompiledEngine()
    engine.load_policy([*left, *closed], [Membership(ann, "role:x", "d"), Membership(bob, "role:all", "*")])
    done = threading.Event()
    wrong: list[str] = []

    def read() -> None:
        while not done.is_set():
            wrong.extend(wrong_answers(engine))

    readers = [threading.Thread(target=read) for _ in range(4)]
    for reader in readers:
        reader.start()
    luck = random.Random(rounds)
    x, y = Membership(ann, "role:x", "d"), Membership(ann, "role:y", "d")
    for turn in range(rounds):
        engine.apply([Change(False, x), Change(True, y)] if turn % 2 == 0 else [Change(False, y), Change(True, x)])
        if luck.random() < 0.2:
            noise = [Change(True, Rule(f"role:{turn}", "d", f"/{n}/*", "read")) for n in range(20)]
            engine.apply([*noise, Change(True, Membership(bob, f"role:{turn}", "d"))])
        if luck.random() < 0.1:
            engine.load_policy(*engine.save_policy())
    done.set()
    for reader in readers:
        reader.join()
    return len(wrong)


def test_four_threads_beside_a_writer_get_no_wrong_answer() -> None:
    """Moves, batches and reloads are seen whole by every reader."""
    switching = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        assert readers_beside_a_writer(150) == 0
    finally:
        sys.setswitchinterval(switching)


def test_two_processes_read_and_write_without_a_wrong_answer() -> None:
    """The same in two processes at once, each with threads of its own."""
    code = (
        "import sys; sys.setswitchinterval(1e-5); sys.path.insert(0, sys.argv[1]);"
        "from test_incremental import readers_beside_a_writer; raise SystemExit(readers_beside_a_writer(60))"
    )
    here = __file__.rpartition("/")[0]
    both = [subprocess.Popen([sys.executable, "-c", code, here]) for _ in range(2)]
    assert [one.wait(timeout=120) for one in both] == [0, 0]
