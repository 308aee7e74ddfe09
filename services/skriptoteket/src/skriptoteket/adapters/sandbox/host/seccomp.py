"""System call filters of the sandbox: compiled from a readable list, shipped as bytes per architecture.

The filter is an allow-list. A call that is not in ``seccomp_policy.txt`` answers ENOSYS, so that libraries fall back
to older calls; a refused argument answers EPERM; a call through a foreign ABI (i386, x32, AArch32) kills the script.

Source of the encoding: Linux ``Documentation/userspace-api/seccomp_filter.rst`` and ``linux/bpf_common.h``.
"""

import errno
import platform
import struct
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

Instruction = tuple[int, int, int, int]

_FOLDER = Path(__file__).parent
_LOAD_WORD, _JUMP, _JUMP_EQUAL, _JUMP_NOT_BELOW, _JUMP_ANY_BIT, _RETURN = 0x20, 0x05, 0x15, 0x35, 0x45, 0x06
_ALLOW, _KILL, _ERRNO = 0x7FFF0000, 0x80000000, 0x00050000
_NUMBER_AT, _ARCHITECTURE_AT, _ARGUMENTS_AT = 0, 4, 16
_X32_BIT = 0x40000000
_NAMESPACE_FLAGS = 0x7E020000
_AF_UNIX = 1
_TIOCSTI, _TIOCLINUX = 0x5412, 0x541C
_PR_SET_PDEATHSIG, _PR_SET_SECCOMP, _PR_SET_MM = 1, 22, 35
REFUSED_VALUES = {"ioctl": (_TIOCSTI, _TIOCLINUX), "prctl": (_PR_SET_PDEATHSIG, _PR_SET_SECCOMP, _PR_SET_MM)}
"""What ``ioctl`` may not be asked for in its second argument, and ``prctl`` in its first."""
_LONGEST_JUMP = 255


@dataclass(frozen=True, slots=True)
class Architecture:
    """A machine that filters exist for: its audit number (linux/audit.h), and whether x32 hides in its numbers."""

    name: str
    audit: int
    x32: bool
    column: int


ARCHITECTURES = (
    Architecture("x86_64", 0xC000003E, True, 1),
    Architecture("aarch64", 0xC00000B7, False, 2),
)


def shipped_filter(machine: str | None = None) -> bytes | None:
    """The filter for this machine as the kernel wants it, or ``None`` when none is shipped for it."""
    file = filter_file(machine)
    return None if file is None else file.read_bytes()  # factory: allow Y03 -- a few kB, once, before the first run


def filter_file(machine: str | None = None) -> Path | None:
    """Where the filter for this machine lies."""
    file = _FOLDER / f"{machine or platform.machine()}.bpf"
    return file if file.is_file() else None


def compile_filter(architecture: Architecture, policy: str) -> bytes:
    """The filter for one architecture, as an array of ``struct sock_filter``.

    Raises:
        ValueError: the policy marks a call for which no argument rule exists.
    """
    program = [_load(_ARCHITECTURE_AT), (_JUMP_EQUAL, 1, 0, architecture.audit), _answer(_KILL), _load(_NUMBER_AT)]
    if architecture.x32:
        program += [(_JUMP_NOT_BELOW, 0, 1, _X32_BIT), _answer(_KILL)]
    program += _tree(_segments(_verdicts(architecture, policy)))
    return b"".join(struct.pack("=HBBI", *instruction) for instruction in program)


def architecture_of(machine: str) -> Architecture | None:
    """The machine that the list has a column for, by the name that the kernel gives it."""
    return next((one for one in ARCHITECTURES if one.name == machine), None)


def rows_of(policy: str, architecture: Architecture) -> Iterator[tuple[str, bool]]:
    """Each call that exists on the machine, and whether its arguments are looked at."""
    return ((fields[0], fields[-1] == "?") for fields in _rows(policy, architecture))


def read_policy() -> str:
    """The readable list of allowed calls."""
    return (_FOLDER / "seccomp_policy.txt").read_text(encoding="utf-8")


