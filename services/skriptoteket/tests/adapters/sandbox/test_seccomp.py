"""The shipped filters are what the readable list says, for both architectures, and small."""

import struct

import pytest

from skriptoteket.adapters.sandbox.host.seccomp import (
    ARCHITECTURES,
    Architecture,
    compile_filter,
    read_policy,
    shipped_filter,
)

_FORBIDDEN = {
    "x86_64": {
        "unshare": 272, "setns": 308, "mount": 165, "ptrace": 101, "bpf": 321, "keyctl": 250, "add_key": 248,
        "io_uring_setup": 425, "userfaultfd": 323, "perf_event_open": 298, "kexec_load": 246, "init_module": 175,
        "process_vm_readv": 310, "memfd_create": 319, "memfd_secret": 447, "personality": 135, "modify_ldt": 154,
        "pivot_root": 155, "chroot": 161, "reboot": 169, "swapon": 167, "name_to_handle_at": 303, "vmsplice": 278,
        "open_by_handle_at": 304, "open_tree": 428, "move_mount": 429, "fsopen": 430, "seccomp": 317, "clone3": 435,
    },
    "aarch64": {"unshare": 97, "setns": 268, "mount": 40, "ptrace": 117, "bpf": 280, "keyctl": 219, "clone3": 435},
}  # fmt: skip


def _answer(program: bytes, audit: int, number: int, arguments: tuple[int, ...] = (0, 0)) -> int:
    data = {0: number, 4: audit, **{16 + 8 * place: value for place, value in enumerate(arguments)}}
    code = list(struct.iter_unpack("=HBBI", program))
    accumulator, at = 0, 0
    while True:
        operation, jump_true, jump_false, value = code[at]
        at += 1
        if operation == 0x20:
            accumulator = data.get(value, 0)
        elif operation == 0x06:
            return int(value)
        elif operation == 0x05:
            at += value
        else:
            holds = {0x15: accumulator == value, 0x35: accumulator >= value, 0x45: bool(accumulator & value)}[operation]
            at += jump_true if holds else jump_false


@pytest.mark.parametrize("architecture", ARCHITECTURES, ids=lambda one: one.name)
def test_shipped_filter_is_compiled_from_the_list(architecture: Architecture) -> None:
    """The bytes in the package are exactly what the list compiles to, in at most 310 instructions."""
    compiled = compile_filter(architecture, read_policy())

    assert compiled == shipped_filter(architecture.name)
    assert len(compiled) // 8 <= 310


@pytest.mark.parametrize("architecture", ARCHITECTURES, ids=lambda one: one.name)
def test_every_listed_call_is_allowed_and_no_other(architecture: Architecture) -> None:
    """A call is allowed exactly if the list has it; what is not listed does not exist for a script."""
    program = compile_filter(architecture, read_policy())
    rows = [line.split() for line in read_policy().splitlines() if line and not line.startswith("#")]
    plain = {int(row[architecture.column]) for row in rows if row[architecture.column] != "-" and row[-1] != "?"}
    marked = {int(row[architecture.column]) for row in rows if row[architecture.column] != "-" and row[-1] == "?"}

    allowed = {number for number in range(1024) if _answer(program, architecture.audit, number) == 0x7FFF0000}

    assert plain == allowed - marked
    assert all(_answer(program, architecture.audit, n) & 0xFFFF0000 == 0x50000 for n in set(range(1024)) - allowed)


@pytest.mark.parametrize(
    ("name", "call"), [(name, call) for name, calls in _FORBIDDEN.items() for call in calls], ids=str
)
def test_dangerous_calls_are_refused(name: str, call: str) -> None:
    """Namespaces, mounts, tracing, keys, rings, modules and their kind are refused on each architecture."""
    architecture = next(one for one in ARCHITECTURES if one.name == name)
    program = compile_filter(architecture, read_policy())

    assert _answer(program, architecture.audit, _FORBIDDEN[name][call]) & 0xFFFF0000 == 0x50000


@pytest.mark.parametrize("architecture", ARCHITECTURES, ids=lambda one: one.name)
def test_foreign_calls_kill(architecture: Architecture) -> None:
    """A call through another ABI ends the script."""
    program = compile_filter(architecture, read_policy())

    assert _answer(program, 0x40000003, 1) == 0x80000000
    if architecture.x32:
        assert _answer(program, architecture.audit, 0x40000001) == 0x80000000


def test_arguments_decide() -> None:
    """A thread may be made but no namespace; a local socket but no other; terminal injection is refused."""
    x86 = ARCHITECTURES[0]
    program = compile_filter(x86, read_policy())

    def answer(number: int, *arguments: int) -> int:
        return _answer(program, x86.audit, number, arguments)

    assert answer(56, 0x3D0F00) == 0x7FFF0000
    assert answer(56, 0x10000000) == 0x50001
    assert answer(56, 0x00020011) == 0x50001
    assert answer(41, 1) == 0x7FFF0000
    assert answer(41, 2) == 0x50001
    assert answer(16, 0, 0x5412) == 0x50001
    assert answer(16, 0, 0x5401) == 0x7FFF0000
    assert answer(157, 1) == 0x50001
