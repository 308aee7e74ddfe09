"""Each way a script can end has its own outcome, told apart by real scripts in the real sandbox."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from skriptoteket.adapters.sandbox.bubblewrap import BubblewrapSandbox
from skriptoteket.adapters.sandbox.cgroups import Cgroups, NoCgroups, choose_cgroups
from skriptoteket.conformance.playing import GivenFile, Played, Script, play, watch
from skriptoteket.core.runs.models import Limits, OutcomeCode

pytestmark = pytest.mark.needs_bwrap


@pytest.fixture(params=["chosen", "none"])
def sandbox(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[BubblewrapSandbox]:
    """Bubblewrap with the strongest limits of this host, and with soft limits only."""
    cgroups: Cgroups = choose_cgroups() if request.param == "chosen" else NoCgroups()
    yield BubblewrapSandbox(tmp_path, cgroups=cgroups)
    assert list((tmp_path / "sandboxes").glob("*")) == []


def _script(body: str, head: str = "import os, sys, time, toolkit", **limits: int) -> Script:
    lines = "\n".join(f"    {line}" for line in body.splitlines())
    source = f"{head}\ndef run_tool(input_dir, output_dir):\n{lines}\n"
    return Script(source, Limits(**{"wall_seconds": 20, **limits}))


CASES: dict[str, tuple[Script, OutcomeCode]] = {
    "answer": (_script("return '<p>hello</p>'"), OutcomeCode.OK),
    "refusal": (_script("toolkit.refuse('wrong file')"), OutcomeCode.INPUT_REFUSED),
    "refusal inside except Exception": (
        _script("try:\n    toolkit.refuse('wrong file')\nexcept Exception:\n    return 'swallowed'"),
        OutcomeCode.INPUT_REFUSED,
    ),
    "exception": (_script("1 / 0"), OutcomeCode.SCRIPT_ERROR),
    "SystemExit": (_script("sys.exit(0)"), OutcomeCode.SCRIPT_ERROR),
    "KeyboardInterrupt": (_script("raise KeyboardInterrupt"), OutcomeCode.SCRIPT_ERROR),
    "exit code only": (_script("os._exit(3)"), OutcomeCode.SCRIPT_ERROR),
    "exit 0 without a result": (_script("os._exit(0)"), OutcomeCode.CONTRACT_VIOLATION),
    "segmentation fault": (_script("import ctypes\nctypes.string_at(0)"), OutcomeCode.SCRIPT_ERROR),
    "syntax error": (Script("def run_tool(:\n"), OutcomeCode.SCRIPT_ERROR),
    "no entrypoint": (Script("x = 1\n"), OutcomeCode.SCRIPT_ERROR),
    "unknown parameter": (Script("def run_tool(a, b, c):\n    pass\n"), OutcomeCode.SCRIPT_ERROR),
    "loop": (_script("while True: pass", wall_seconds=1), OutcomeCode.TIMEOUT),
    "sleep": (_script("time.sleep(60)", wall_seconds=1), OutcomeCode.TIMEOUT),
    "allocation without end": (
        _script("kept = []\nwhile True: kept.append(bytearray(1 << 22))", memory_mib=160),
        OutcomeCode.OUT_OF_MEMORY,
    ),
    "one file without end": (
        _script("f = open(output_dir + '/x', 'wb')\nwhile True: f.write(bytes(1 << 20))", file_mib=8),
        OutcomeCode.DISK_LIMIT,
    ),
    "many files without end": (
        _script(
            "n = 0\nwhile True:\n    n += 1\n    open(f'{output_dir}/{n}', 'wb').write(bytes(1 << 20))",
            workspace_mib=8,
        ),
        OutcomeCode.DISK_LIMIT,
    ),
    "full temporary folder": (
        _script("n = 0\nwhile True:\n    n += 1\n    open(f'/tmp/{n}', 'wb').write(bytes(1 << 20))", tmp_mib=4),
        OutcomeCode.DISK_LIMIT,
    ),
    "inodes without end": (
        _script("n = 0\nwhile True:\n    n += 1\n    open(f'{output_dir}/{n}', 'w').close()"),
        OutcomeCode.DISK_LIMIT,
    ),
    "printing without end": (_script("while True: print('x' * 65536)"), OutcomeCode.OUTPUT_LIMIT),
    "printing errors without end": (
        _script("while True: print('x' * 9999, file=sys.stderr)"),
        OutcomeCode.OUTPUT_LIMIT,
    ),
    "huge result": (_script("return 'x' * 3_000_000"), OutcomeCode.OUTPUT_LIMIT),
    "too many files": (
        _script("for n in range(60): open(f'{output_dir}/{n}', 'w').close()"),
        OutcomeCode.OUTPUT_LIMIT,
    ),
    "link among the files": (_script("os.symlink('/etc/passwd', output_dir + '/x')"), OutcomeCode.CONTRACT_VIOLATION),
    "pipe among the files": (_script("os.mkfifo(output_dir + '/x')"), OutcomeCode.CONTRACT_VIOLATION),
    "result is a pipe": (_script("os.mkfifo('/job/result.json')\nos._exit(0)"), OutcomeCode.CONTRACT_VIOLATION),
    "result is a link": (
        _script("os.symlink('/job/request.json', '/job/result.json')\nos._exit(0)"),
        OutcomeCode.CONTRACT_VIOLATION,
    ),
    "result is a folder": (_script("os.mkdir('/job/result.json')\nreturn 'x'"), OutcomeCode.SCRIPT_ERROR),
    "output folder replaced": (
        _script("os.rmdir(output_dir)\nos.symlink('/', output_dir)"),
        OutcomeCode.CONTRACT_VIOLATION,
    ),
    "forged result, then a crash": (
        _script("open('/job/result.json', 'w').write('{\"contract\":1,\"status\":\"ok\"}')\nos.abort()"),
        OutcomeCode.SCRIPT_ERROR,
    ),
    "socket": (_script("import socket\nsocket.socket()"), OutcomeCode.SCRIPT_ERROR),
}


@pytest.mark.parametrize("name", CASES)
async def test_every_end_has_its_outcome(sandbox: BubblewrapSandbox, name: str) -> None:
    """A script that ends in a known way gets the outcome of that way, and nothing of it is left."""
    script, expected = CASES[name]

    played = await play(sandbox, script)

    assert expected == played.code, played


async def test_cancel_ends_a_script_within_a_second(sandbox: BubblewrapSandbox) -> None:
    """A run that is cancelled ends as cancelled, at once, though it ignores every signal."""
    script = _script(
        "import signal\nfor n in set(signal.Signals) - {9, 19}: signal.signal(n, signal.SIG_IGN)\n"
        "print('here', flush=True)\ntime.sleep(60)"
    )
    handle = await sandbox.start(script.spec())
    played = await watch(sandbox, handle, script.limits, kill="cancelled")
    await sandbox.destroy(handle)

    assert played.code == OutcomeCode.CANCELLED
    assert played.seconds < 1.0


async def test_deadline_is_kept(sandbox: BubblewrapSandbox) -> None:
    """A script that never ends is over soon after its deadline, whatever runs beside it."""
    played = await play(sandbox, _script("while True: pass", wall_seconds=1))

    assert played.exited.usage.wall_seconds >= 1.0  # type: ignore[operator]  # the sandbox always measures it
    assert played.seconds < 1.5


async def test_inputs_arrive_and_files_leave(sandbox: BubblewrapSandbox) -> None:
    """What was uploaded is read in the sandbox byte for byte, and what is written comes out byte for byte."""
    script = Script(
        "import pathlib\n"
        "def run_tool(input_dir, output_dir, files, inputs):\n"
        "    data = pathlib.Path(input_dir, files[0]['name']).read_bytes()\n"
        "    pathlib.Path(output_dir, 'sub').mkdir()\n"
        "    pathlib.Path(output_dir, 'sub', 'å.bin').write_bytes(data[::-1])\n"
        "    return {'outputs': [{'kind': 'notice', 'level': 'info', 'message': inputs['who']}]}\n",
        files=[GivenFile("data.bin", bytes(range(256)))],
        request={"files": [{"name": "data.bin"}], "inputs": {"who": "Åsa"}},
    )

    played = await play(sandbox, script)

    assert played.code == OutcomeCode.OK, played
    assert {"sub/å.bin": bytes(reversed(range(256)))} == played.artifacts
    assert played.answer is not None
    assert played.answer.outputs[0]["message"] == "Åsa"


async def test_streams_keep_both_ends(sandbox: BubblewrapSandbox) -> None:
    """Bytes that are no UTF-8 harm nothing, and of much output the first and the last part are kept."""
    script = _script("sys.stdout.buffer.write(b'first\\xff' + b'.' * 300_000 + b'last')\nsys.stderr.write('warned')")

    played = await play(sandbox, script)

    assert played.code == OutcomeCode.OK
    assert played.stdout.startswith("first\ufffd")
    assert played.stdout.endswith("last")
    assert "bytes left out" in played.stdout
    assert played.stderr == "warned"


async def test_progress_is_told(sandbox: BubblewrapSandbox) -> None:
    """Progress arrives clamped and shortened, and a flood of it is dropped without harm."""
    script = _script("toolkit.progress(250, 'y' * 999)\nfor n in range(10_000): toolkit.progress(n / 100)")

    played = await play(sandbox, script)

    assert played.code == OutcomeCode.OK, played
    assert (played.progress[0].percent, played.progress[0].message) == (100.0, "y" * 200)
    assert len(played.progress) <= 100


async def test_syntax_error_names_its_place(sandbox: BubblewrapSandbox) -> None:
    """An author is told line, column and code of a syntax error; a user is not."""
    played: Played = await play(sandbox, Script("x = 1\ndef run_tool(:\n"))

    assert "line 2, column 14" in played.outcome.author_detail
    assert "line" not in played.outcome.message


async def test_nothing_of_the_environment_is_inherited(
    sandbox: BubblewrapSandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A secret in the worker's environment reaches neither the script's variables nor its memory or descriptors."""
    monkeypatch.setenv("SKRIPTOTEKET_DATABASE_URL", "planted-secret-8f3a")
    script = _script(
        "print(dict(os.environ))\n"
        "print(open('/proc/self/environ', 'rb').read())\n"
        "print(open('/proc/1/environ', 'rb').read())\n"
        "print([os.readlink(f'/proc/self/fd/{n}') for n in sorted(map(int, os.listdir('/proc/self/fd')))[:-1]])\n"
    )

    played = await play(sandbox, script)

    assert "planted-secret" not in played.stdout + played.stderr
    names = {"PATH", "HOME", "LANG", "TZ", "PYTHONDONTWRITEBYTECODE"}
    assert played.stdout.startswith("{'")
    assert all(f"'{name}'" in played.stdout for name in names)
    assert "memfd" not in played.stdout
