"""Verify one package: the parts, what each needs, and which platform answers."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

from au_sys_python_factory.pipelines.locked import synced
from au_sys_python_factory.pipelines.verification import sources
from au_sys_python_factory.pipelines.verification.answering import answers
from au_sys_python_factory.pipelines.verification.clean import Kept, make_clean
from au_sys_python_factory.pipelines.verification.parts import Outcome, Part, run_parts
from au_sys_python_factory.shell.assembly.platform_folder import PlatformFolder
from au_sys_python_factory.shell.supervision.state import StateFolder
from au_sys_python_factory.wheels.building import Built, build
from au_sys_python_factory.wheels.locking import exclusively
from au_sys_python_factory.wheels.members import find_workspace
from au_sys_python_factory.workspace.members import Member


def verify(member: Member, platform: str | None, tell: Callable[[Outcome], None]) -> list[Outcome]:
    """Every part of the proof; without a ``platform`` nothing is started, and the table says so."""
    kept = Kept(member.root)
    kept.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with exclusively(kept.folder / ".lock"):
        place = Path(tempfile.mkdtemp(prefix="run-", dir=kept.folder))
        try:
            found = run_parts(_parts(member, platform, kept, StateFolder(place)), tell)
        finally:
            shutil.rmtree(place, ignore_errors=True)
    if platform is None:
        found.append(Outcome("shell answers", "not run", "it is wired into no platform", 0.0))
    return found


def _parts(member: Member, platform: str | None, kept: Kept, state: StateFolder) -> list[Part]:
    workspace = find_workspace(member.root)
    name = platform or member.path.name
    place = PlatformFolder(next(item for item in workspace.members if item.folder.name == name), workspace)
    wheels = place.packages if platform else kept.folder / "wheels"
    built: list[Built] = []

    def sync() -> str:
        synced(member.root)
        return "as the lock says"

    def wheel() -> str:
        built.append(build(workspace, place.bill_of_materials(), wheels, sdists=False))
        return f"{len(built[0].rebuilt)} built, {len(built[0].wheels) - len(built[0].rebuilt)} reused"

    def environment() -> str:
        return f"{make_clean(kept, place, built[0], member.dist, state)} packages, they fit each other"

    parts = [
        Part("wheel", wheel),
        Part("sync", sync),
        Part("format and lint", lambda: sources.lint(member)),
        Part("clean environment", environment, ("wheel",)),
        Part("tests", lambda: sources.tests(member), ("sync",)),
        Part("types", lambda: sources.types(member)),
        Part("layers", lambda: sources.layers(member), ("sync",)),
    ]
    if platform is not None:
        capability = next(iter(member.plugins))
        answering = Part("shell answers", lambda: answers(place, state, kept.state, capability), ("clean environment",))
        parts.insert(4, answering)
    return parts
