"""What is special about warm slots: they wait, wear out, die with their zygote, and remember nothing."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from skriptoteket.adapters.sandbox.zygote import ZygoteSandbox
from skriptoteket.conformance.endings import script_of
from skriptoteket.conformance.playing import play
from skriptoteket.core.runs.models import Limits, OutcomeCode

_LIMITS = Limits(wall_seconds=20)


@pytest.fixture
async def sandbox(tmp_path: Path) -> AsyncIterator[ZygoteSandbox]:
    """A zygote with one waiting slot that is replaced after three runs."""
    one = ZygoteSandbox(tmp_path, warm_slots=1, max_runs=3)
    yield one
    await one.close()
    assert list((tmp_path / "sandboxes").glob("*")) == []


async def test_two_runs_share_no_randomness(sandbox: ZygoteSandbox) -> None:
    """Forks of one zygote draw different random numbers and different temporary names."""
    script = script_of("import random, tempfile\nreturn f'{random.random()} {tempfile.mkstemp()[1]}'")
    drawn = [(await play(sandbox, script)).answer for _ in range(2)]

    assert drawn[0] is not None
    assert drawn[1] is not None
    first, second = (str(answer.outputs[0]["html"]).split() for answer in drawn if answer is not None)
    assert first[0] != second[0]
    assert first[1] != second[1]


async def test_a_module_that_one_run_poisons_is_clean_in_the_next(sandbox: ZygoteSandbox) -> None:
    """What a script changes in an imported module dies with it."""
    await play(sandbox, script_of("import json\njson.dumps = lambda *a, **k: 'poisoned'"))
    played = await play(sandbox, script_of("import json\nreturn json.dumps(1)"))

    assert played.answer is not None
    assert played.answer.outputs[0]["html"] == "1"


async def test_a_worn_zygote_is_replaced_between_runs(sandbox: ZygoteSandbox) -> None:
    """Past its number of runs a zygote gives way to a fresh one, and no run notices."""
    seen = set()
    for _ in range(8):
        assert (await play(sandbox, script_of("return 'x'", wall_seconds=20))).code is OutcomeCode.OK
        seen.add(id(sandbox._zygote))

    assert len(seen) > 1


async def test_a_killed_zygote_takes_its_runs_along_and_is_replaced(sandbox: ZygoteSandbox) -> None:
    """When the zygote is killed, a live run ends as infrastructure, and the next run works."""
    await sandbox.prepare(_LIMITS)
    running = asyncio.create_task(play(sandbox, script_of("time.sleep(60)")))
    while not sandbox._used:
        await asyncio.sleep(0.01)
    (zygote, _), *_ = sandbox._used.values()
    assert zygote.process is not None
    os.kill(zygote.process.pid, signal.SIGKILL)

    assert (await running).code is OutcomeCode.INFRASTRUCTURE
    assert (await play(sandbox, script_of("return 'x'"))).code is OutcomeCode.OK


async def test_a_slot_that_died_while_it_waited_is_not_used(sandbox: ZygoteSandbox) -> None:
    """A waiting slot that somebody killed is thrown away, and the run gets another one."""
    await sandbox.prepare(_LIMITS)
    ((_, slot),) = next(iter(sandbox._parked.values()))
    assert slot.pid is not None
    os.kill(slot.pid, signal.SIGKILL)
    while slot.alive:
        await asyncio.sleep(0.01)

    assert (await play(sandbox, script_of("return 'x'"))).code is OutcomeCode.OK


async def test_zygote_and_slot_hold_no_secret(sandbox: ZygoteSandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither the zygote nor a waiting slot has the worker's secrets in its memory."""
    monkeypatch.setenv("SKRIPTOTEKET_DATABASE_URL", "postgresql://x:planted-7719@host/db")
    await sandbox.prepare(_LIMITS)
    assert sandbox._zygote is not None
    assert sandbox._zygote.process is not None
    ((_, slot),) = next(iter(sandbox._parked.values()))

    for pid in (sandbox._zygote.process.pid, slot.pid, slot.script_pid):
        assert b"planted-7719" not in _memory(pid)


def _memory(pid: int | None) -> bytes:
    found = bytearray()
    with open(f"/proc/{pid}/mem", "rb") as memory:
        for line in Path(f"/proc/{pid}/maps").read_text().splitlines():
            start, end = (int(part, 16) for part in line.split()[0].split("-"))
            if "rw" in line and "[v" not in line:
                try:
                    memory.seek(start)
                    found += memory.read(end - start)
                except (OSError, ValueError):
                    continue
    return bytes(found)
