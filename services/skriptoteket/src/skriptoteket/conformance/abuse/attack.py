"""One attack: a script, what may become of it, and the signs that it was not contained."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from skriptoteket.conformance.playing import Played, Script
from skriptoteket.core.runs.models import Limits, OutcomeCode

ESCAPED = "ESCAPED"
"""What an attack prints when something worked that must not."""

SECRET = "planted-secret-5c1e"  # noqa: S105 - a decoy that must never be seen by a script
"""Planted where only the worker may read."""

ENDS_SOMEHOW = frozenset(OutcomeCode) - {OutcomeCode.INFRASTRUCTURE, OutcomeCode.LOST}
HARMLESS = frozenset({OutcomeCode.OK, OutcomeCode.SCRIPT_ERROR})

_PRELUDE = """
import ctypes, errno, os, platform, resource, signal, socket, stat, subprocess, sys, threading, time
libc = ctypes.CDLL(None, use_errno=True)
_arm = platform.machine() == "aarch64"

def call(x86, arm, *arguments):
    result = libc.syscall(ctypes.c_long(arm if _arm else x86), *arguments)
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result

def tried(what, attempt):
    try:
        print("ESCAPED", what, repr(attempt())[:300], flush=True)
    except (OSError, ValueError, AttributeError, KeyError, subprocess.SubprocessError) as problem:
        print("refused", what, repr(problem)[:200], flush=True)

def something(found):
    if not found:
        raise OSError(errno.ENODATA, "nothing is there")
    return found

def seen(what, path):
    tried(f"{what} {path}", lambda: something(open(path, "rb").read(200)))

def grandchild(work):
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            work()
        os._exit(0)

def run_tool(input_dir, output_dir):
"""


@dataclass(frozen=True, slots=True)
class Attack:
    """``id`` and ``name`` as the specification numbers them. ``within`` is when it must be over, in seconds; ``judged``
    looks at what became of it and says why it was not contained, or nothing."""

    id: str
    name: str
    body: str
    expected: frozenset[OutcomeCode] = HARMLESS
    limits: Mapping[str, int] = field(default_factory=dict)
    within: float = 20.0
    judged: Callable[[Played], str] | None = None

    def script(self) -> Script:
        """The attack as a script."""
        lines = "\n".join(f"    {line}" for line in self.body.strip("\n").splitlines())
        limits = {"wall_seconds": 10, "memory_mib": 192, **self.limits}
        return Script(f"{_PRELUDE}{lines}\n", Limits(**limits))

    def complaint(self, played: Played) -> str:
        """Why this attack was not contained; empty when it was."""
        told = f"{played.stdout}{played.stderr}"
        if played.code not in self.expected:
            return f"ended as {played.code}, not as {' or '.join(sorted(self.expected))}: {told[-400:]}"
        if ESCAPED in told:
            return told[told.index(ESCAPED) :][:400]
        kept = b"".join(played.artifacts.values())
        if SECRET in told or SECRET.encode() in kept:
            return "the planted secret was read"
        if played.seconds > self.within:
            return f"took {played.seconds:.1f} s, {self.within} s were allowed"
        return "" if self.judged is None else self.judged(played)


def expect(*codes: OutcomeCode) -> frozenset[OutcomeCode]:
    """The outcomes that an attack may have."""
    return frozenset(codes)
