"""Every way a script can end, as a real script and the outcome that it must get on every runner."""

from collections.abc import Mapping

from skriptoteket.conformance.playing import Script
from skriptoteket.core.runs.models import Limits, OutcomeCode


def script_of(body: str, head: str = "import os, sys, time, toolkit", **limits: int) -> Script:
    """A script whose entrypoint has this body, and a wall clock of 20 s unless it says otherwise."""
    lines = "\n".join(f"    {line}" for line in body.splitlines())
    source = f"{head}\ndef run_tool(input_dir, output_dir):\n{lines}\n"
    return Script(source, Limits(**{"wall_seconds": 20, **limits}))


ENDINGS: Mapping[str, tuple[Script, OutcomeCode]] = {
    "answer": (script_of("return '<p>hello</p>'"), OutcomeCode.OK),
    "refusal": (script_of("toolkit.refuse('wrong file')"), OutcomeCode.INPUT_REFUSED),
    "refusal inside except Exception": (
        script_of("try:\n    toolkit.refuse('wrong file')\nexcept Exception:\n    return 'swallowed'"),
        OutcomeCode.INPUT_REFUSED,
    ),
    "exception": (script_of("1 / 0"), OutcomeCode.SCRIPT_ERROR),
    "SystemExit": (script_of("sys.exit(0)"), OutcomeCode.SCRIPT_ERROR),
    "KeyboardInterrupt": (script_of("raise KeyboardInterrupt"), OutcomeCode.SCRIPT_ERROR),
    "exit code only": (script_of("os._exit(3)"), OutcomeCode.SCRIPT_ERROR),
    "exit 0 without a result": (script_of("os._exit(0)"), OutcomeCode.CONTRACT_VIOLATION),
    "segmentation fault": (script_of("import ctypes\nctypes.string_at(0)"), OutcomeCode.SCRIPT_ERROR),
    "syntax error": (Script("def run_tool(:\n"), OutcomeCode.SCRIPT_ERROR),
    "no entrypoint": (Script("x = 1\n"), OutcomeCode.SCRIPT_ERROR),
    "unknown parameter": (Script("def run_tool(a, b, c):\n    pass\n"), OutcomeCode.SCRIPT_ERROR),
    "loop": (script_of("while True: pass", wall_seconds=1), OutcomeCode.TIMEOUT),
    "sleep": (script_of("time.sleep(60)", wall_seconds=1), OutcomeCode.TIMEOUT),
    "allocation without end": (
        script_of("kept = []\nwhile True: kept.append(bytearray(1 << 22))", memory_mib=160),
        OutcomeCode.OUT_OF_MEMORY,
    ),
    "one file without end": (
        script_of("f = open(output_dir + '/x', 'wb')\nwhile True: f.write(bytes(1 << 20))", file_mib=8),
        OutcomeCode.DISK_LIMIT,
    ),
    "many files without end": (
        script_of(
            "n = 0\nwhile True:\n    n += 1\n    open(f'{output_dir}/{n}', 'wb').write(bytes(1 << 20))",
            workspace_mib=8,
        ),
        OutcomeCode.DISK_LIMIT,
    ),
    "full temporary folder": (
        script_of("n = 0\nwhile True:\n    n += 1\n    open(f'/tmp/{n}', 'wb').write(bytes(1 << 20))", tmp_mib=4),
        OutcomeCode.DISK_LIMIT,
    ),
    "inodes without end": (
        script_of("n = 0\nwhile True:\n    n += 1\n    open(f'{output_dir}/{n}', 'w').close()"),
        OutcomeCode.DISK_LIMIT,
    ),
    "printing without end": (script_of("while True: print('x' * 65536)"), OutcomeCode.OUTPUT_LIMIT),
    "printing errors without end": (
        script_of("while True: print('x' * 9999, file=sys.stderr)"),
        OutcomeCode.OUTPUT_LIMIT,
    ),
    "huge result": (script_of("return 'x' * 3_000_000"), OutcomeCode.OUTPUT_LIMIT),
    "too many files": (
        script_of("for n in range(60): open(f'{output_dir}/{n}', 'w').close()"),
        OutcomeCode.OUTPUT_LIMIT,
    ),
    "link among the files": (script_of("os.symlink('/etc/passwd', output_dir + '/x')"), OutcomeCode.CONTRACT_VIOLATION),
    "pipe among the files": (script_of("os.mkfifo(output_dir + '/x')"), OutcomeCode.CONTRACT_VIOLATION),
    "result is a pipe": (script_of("os.mkfifo('/job/result.json')\nos._exit(0)"), OutcomeCode.CONTRACT_VIOLATION),
    "result is a link": (
        script_of("os.symlink('/job/request.json', '/job/result.json')\nos._exit(0)"),
        OutcomeCode.CONTRACT_VIOLATION,
    ),
    "result is a folder": (script_of("os.mkdir('/job/result.json')\nreturn 'x'"), OutcomeCode.SCRIPT_ERROR),
    "output folder replaced": (
        script_of("os.rmdir(output_dir)\nos.symlink('/', output_dir)"),
        OutcomeCode.CONTRACT_VIOLATION,
    ),
    "forged result, then a crash": (
        script_of("open('/job/result.json', 'w').write('{\"contract\":1,\"status\":\"ok\"}')\nos.abort()"),
        OutcomeCode.SCRIPT_ERROR,
    ),
    "socket": (script_of("import socket\nsocket.socket()"), OutcomeCode.SCRIPT_ERROR),
}
