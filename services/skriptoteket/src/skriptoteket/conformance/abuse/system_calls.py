"""Attacks on the kernel's surface; a refusal or a kill is containment, success is not."""

# ruff: noqa: E501 - a line of an attack is kept as its script has it

from skriptoteket.conformance.abuse.attack import HARMLESS, Attack, expect
from skriptoteket.core.runs.models import OutcomeCode

_OR_KILLED = HARMLESS | expect(OutcomeCode.SCRIPT_ERROR)

SYSTEM_CALLS = (
    Attack(
        "S01", "ptrace",
        "tried('traceme', lambda: call(101, 117, 0, 0, 0, 0))\ntried('attach', lambda: call(101, 117, 16, 1, 0, 0))\n"
        "tried('seize', lambda: call(101, 117, 0x4206, 1, 0, 0))",
    ),
    Attack(
        "S02", "process_vm_readv",
        "tried('read', lambda: call(310, 270, 1, bytes(16), 1, bytes(16), 1, 0))\n"
        "tried('write', lambda: call(311, 271, 1, bytes(16), 1, bytes(16), 1, 0))\n"
        "tried('madvise', lambda: call(440, 440, 1, 0, 0, 0, 0))\ntried('getfd', lambda: call(438, 438, os.pidfd_open(1), 0, 0))",
    ),
    Attack(
        "S03", "io_uring",
        "tried('setup', lambda: call(425, 425, 8, bytes(120)))\ntried('enter', lambda: call(426, 426, 0, 0, 0, 0, 0))\n"
        "tried('register', lambda: call(427, 427, 0, 0, 0, 0))",
    ),
    Attack("S04", "bpf", "tried('bpf', lambda: call(321, 280, 0, bytes(120), 120))"),
    Attack("S05", "perf_event_open", "tried('perf', lambda: call(298, 241, bytes(120), 0, -1, -1, 0))"),
    Attack("S06", "userfaultfd", "tried('userfaultfd', lambda: call(323, 282, 1))"),
    Attack(
        "S07", "keyctl",
        "tried('keyctl', lambda: call(250, 219, 0, -3, 1))\ntried('add_key', lambda: call(248, 217, b'user', b'x', b'y', 1, -3))\n"
        "tried('request_key', lambda: call(249, 218, b'user', b'x', 0, -3))",
    ),
    Attack("S08", "memfd_secret", "tried('memfd_secret', lambda: call(447, 447, 0))"),
    Attack("S09", "memfd_exec", "tried('memfd', lambda: call(319, 279, b'x', 0))"),
    Attack(
        "S10", "tiocsti",
        "import fcntl\ntried('sti', lambda: fcntl.ioctl(0, 0x5412, b'x'))\ntried('linux', lambda: fcntl.ioctl(0, 0x541C, b'x'))\n"
        "tried('sti high', lambda: call(16, 29, 0, 0x100005412, b'x'))",
    ),
    Attack(
        "S11", "foreign_abi_x32_i386",
        "pid = os.fork()\nif pid == 0:\n    libc.syscall(ctypes.c_long(0x40000000 | 39)); os._exit(0)\n"
        "_, status = os.waitpid(pid, 0)\nif status == 0 and not _arm: print('ESCAPED x32')\n"
        "code = b'\\xb8\\x14\\x00\\x00\\x00\\xcd\\x80\\xc3'\nimport mmap\nif not _arm and os.fork() == 0:\n"
        "    page = mmap.mmap(-1, 4096, prot=7)\n    page.write(code)\n"
        "    run = ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(page)))\n    got = run()\n"
        "    if got > 0: print('ESCAPED i386', got, flush=True)\n    os._exit(0)\ntry: os.wait()\nexcept ChildProcessError: pass",
        _OR_KILLED,
    ),
    Attack("S12", "modify_ldt", "tried('modify_ldt', lambda: call(154, 9999, 1, bytes(16), 16))"),
    Attack(
        "S13", "kexec_and_modules",
        "tried('kexec', lambda: call(246, 104, 0, 0, 0, 0))\ntried('kexec_file', lambda: call(320, 294, 0, 0, 0, 0, 0))\n"
        "tried('init', lambda: call(175, 105, 0, 0, b''))\ntried('finit', lambda: call(313, 273, 0, b'', 0))\n"
        "tried('delete', lambda: call(176, 106, b'x', 0))",
    ),
    Attack("S14", "personality", "tried('personality', lambda: call(135, 92, 0x0040000))"),
    Attack(
        "S15", "seccomp_replace",
        "tried('seccomp', lambda: call(317, 277, 1, 0, 0))\ntried('prctl', lambda: call(157, 167, 22, 2, 0, 0, 0))\n"
        "status = open('/proc/self/status').read()\nif 'Seccomp:\\t2' not in status: print('ESCAPED', status)",
    ),
    Attack(
        "S16", "clone3_flags",
        "import struct\nfor flag in (0x10000000, 0x20000, 0x20000000, 0x40000000):\n"
        "    tried(hex(flag), lambda: call(435, 435, struct.pack('11Q', flag, *([0] * 3), 17, *([0] * 6)), 88))",
    ),
    Attack(
        "S17", "vmsplice_splice_pipes",
        "a, b = os.pipe()\ntried('vmsplice', lambda: call(278, 75, b, bytes(16), 1, 0))\n"
        "tried('splice', lambda: call(275, 76, a, 0, b, 0, 1, 0))\ntried('tee', lambda: call(276, 77, a, b, 1, 0))",
    ),
    Attack("S18", "name_to_handle", "tried('handle', lambda: call(303, 264, -100, b'/', bytes(200), bytes(8), 0))"),
    Attack(
        "S19", "pivot_root_chroot",
        "tried('pivot', lambda: call(155, 41, b'/tmp', b'/tmp'))\ntried('chroot', lambda: os.chroot('/tmp'))",
    ),
    Attack(
        "S20", "quotactl_swapon_reboot",
        "tried('quotactl', lambda: call(179, 60, 0, 0, 0, 0))\ntried('swapon', lambda: call(167, 224, b'/tmp/x', 0))\n"
        "tried('reboot', lambda: call(169, 142, 0xfee1dead, 672274793, 0, 0))\ntried('acct', lambda: call(163, 89, 0))\n"
        "tried('syslog', lambda: call(103, 116, 3, bytes(64), 64))",
    ),
)  # fmt: skip
