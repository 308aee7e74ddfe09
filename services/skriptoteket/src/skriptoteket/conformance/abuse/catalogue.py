"""All attacks on a sandbox, and how they are judged."""

from skriptoteket.conformance.abuse.artifacts import ARTIFACTS
from skriptoteket.conformance.abuse.attack import Attack
from skriptoteket.conformance.abuse.files import FILES
from skriptoteket.conformance.abuse.lifetime import LIFETIME
from skriptoteket.conformance.abuse.network import NETWORK
from skriptoteket.conformance.abuse.resources import RESOURCES
from skriptoteket.conformance.abuse.results import RESULTS
from skriptoteket.conformance.abuse.system_calls import SYSTEM_CALLS
from skriptoteket.conformance.playing import play
from skriptoteket.core.runs.sandbox import Sandbox

GROUPS = {
    "Resources": RESOURCES,
    "Lifetime": LIFETIME,
    "Network": NETWORK,
    "Files, information": FILES,
    "System calls": SYSTEM_CALLS,
    "Artifacts": ARTIFACTS,
    "Results, pages": RESULTS,
}
ATTACKS: dict[str, Attack] = {attack.id: attack for group in GROUPS.values() for attack in group}

CONTROL: dict[str, tuple[str, str]] = {
    "C01": ("worker_killed_at_each_step", "tests/adapters/worker/test_recovery.py"),
    "C02": ("zygote_killed", "tests/adapters/sandbox/test_zygote.py"),
    "C03": ("stale_worker_finalises", "tests/conformance/test_run_queue.py"),
    "C04": ("wall_clock_jumps", "tests/conformance/test_run_queue.py"),
    "C05": ("two_forks_same_random", "tests/adapters/sandbox/test_zygote.py"),
    "C06": ("poison_imported_module", "tests/adapters/sandbox/test_zygote.py"),
    "C07": ("slot_reused", "tests/adapters/sandbox/test_zygote.py"),
    "C08": ("row_tampered_source", "tests/adapters/worker/test_daemon.py"),
    "C09": ("cancel_races_finish", "tests/core/runs/test_execution.py"),
    "C10": ("blob_store_down_while_collecting", "tests/core/runs/test_execution.py"),
}
"""Attacks on the worker itself: no script can be them. Where each is proved, below the package's folder."""


async def judge(sandbox: Sandbox, attack: Attack) -> str:
    """Run one attack; the answer is why it was not contained, empty when it was."""
    return attack.complaint(await play(sandbox, attack.script()))
