"""The engine's form of the same list of system calls: an allow-list, whatever the engine's own default allows.

Arguments are compared with masks of 32 bits: the kernel looks at no more of them, so a value with high bits set must
not pass as another one.

Source: https://docs.docker.com/engine/security/seccomp/ and the Linux part of the OCI runtime specification.
"""

import errno
import json
from collections.abc import Callable, Iterable, Iterator, Mapping

from skriptoteket.adapters.sandbox.host.seccomp import REFUSED_VALUES, Architecture, architecture_of, rows_of

_WORD = 32
_ONLY_UNIX = 1
_NAMESPACES = 0x7E020000


def seccomp_profile(machine: str, policy: str) -> str:
    """The profile as the API takes it. A machine that no column is written for gets one that allows nothing."""
    architecture = architecture_of(machine)
    allowed: list[str] = []
    ruled: list[dict[str, object]] = []
    for name, marked in rows_of(policy, architecture) if architecture is not None else ():
        if marked:
            ruled += _rules(name)
        else:
            allowed.append(name)
    return json.dumps(
        {
            "defaultAction": "SCMP_ACT_ERRNO",
            "defaultErrnoRet": errno.ENOSYS,
            "archMap": [_native(architecture)] if architecture is not None else [],
            "syscalls": [
                {"names": allowed, "action": "SCMP_ACT_ALLOW"},
                {"names": ["clone3"], "action": "SCMP_ACT_ERRNO", "errnoRet": errno.ENOSYS},
                *ruled,
            ],
        }
    )


def _native(architecture: Architecture) -> dict[str, object]:
    # No sub-architectures: what comes through another ABI is killed.
    return {"architecture": f"SCMP_ARCH_{architecture.name.upper()}", "subArchitectures": []}


def _rules(name: str) -> list[dict[str, object]]:
    conditions = _CONDITIONS.get(name)
    return [] if conditions is None else [_allow(name, one) for one in conditions()]


def _allow(name: str, condition: tuple[int, int, int]) -> dict[str, object]:
    index, mask, value = condition
    compared = {"index": index, "value": mask, "valueTwo": value, "op": "SCMP_CMP_MASKED_EQ"}
    return {"names": [name], "action": "SCMP_ACT_ALLOW", "args": [compared]}


def _all_but(index: int, refused: Iterable[int]) -> Iterator[tuple[int, int, int]]:
    """Masks that together match every word of 32 bits except some."""
    yield from ((index, mask, value) for mask, value in _outside(tuple(refused), _WORD - 1, 0, 0))


def _outside(refused: tuple[int, ...], bit: int, mask: int, value: int) -> Iterator[tuple[int, int]]:
    if not refused:
        yield mask, value
        return
    if bit < 0:
        return
    for here in (0, 1):
        inside = tuple(one for one in refused if one >> bit & 1 == here)
        yield from _outside(inside, bit - 1, mask | 1 << bit, value | here << bit)


_CONDITIONS: Mapping[str, Callable[[], Iterable[tuple[int, int, int]]]] = {
    "clone": lambda: ((0, _NAMESPACES, 0),),
    "socket": lambda: ((0, 0xFFFFFFFF, _ONLY_UNIX),),
    "socketpair": lambda: ((0, 0xFFFFFFFF, _ONLY_UNIX),),
    "ioctl": lambda: _all_but(1, REFUSED_VALUES["ioctl"]),
    "prctl": lambda: _all_but(0, REFUSED_VALUES["prctl"]),
}
