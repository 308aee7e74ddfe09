"""Each way a script can end has its own outcome, told apart by real scripts in the real sandbox."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from skriptoteket.adapters.sandbox.bubblewrap import BubblewrapSandbox
from skriptoteket.adapters.sandbox.host.cgroups import Cgroups, NoCgroups, choose_cgroups
from skriptoteket.adapters.sandbox.zygote import ZygoteSandbox
from skriptoteket.conformance.endings import ENDINGS, script_of
from skriptoteket.conformance.playing import GivenFile, Played, Script, play, watch
from skriptoteket.core.runs.models import OutcomeCode
from skriptoteket.core.runs.sandbox import Sandbox

pytestmark = pytest.mark.needs_bwrap


@pytest.fixture(params=["bubblewrap", "bubblewrap-soft", "zygote", "zygote-soft"])
async def sandbox(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Sandbox]:
    """Each runner, with the strongest limits of this host and with soft limits only."""
    cgroups: Cgroups = NoCgroups() if request.param.endswith("soft") else choose_cgroups()
    if request.param.startswith("bubblewrap"):
        yield BubblewrapSandbox(tmp_path, cgroups=cgroups)
    else:
        zygote = ZygoteSandbox(tmp_path, cgroups=cgroups, warm_slots=0)
        yield zygote
        await zygote.close()
    assert list((tmp_path / "sandboxes").glob("*")) == []


@pytest.mark.parametrize("name", ENDINGS)
async def test_every_end_has_its_outcome(sandbox: Sandbox, name: str) -> None:
    """A script that ends in a known way gets the outcome of that way, and nothing of it is left."""
    script, expected = ENDINGS[name]

    played = await play(sandbox, script)

    assert expected == played.code, played


async def test_cancel_ends_a_script_within_a_second(sandbox: Sandbox) -> None:
    """A run that is cancelled ends as cancelled, at once, though it ignores every signal."""
    script = script_of(
        "import signal\nfor n in set(signal.Signals) - {9, 19}: signal.signal(n, signal.SIG_IGN)\n"
        "print('here', flush=True)\ntime.sleep(60)"
    )
    handle = await sandbox.start(script.spec())
    played = await watch(sandbox, handle, script.limits, kill="cancelled")
    await sandbox.destroy(handle)

    assert played.code == OutcomeCode.CANCELLED
    assert played.seconds < 1.0


async def test_deadline_is_kept(sandbox: Sandbox) -> None:
    """A script that never ends is over soon after its deadline, whatever runs beside it."""
    played = await play(sandbox, script_of("while True: pass", wall_seconds=1))

    assert played.exited.usage.wall_seconds >= 1.0  # type: ignore[operator]  # the sandbox always measures it
    assert played.seconds < 1.5


async def test_inputs_arrive_and_files_leave(sandbox: Sandbox) -> None:
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


async def test_streams_keep_both_ends(sandbox: Sandbox) -> None:
    """Bytes that are no UTF-8 harm nothing, and of much output the first and the last part are kept."""
    script = script_of("sys.stdout.buffer.write(b'first\\xff' + b'.' * 300_000 + b'last')\nsys.stderr.write('warned')")

    played = await play(sandbox, script)

    assert played.code == OutcomeCode.OK
    assert played.stdout.startswith("first\ufffd")
    assert played.stdout.endswith("last")
    assert "bytes left out" in played.stdout
    assert played.stderr == "warned"


async def test_progress_is_told(sandbox: Sandbox) -> None:
    """Progress arrives clamped and shortened, and a flood of it is dropped without harm."""
    script = script_of("toolkit.progress(250, 'y' * 999)\nfor n in range(10_000): toolkit.progress(n / 100)")

    played = await play(sandbox, script)

    assert played.code == OutcomeCode.OK, played
    assert (played.progress[0].percent, played.progress[0].message) == (100.0, "y" * 200)
    assert len(played.progress) <= 100


async def test_syntax_error_names_its_place(sandbox: Sandbox) -> None:
    """An author is told line, column and code of a syntax error; a user is not."""
    played: Played = await play(sandbox, Script("x = 1\ndef run_tool(:\n"))

    assert "line 2, column 14" in played.outcome.author_detail
    assert "line" not in played.outcome.message


async def test_nothing_of_the_environment_is_inherited(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """A secret in the worker's environment reaches neither the script's variables nor its memory or descriptors."""
    monkeypatch.setenv("SKRIPTOTEKET_DATABASE_URL", "planted-secret-8f3a")
    script = script_of(
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
