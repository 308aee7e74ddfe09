"""From members to an installed environment: build what changed, install exactly that, write down what it is."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from au_sys_python_factory.errors import Refused
from au_sys_python_factory.shell.assembly.platform_folder import PlatformFolder
from au_sys_python_factory.shell.steps import Progress
from au_sys_python_factory.shell.supervision.state import StateFolder, write_private
from au_sys_python_factory.wheels.building import Built, BuiltFile, build, read_built
from au_sys_python_factory.wheels.environment import Environment, export_lock, make_environment
from au_sys_python_factory.wheels.index.addresses import find_index
from au_sys_python_factory.wheels.index.fetching import fetch_wheels
from au_sys_python_factory.wheels.resolving import clashes


@dataclass(frozen=True, slots=True)
class Assembly:
    """What is installed."""

    wheels: tuple[BuiltFile, ...]
    environment: Environment

    @property
    def hashes(self) -> dict[str, str]:
        """Distribution -> SHA-256 of its wheel."""
        return {wheel.member: wheel.sha256 for wheel in self.wheels}


def assemble(
    platform: PlatformFolder,
    state: StateFolder,
    progress: Progress,
    *,
    rebuild: bool,
    extras: Sequence[str] = (),
    index: str | None = None,
) -> Assembly:
    """Steps 2 to 4: wheels (built here, or released ones out of an index), environment, byte code.

    Raises:
        FactoryError: a member does not build, the wheels do not fit each other, or an installation failed.
    """
    with progress.step("wheels") as step:
        if index is None:
            built = _wheels(platform, rebuild, progress.say if progress.live else lambda _: None)
            step.result = f"{len(built.rebuilt)} built, {len(built.wheels) - len(built.rebuilt)} reused"
        else:
            built = _released(platform, state, index)
            step.result = f"{len(built.wheels)} fetched from {index}"
    with progress.step("environment") as step:
        requirements = export_lock(platform.workspace.root, [platform.member.name], extras)
        environment = make_environment(
            state.venv, root=platform.workspace.root, requirements=requirements, wheels=built.wheels
        )
        _write_manifest(state, built)
        step.result = f"{environment.packages} packages" + ("" if environment.made else ", as it was")
    with progress.step("byte code") as step:
        step.result = f"{_compiled(environment)} modules"
    return Assembly(built.wheels, environment)


def wheels_of(platform: PlatformFolder, *, rebuild: bool) -> Built:
    """Step 2 alone: the wheels of a platform, fitting each other.

    Raises:
        FactoryError: one does not build, or they do not fit.
    """
    return _wheels(platform, rebuild, lambda _: None)


def _wheels(platform: PlatformFolder, rebuild: bool, tell: Callable[[str], None]) -> Built:
    members = platform.bill_of_materials()
    if rebuild:
        built = build(platform.workspace, members, platform.packages, sdists=False, tell=tell)
    else:
        built = read_built(platform.packages)
        _refuse_foreign(platform, built)
    return _fitting(built)


def _released(platform: PlatformFolder, state: StateFolder, index: str) -> Built:
    chosen = find_index(platform.workspace.root, index)
    return _fitting(fetch_wheels(chosen, platform.bill_of_materials(), state.root / "released"))


def _fitting(built: Built) -> Built:
    refused = clashes(built.wheels)
    if refused:
        raise Refused(
            "the wheels do not fit each other:\n  " + "\n  ".join(clash.sentence for clash in refused),
            fix="widen the bound in the pyproject.toml of the wheel that is named first",
        )
    return built


def _refuse_foreign(platform: PlatformFolder, built: Built) -> None:
    """Without building, what lies in ``packages`` must be what the bill of materials names, and nothing else."""
    expected = {member.name: member.version for member in platform.bill_of_materials()}
    found = {wheel.member: wheel.version for wheel in built.wheels}
    for name, version in expected.items():
        if found.get(name) != version:
            raise Refused(
                f"{name} {version} is wanted, {found.get(name, 'no wheel of it')} is there",
                where=str(platform.packages),
                fix="leave out --no-build",
            )
    known = {wheel.path.name for wheel in built.wheels}
    strays = sorted(path.name for path in platform.packages.glob("*.whl") if path.name not in known)
    if strays:
        raise Refused(
            f"{strays[0]} was not built here", where=str(platform.packages), fix="remove it, or leave out --no-build"
        )


def _write_manifest(state: StateFolder, built: Built) -> None:
    wheels = {
        wheel.member: {"version": wheel.version, "file": wheel.path.name, "sha256": wheel.sha256}
        for wheel in built.wheels
    }
    write_private(state.manifest, json.dumps({"wheels": wheels}, indent=2, sort_keys=True) + "\n")


def _compiled(environment: Environment) -> int:
    return sum(1 for _ in environment.folder.glob("lib/python*/site-packages/**/__pycache__/*.pyc"))
