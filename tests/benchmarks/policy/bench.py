"""The table of the policy engine: ratios to pycasbin in the same run, and what one process does by itself.

Times are CPU seconds of this process, so that a loaded machine changes them little; what must be waited for (stalls
of a reader, writes that reach another process, requests) is measured by the clock. Every row of the table in the
requirements with a "must" is here; all of it takes five minutes. `--quick` takes a tenth of the rules.
"""

from __future__ import annotations

import gc
import json
import logging
import random
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

from tests.benchmarks.policy import evidence, graph, serving
from tests.benchmarks.policy.worlds import Large, full, plain

from au_sys_identity.adapters.policy.compiled_engine import CompiledEngine
from au_sys_identity.core.access.rules import Change, Membership, Question, Rule

MODEL = """
[request_definition]
r = sub, obj, act
[policy_definition]
p = sub, obj, act, eft
[role_definition]
g = _, _
[policy_effect]
e = some(where (p.eft == allow)) && !some(where (p.eft == deny))
[matchers]
m = g(r.sub, p.sub) && r.obj == p.obj && r.act == p.act
"""
"""Without domains: with them pycasbin copies all memberships at each check, which would flatter us a thousandfold."""
MILLION = 1_000_000
Row = tuple[str, str, str, bool]


def cpu(work: Callable[[], object]) -> float:
    """CPU seconds of some work."""
    began = time.process_time()
    work()
    return time.process_time() - began


def resident() -> float:
    """Megabytes of this process in memory."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096 / 1e6


def peers(world: Large, folder: Path) -> tuple[object, object]:
    """pycasbin and its FastEnforcer with the rules of a world."""
    import casbin  # type: ignore[import-untyped]  # pycasbin ships no types

    logging.disable(logging.CRITICAL)
    model, policy = folder / "model.conf", folder / "policy.csv"
    model.write_text(MODEL)
    lines = [", ".join(("p", rule.subject, *rule[2:5])) for rule in world.rules]
    lines += [", ".join(("g", *link[:2])) for link in world.memberships]
    policy.write_text("\n".join(lines))
    fast = casbin.FastEnforcer(str(model), str(policy), cache_key_order=[1, 2])
    return casbin.Enforcer(str(model), str(policy)), fast


def loaded(world: Large) -> tuple[CompiledEngine, float]:
    """An engine with the rules of a world, and the CPU seconds that took."""
    engine = CompiledEngine()
    return engine, cpu(lambda: engine.load_policy(world.rules, world.memberships))


def single(engine: CompiledEngine, questions: list[Question]) -> float:
    """Seconds of one check, the best of three rounds."""

    def ask() -> None:
        enforce = engine.enforce
        for subject, domain, place, action in questions:
            enforce(subject, domain, place, action)

    ask()
    return min(cpu(ask) for _ in range(3)) / len(questions)


def percentile(engine: CompiledEngine, questions: list[Question], share: float) -> float:
    """The time below which a share of single checks stays, by the thread's CPU clock."""
    enforce, clock = engine.enforce, time.thread_time_ns
    times = []
    for question in questions:
        began = clock()
        enforce(*question)
        times.append(clock() - began)
    idle = [clock() - clock() for _ in range(1000)]
    overhead = abs(statistics.median(idle))
    return (sorted(times)[int(len(times) * share)] - overhead) / 1e9


def against_casbin() -> list[Row]:
    """The first line of the table, on 100 000 literal rules, and what loading takes."""
    world = plain(100_000, 1_000, 10_000)
    engine, seconds = loaded(world)
    with tempfile.TemporaryDirectory() as folder:
        slow, fast = peers(world, Path(folder))
    answers = engine.batch_enforce(world.questions)
    few = [(one.subject, one.resource, one.action) for one in world.questions[:4]]
    some = [(one.subject, one.resource, one.action) for one in world.questions]
    if [slow.enforce(*one) for one in few] != answers[: len(few)]:  # type: ignore[attr-defined]
        raise SystemExit("pycasbin answers differently")
    if [fast.enforce(*one) for one in some] != answers[: len(some)]:  # type: ignore[attr-defined]
        raise SystemExit("FastEnforcer answers differently")
    ratios_slow, ratios_fast = [], []
    for _ in range(5):  # all three by turns; FastEnforcer and the engine are asked the same
        own = single(engine, world.questions)
        ratios_slow.append(cpu(lambda: [slow.enforce(*one) for one in few]) / len(few) / own)  # type: ignore[attr-defined]
        ratios_fast.append(cpu(lambda: [fast.enforce(*one) for one in some]) / len(some) / own)  # type: ignore[attr-defined]
    ratio_slow, ratio_fast = statistics.median(ratios_slow), statistics.median(ratios_fast)
    return [
        ("single check, 100k rules, against pycasbin", f"{ratio_slow:,.0f} x", "50,000 x", ratio_slow >= 50_000),
        ("single check, 100k rules, against FastEnforcer", f"{ratio_fast:,.1f} x", "30 x", ratio_fast >= 30),
        ("load 100k rules", f"{seconds:.2f} s", "1 s", seconds <= 1),
    ]


