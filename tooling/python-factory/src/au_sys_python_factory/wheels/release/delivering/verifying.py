"""The release from the other side: out of the index into an empty environment."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from au_sys_python_factory.errors import FactoryError, Refused
from au_sys_python_factory.wheels.building import Built
from au_sys_python_factory.wheels.environment import Environment, answering_scripts, export_lock, make_environment
from au_sys_python_factory.wheels.index.addresses import Index
from au_sys_python_factory.wheels.index.fetching import fetch_wheels
from au_sys_python_factory.wheels.members import Member, Workspace
from au_sys_python_factory.wheels.release.delivering.gate import Refusal


@contextmanager
def installed_from(
    workspace: Workspace, index: Index, members: Sequence[Member], tell: Callable[[str], None]
) -> Iterator[tuple[Built, Environment]]:
    """An empty environment with what the index delivers; other packages as locked. It is removed at the end.

    Raises:
        FactoryError: a file is missing or other, or the environment does not come together.
    """
    folder = Path(tempfile.mkdtemp(prefix="fsp-verify-"))
    try:
        fetched = fetch_wheels(index, members, folder / "wheels")
        tell(f"{len(fetched.wheels)} wheels fetched, hashes as the index names them")
        requirements = export_lock(workspace.root, [member.name for member in members])
        environment = make_environment(
            folder / "venv", root=workspace.root, requirements=requirements, wheels=fetched.wheels
        )
        tell(f"installed into an empty environment: {environment.packages} packages, uv pip check passed")
        _start(environment, members)
        tell("every console script answers")
        yield fetched, environment
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def compare_sums(fetched: Built, sums: Path) -> None:
    """The index delivers what was built.

    Raises:
        Refused: there are no sums to compare with.
        Refusal: a file differs.
    """
    if not sums.is_file():
        raise Refused("no sums of what was built", where=str(sums), fix="just build-wheels")
    expected = {name: value for value, name in (line.split() for line in sums.read_text("utf-8").splitlines())}
    differing = [wheel.path.name for wheel in fetched.wheels if expected.get(wheel.path.name) != wheel.sha256]
    if differing:
        raise Refusal(f"not the files that were built: {', '.join(differing)}", where=str(sums))


def yank_commands(members: Sequence[Member]) -> list[str]:
    """What to do when a release has to be withdrawn, newest dependents first."""
    return [f"yank {member.name} {member.version}" for member in reversed(members)]


def _start(environment: Environment, members: Sequence[Member]) -> None:
    scripts = [script for member in members for script in member.scripts]
    silent = [script for script, answer in answering_scripts(environment, scripts).items() if not answer]
    if silent:
        raise FactoryError(f"console scripts without an answer: {', '.join(silent)}")
