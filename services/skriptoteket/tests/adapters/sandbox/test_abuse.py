"""Every attack of the catalogue is contained by every runner, and harms neither its neighbour nor its successor."""

import os
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from skriptoteket.adapters.sandbox.bubblewrap import BubblewrapSandbox
from skriptoteket.adapters.sandbox.zygote import ZygoteSandbox
from skriptoteket.conformance.abuse.campaign import campaign, planted_secret
from skriptoteket.conformance.abuse.catalogue import ATTACKS, CONTROL
from skriptoteket.conformance.abuse.results import PAYLOADS
from skriptoteket.conformance.endings import script_of
from skriptoteket.conformance.playing import play
from skriptoteket.core.runs.models import OutcomeCode
from skriptoteket.core.runs.sandbox import Sandbox

pytestmark = pytest.mark.needs_bwrap
_PACKAGE = Path(__file__).parents[3]
_together = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=["bubblewrap", "zygote"])
async def sandbox(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Sandbox]:
    """One runner for all attacks, as a worker has it, with a secret in its environment and in a file."""
    state_dir: Path = tmp_path_factory.mktemp("state")
    async with planted_secret(state_dir):
        one: Sandbox = BubblewrapSandbox(state_dir) if request.param == "bubblewrap" else ZygoteSandbox(state_dir)
        yield one
        await one.close()
    assert list((state_dir / "sandboxes").glob("*")) == []


@_together
@pytest.mark.parametrize("attack", ATTACKS)
async def test_attack_is_contained(sandbox: Sandbox, attack: str) -> None:
    """The attack ends in time with the outcome it must have and gets nothing; a run started beside it is unharmed."""
    assert [verdict.complaint async for verdict in campaign(sandbox, [ATTACKS[attack]])] == [""]


@_together
async def test_next_run_works(sandbox: Sandbox) -> None:
    """After all attacks the same sandbox object still serves."""
    assert (await play(sandbox, script_of("return 'fine'"))).code is OutcomeCode.OK


@_together
async def test_nothing_leaks_in_the_worker(sandbox: Sandbox) -> None:
    """A hundred runs later the worker holds no more descriptors and mounts than before."""
    await play(sandbox, script_of("pass"))
    await sandbox.close()
    before = (len(os.listdir("/proc/self/fd")), Path("/proc/self/mountinfo").read_text())
    for _ in range(25):
        await play(sandbox, script_of("open(output_dir + '/x', 'w').close()"))
    await sandbox.close()

    assert (len(os.listdir("/proc/self/fd")), Path("/proc/self/mountinfo").read_text()) == before


def test_catalogue_is_complete() -> None:
    """All 153 numbers are there once, in order; those that are no script name a test that there is."""
    counts = {"R": 32, "L": 16, "N": 16, "F": 23, "S": 20, "A": 24, "U": 12, "C": 10}
    wanted = [f"{letter}{number:02}" for letter, most in counts.items() for number in range(1, most + 1)]

    assert [*ATTACKS, *CONTROL] == wanted
    assert [where for _, where in CONTROL.values() if not (_PACKAGE / where).is_file()] == []
    assert len(PAYLOADS) >= 60


def test_table_in_the_documentation_is_complete() -> None:
    """The documented table names every attack by id and name, and tells of none that was not contained."""
    page = (_PACKAGE / "docs" / "abuse.md").read_text(encoding="utf-8")
    documented = re.findall(r"^\| ([A-Z]\d\d) \| (\w+) \|", page, re.MULTILINE)
    names = [*((one.id, one.name) for one in ATTACKS.values()), *((key, name) for key, (name, _) in CONTROL.items())]

    assert names == documented
    assert "escaped" not in page
    assert "not run" not in page