def with_everything(policies: int) -> tuple[list[Row], CompiledEngine, Large, float]:
    """Tenants, denies, patterns and hierarchies at full size."""
    before = resident()
    users = policies // 10
    world = full(policies, policies // 100, users)
    world.questions = [Question(*one) for one in json.loads(json.dumps(world.questions))]  # as they come from a wire
    given = resident()
    engine, seconds = loaded(world)
    cost = single(engine, world.questions)
    used = resident() - given
    batch = min(cpu(lambda: engine.batch_enforce(world.questions)) for _ in range(5)) / len(world.questions)
    slowest = percentile(engine, world.questions, 0.99)
    small = full(1_000, 100, 100, asked=50_000)
    few, _ = loaded(small)
    ratio = cost / single(few, small.questions)
    name = f"{policies // 1000}k rules, {users // 1000}k users"
    bound = 5.0 * policies / MILLION
    print(f"   (the lists of {name} themselves take {given - before:,.0f} MB)")
    return (
        [
            (f"single check, {name}", f"{1 / cost / 1e6:.2f} M/s", "0.25 M/s", 1 / cost >= 0.25e6),
            (f"p99 of a single check, {name}", f"{slowest * 1e6:.1f} us", "10 us", slowest <= 10e-6),
            ("batch, full semantics", f"{1 / batch / 1e6:.2f} M/s", "0.5 M/s", 1 / batch >= 0.5e6),
            (f"cost at {policies // 1000}k / at 1k rules", f"{ratio:.1f}", "10", ratio <= 10),
            (f"load {policies // 1000}k rules", f"{seconds:.2f} s", f"{bound:.1f} s", seconds <= bound),
            (f"memory of the index, {name}", f"{used:,.0f} MB", "600 MB", used <= 600),
        ],
        engine,
        world,
        cost,
    )


def changing(engine: CompiledEngine) -> list[Row]:
    """One rule more, one less, and what lists cost."""
    luck = random.Random(5)
    rules = [Rule(f"role:{luck.randrange(100)}", "tenant-1", f"/new/{n}/leaf", "read") for n in range(2_000)]

    def change() -> None:
        for rule in rules:
            engine.apply([Change(True, rule)])
        for rule in rules:
            engine.apply([Change(False, rule)])

    cost = min(cpu(change) for _ in range(3)) / (2 * len(rules))
    everybody = CompiledEngine()
    everybody.load_policy(
        [Rule("role:all", "d", "/a/*", "read"), Rule("role:out", "d", "/a/*", "read", "deny")],
        [Membership(f"urn:au:user:{n}", "role:all", "d") for n in range(100_000)]
        + [Membership(f"urn:au:user:{n}", "role:out", "d") for n in range(0, 100_000, 10)],
    )
    listing = min(cpu(lambda: everybody.get_implicit_users_for_permission("d", "/a/1", "read")) for _ in range(5))
    return [
        ("add or remove one rule", f"{cost * 1e6:.1f} us", "10 us", cost <= 10e-6),
        ("implicit users of a permission, 100k users", f"{listing * 1e3:.0f} ms", "50 ms", listing <= 0.05),
    ]


def stalls(engine: CompiledEngine, world: Large) -> list[Row]:
    """What a reader waits while all rules are loaded anew beside it; paced, by the clock."""
    waits = []
    done = threading.Event()

    def read() -> None:
        luck = random.Random(3)
        while not done.is_set():
            question = luck.choice(world.questions)
            began = time.perf_counter()
            engine.enforce(*question)
            waits.append(time.perf_counter() - began)
            time.sleep(0.001)

    reader = threading.Thread(target=read)
    reader.start()
    engine.load_policy(world.rules, world.memberships)
    done.set()
    reader.join()
    slowest = sorted(waits)[int(len(waits) * 0.99)] if waits else float("inf")
    return [
        (
            f"p99 stall of a reader during a reload ({len(waits)} checks)",
            f"{slowest * 1e3:.1f} ms",
            "20 ms",
            slowest <= 0.02,
        ),
        ("   the longest of them", f"{max(waits, default=0.0) * 1e3:.0f} ms", "", True),
    ]


def main() -> int:
    """0 when every line meets its "must" column."""
    policies = MILLION if "--quick" not in sys.argv else MILLION // 10
    rows = against_casbin()
    gc.collect()
    more, engine, world, _ = with_everything(policies)
    rows += more + changing(engine) + stalls(engine, world)
    width = max(len(row[0]) for row in rows)
    for name, found, must, met in rows:
        told = f"must {must:>9}  {'met' if met else 'MISSED'}" if must else ""
        print(f"{name:<{width}}  {found:>12}  {told}", flush=True)
    del engine, world
    gc.collect()
    beside = []
    for part in (graph, serving, evidence):
        for figure in part.figures():
            print(figure, flush=True)
            beside.append(figure)
    return 0 if all(row[3] for row in rows) and all(figure.met for figure in beside) else 1


if __name__ == "__main__":
    raise SystemExit(main())
