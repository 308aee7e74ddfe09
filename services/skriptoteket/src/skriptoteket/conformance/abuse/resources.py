"""Attacks on time, memory, disk and output."""

# ruff: noqa: E501 - a line of an attack is kept as its script has it

from skriptoteket.conformance.abuse.attack import ENDS_SOMEHOW, HARMLESS, Attack, expect
from skriptoteket.core.runs.models import OutcomeCode

_MEMORY = expect(OutcomeCode.OUT_OF_MEMORY, OutcomeCode.SCRIPT_ERROR)
_TIME = expect(OutcomeCode.TIMEOUT)
_DISK = expect(OutcomeCode.DISK_LIMIT, OutcomeCode.SCRIPT_ERROR)
_OUTPUT = expect(OutcomeCode.OUTPUT_LIMIT)
_SHORT = {"wall_seconds": 1}

RESOURCES = (
    Attack(
        "R01", "fork_bomb",
        "made = 0\ntry:\n    while True:\n        if os.fork() == 0:\n            time.sleep(60); os._exit(0)\n"
        "        made += 1\nexcept OSError:\n    pass\nif made > 70: print('ESCAPED', made)",
        ENDS_SOMEHOW, {"wall_seconds": 5}, 12,
    ),
    Attack(
        "R02", "thread_bomb",
        "made = 0\ntry:\n    while made < 500:\n        threading.Thread(target=time.sleep, args=(60,), daemon=True).start()\n"
        "        made += 1\nexcept RuntimeError:\n    pass\nif made > 70: print('ESCAPED', made)",
        ENDS_SOMEHOW, {"wall_seconds": 5}, 12,
    ),
    Attack("R03", "cpu_spin", "while True: pass", _TIME, _SHORT, 5),
    Attack("R04", "sleep_forever", "time.sleep(1e6)", _TIME, _SHORT, 5),
    Attack("R05", "regex_backtracking", "import re\nre.match('(a+)+$', 'a' * 60 + 'b')", _TIME, _SHORT, 5),
    Attack("R06", "heap_bomb", "kept = []\nwhile True: kept.append(bytearray(1 << 22))", _MEMORY),
    Attack(
        "R07", "many_small_children_bomb",
        "for n in range(40):\n    if os.fork() == 0:\n        kept = bytearray(24 << 20)\n"
        "        for at in range(0, len(kept), 4096): kept[at] = 1\n        time.sleep(60); os._exit(0)\n"
        "time.sleep(60)",
        expect(OutcomeCode.OUT_OF_MEMORY, OutcomeCode.TIMEOUT, OutcomeCode.SCRIPT_ERROR), {"wall_seconds": 5}, 12,
    ),
    Attack(
        "R08", "dev_shm_fill", "with open('/dev/shm/x', 'wb') as f:\n    while True: f.write(bytes(1 << 20))",
        _DISK | _MEMORY,
    ),
    Attack("R09", "memfd_fill", "tried('memfd', lambda: call(319, 279, b'x', 0))"),
    Attack(
        "R10", "socket_buffer_fill",
        "kept = []\ntry:\n    while True:\n        a, b = socket.socketpair()\n        a.setblocking(False); kept.append((a, b))\n"
        "        try:\n            while True: a.send(bytes(65536))\n        except BlockingIOError: pass\n"
        "except OSError: pass",
        ENDS_SOMEHOW,
    ),
    Attack(
        "R11", "mmap_and_mlock",
        "import mmap\nkept = mmap.mmap(-1, 64 << 20)\naddress = ctypes.addressof(ctypes.c_char.from_buffer(kept))\n"
        "if libc.mlock(ctypes.c_void_p(address), ctypes.c_size_t(64 << 20)) == 0: print('ESCAPED mlock')\nos._exit(7)",
    ),
    Attack(
        "R12", "deep_recursion", "sys.setrecursionlimit(1 << 30)\ndef deeper(): return deeper()\ndeeper()",
        _MEMORY | HARMLESS,
    ),
    Attack(
        "R13", "swap_pressure",
        "kept = bytearray(1 << 30)\nfor at in range(0, len(kept), 4096): kept[at] = 1\nprint('ESCAPED')", _MEMORY,
    ),
    Attack(
        "R14", "zip_bomb_opened_by_script",
        "import io, zipfile\nraw = io.BytesIO()\nwith zipfile.ZipFile(raw, 'w', zipfile.ZIP_DEFLATED) as z:\n"
        "    z.writestr('x', bytes(100 << 20))\ndata = []\n"
        "while True: data.append(zipfile.ZipFile(raw).read('x'))",
        _MEMORY, {"wall_seconds": 60}, 60,
    ),
    Attack(
        "R15", "fill_output",
        "n = 0\nwhile True:\n    n += 1\n    with open(f'{output_dir}/{n}', 'wb') as f: f.write(bytes(1 << 20))",
        _DISK, {"workspace_mib": 16},
    ),
    Attack(
        "R16", "fill_tmp", "n = 0\nwhile True:\n    n += 1\n    with open(f'/tmp/{n}', 'wb') as f: f.write(bytes(1 << 20))",
        _DISK, {"tmp_mib": 8},
    ),
    Attack("R17", "inode_bomb", "n = 0\nwhile True:\n    n += 1\n    open(f'{output_dir}/{n}', 'w').close()", _DISK),
    Attack(
        "R18", "sparse_1tb",
        "with open(output_dir + '/x', 'wb') as f:\n    f.truncate(60 << 20)\nwith open(output_dir + '/y', 'wb') as f:\n"
        "    f.truncate(1 << 40)",
        _DISK, {}, 5,
    ),
    Attack(
        "R19", "fd_exhaustion",
        "kept = []\ntry:\n    while True: kept.append(open('/dev/null'))\nexcept OSError as e:\n"
        "    if len(kept) > 300: print('ESCAPED', len(kept))\n    kept.clear()",
    ),
    Attack(
        "R20", "core_dump",
        "if resource.getrlimit(resource.RLIMIT_CORE) != (0, 0): print('ESCAPED core')\nos.abort()",
        expect(OutcomeCode.SCRIPT_ERROR),
    ),
    Attack("R21", "dev_full", "with open('/dev/full', 'w') as f: f.write('x')", _DISK),
    Attack(
        "R22", "write_input_dir",
        "tried('input', lambda: open(input_dir + '/x', 'w'))\ntried('script', lambda: open('/job/script.py', 'a'))\n"
        "tried('request', lambda: os.remove('/job/request.json'))",
    ),
    Attack("R23", "stdout_flood", "while True: print('x' * 65536)", _OUTPUT),
    Attack("R24", "stderr_flood", "while True: print('x' * 65536, file=sys.stderr)", _OUTPUT),
    Attack("R25", "flood_without_newline", "while True: sys.stdout.write('x' * 65536)", _OUTPUT),
    Attack(
        "R26", "progress_flood", "import toolkit\nfor n in range(200_000): toolkit.progress(n % 100, 'x' * 9000)", HARMLESS,
    ),
    Attack("R27", "result_100mb", "return 'x' * (60 << 20)", _OUTPUT | _MEMORY),
    Attack(
        "R28", "result_nested_1e6",
        "open('/job/result.json', 'w').write('{\"contract\":1,\"status\":\"ok\",\"outputs\":' + '[' * 900_000)\nos._exit(0)",
        expect(OutcomeCode.CONTRACT_VIOLATION),
    ),
    Attack(
        "R29", "artifacts_10000", "for n in range(10_000): open(f'{output_dir}/{n}', 'w').close()", _OUTPUT,
        {"inodes": 12_000},
    ),
    Attack(
        "R30", "artifact_total_over_cap",
        "for n in range(3):\n    with open(f'{output_dir}/{n}', 'wb') as f: f.truncate(60 << 20)", _OUTPUT,
    ),
    Attack(
        "R31", "nice_sched_ionice_oom_adj",
        "tried('nice', lambda: os.nice(-5))\n"
        "tried('fifo', lambda: os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(10)))\n"
        "tried('ionice', lambda: call(251, 30, 1, 0, 1 << 13))\n"
        "tried('oom', lambda: os.write(os.open('/proc/self/oom_score_adj', os.O_WRONLY), b'-1000'))",
    ),
    Attack(
        "R32", "raise_rlimits",
        "for name in ('NPROC', 'FSIZE', 'NOFILE', 'CORE'):\n    limit = getattr(resource, f'RLIMIT_{name}')\n"
        "    most = resource.getrlimit(limit)[1]\n"
        "    tried(name, lambda: resource.setrlimit(limit, (most + 1, most + 1)))",
    ),
)  # fmt: skip