def _load(offset: int) -> Instruction:
    return (_LOAD_WORD, 0, 0, offset)


def _answer(value: int) -> Instruction:
    return (_RETURN, 0, 0, value)


_ALLOWED = (_answer(_ALLOW),)
_ABSENT = (_answer(_ERRNO | errno.ENOSYS),)
_REFUSED = _answer(_ERRNO | errno.EPERM)


def _refuse_values(argument: int, values: Iterable[int]) -> tuple[Instruction, ...]:
    refused = tuple(values)
    checks = [(_JUMP_EQUAL, len(refused) - place, 0, value) for place, value in enumerate(refused)]
    return (_load(_ARGUMENTS_AT + 8 * argument), *checks, _answer(_ALLOW), _REFUSED)


def _without_namespaces() -> tuple[Instruction, ...]:
    return (_load(_ARGUMENTS_AT), (_JUMP_ANY_BIT, 1, 0, _NAMESPACE_FLAGS), _answer(_ALLOW), _REFUSED)


def _local_sockets_only() -> tuple[Instruction, ...]:
    return (_load(_ARGUMENTS_AT), (_JUMP_EQUAL, 0, 1, _AF_UNIX), _answer(_ALLOW), _REFUSED)


# clone3 hides its flags behind a pointer that no filter can follow; ENOSYS makes libc use clone instead.
_RULES: Mapping[str, Callable[[], tuple[Instruction, ...]]] = {
    "clone": _without_namespaces,
    "clone3": lambda: _ABSENT,
    "socket": _local_sockets_only,
    "socketpair": _local_sockets_only,
    "ioctl": lambda: _refuse_values(1, REFUSED_VALUES["ioctl"]),
    "prctl": lambda: _refuse_values(0, REFUSED_VALUES["prctl"]),
}


def _verdicts(architecture: Architecture, policy: str) -> dict[int, tuple[Instruction, ...]]:
    verdicts: dict[int, tuple[Instruction, ...]] = {}
    for fields in _rows(policy, architecture):
        name, marked = fields[0], fields[-1] == "?"
        if marked and name not in _RULES:
            raise ValueError(f"seccomp_policy.txt marks {name} with ?, but no argument rule is written for it")
        verdicts[int(fields[architecture.column])] = _RULES[name]() if marked else _ALLOWED
    return verdicts


def _rows(policy: str, architecture: Architecture) -> Iterator[list[str]]:
    for line in policy.splitlines():
        fields = line.split()
        if fields and not line.startswith("#") and fields[architecture.column] != "-":
            yield fields


def _segments(verdicts: Mapping[int, tuple[Instruction, ...]]) -> list[tuple[int, tuple[Instruction, ...]]]:
    segments: list[tuple[int, tuple[Instruction, ...]]] = [(0, verdicts.get(0, _ABSENT))]
    for number in range(1, max(verdicts) + 2):
        verdict = verdicts.get(number, _ABSENT)
        if verdict != segments[-1][1]:
            segments.append((number, verdict))
    return segments


def _tree(segments: list[tuple[int, tuple[Instruction, ...]]]) -> list[Instruction]:
    if len(segments) == 1:
        return list(segments[0][1])
    middle = len(segments) // 2
    left, right = _tree(segments[:middle]), _tree(segments[middle:])
    pivot = segments[middle][0]
    if len(left) <= _LONGEST_JUMP:
        return [(_JUMP_NOT_BELOW, len(left), 0, pivot), *left, *right]
    return [(_JUMP_NOT_BELOW, 0, 1, pivot), (_JUMP, 0, 0, len(left)), *left, *right]


def main() -> None:
    """Write the shipped filters again: ``python -m skriptoteket.adapters.sandbox.host.seccomp``."""
    policy = read_policy()
    for architecture in ARCHITECTURES:
        (_FOLDER / f"{architecture.name}.bpf").write_bytes(compile_filter(architecture, policy))


if __name__ == "__main__":
    main()
