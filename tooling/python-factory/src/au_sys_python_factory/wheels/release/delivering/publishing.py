"""Send files to an index, dependencies first; safe to run again after a break."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from au_sys_python_factory.errors import FINDINGS, FactoryError, Refused
from au_sys_python_factory.wheels.building import Built, BuiltFile
from au_sys_python_factory.wheels.index.addresses import Index
from au_sys_python_factory.wheels.index.listing import IndexReader
from au_sys_python_factory.wheels.members import Workspace
from au_sys_python_factory.wheels.release.planning.history import git, tag_of
from au_sys_python_factory.wheels.release.planning.plan import in_order
from au_sys_python_factory.wheels.resolving import metadata
from au_sys_python_factory.wheels.uv import UvFailed, run_uv
from au_sys_python_factory.workspace.requirements import canonical, requirement_name

Fate = Literal["sent", "there already", "would be sent"]


class Broken(FactoryError):
    """An upload ended in the middle; the message says what is up and what is not."""

    exit_code = FINDINGS


@dataclass(frozen=True, slots=True)
class Sent:
    """What became of one file."""

    file: BuiltFile
    fate: Fate


def released_files(workspace: Workspace, built: Built) -> tuple[BuiltFile, ...]:
    """Files of the members that are exactly as their tag has them, in the order in which they have to go.

    Raises:
        Refused: no member is.
    """
    wheels = {file.member: file for file in built.wheels}
    needs = {
        name: [canonical(requirement_name(text)) for text in metadata(wheel.path).get_all("Requires-Dist", [])]
        for name, wheel in wheels.items()
    }
    ready = [name for name in in_order(needs) if name in wheels and _as_tagged(workspace, name)]
    if not ready:
        raise Refused("no package stands at its tag: nothing is released here", fix="just release-apply")
    return tuple(file for name in ready for file in sorted(built.files, key=_wheel_last) if file.member == name)


def _wheel_last(file: BuiltFile) -> tuple[bool, str]:
    """Installers take wheels: with the sdist first, a release is visible when it is whole."""
    return (file.is_wheel, file.path.name)


def _as_tagged(workspace: Workspace, name: str) -> bool:
    member = workspace.member(name)
    tag = tag_of(name, member.version)
    if not git(workspace.root, "tag", "--list", tag).strip():
        return False
    folder = member.folder.relative_to(workspace.root).as_posix()
    return not git(workspace.root, "diff", "--name-only", tag, "--", folder).strip()


def publish(
    root: Path,
    index: Index,
    files: Sequence[BuiltFile],
    *,
    dry: bool = False,
    tell: Callable[[Sent], None] = lambda _: None,
) -> tuple[Sent, ...]:
    """Upload what the index does not have yet.

    Raises:
        Refused: the index has another file under the same name; nothing was sent.
        Broken: an upload failed; calling again goes on.
    """
    there = _present(index, files)
    done: list[Sent] = []
    for file in files:
        if file.path.name in there:
            fate: Fate = "there already"
        elif dry:
            fate = "would be sent"
        else:
            _send(root, index, file, done, files)
            fate = "sent"
        done.append(Sent(file, fate))
        tell(done[-1])
    return tuple(done)


def _present(index: Index, files: Sequence[BuiltFile]) -> frozenset[str]:
    found: list[str] = []
    other: list[str] = []
    with IndexReader(index) as reader:
        listings = {name: reader.files(name) for name in dict.fromkeys(file.member for file in files)}
        for file in files:
            listed = listings[file.member].get(file.path.name)
            if listed is not None:
                (found if reader.sha256(listed) == file.sha256 else other).append(file.path.name)
    if other:
        raise Refused(
            f"another file is there under the same name: {', '.join(other)}",
            where=index.name,
            fix="a version is published once: make a fragment and release the next one",
        )
    return frozenset(found)


def _send(root: Path, index: Index, file: BuiltFile, done: Sequence[Sent], files: Sequence[BuiltFile]) -> None:
    try:
        run_uv(
            ["publish", "--quiet", "--no-progress", "--publish-url", index.upload, str(file.path)],
            doing=f"sending {file.path.name}",
            folder=root,
            extra={"UV_OFFLINE": "0"},
        )
    except UvFailed as error:
        up = [item.file.path.name for item in done]
        missing = [item.path.name for item in files if item.path.name not in up]
        raise Broken(
            f"{without_credentials(error.what)}\nup: {', '.join(up) or 'nothing'}\nnot up: {', '.join(missing)}",
            where=index.name,
            fix="mend the cause and call it again: what is up is skipped",
        ) from None


def without_credentials(text: str) -> str:
    """A message in which no value of a credential variable is left."""
    for name in ("UV_PUBLISH_TOKEN", "UV_PUBLISH_PASSWORD"):
        value = os.environ.get(name, "")
        text = text.replace(value, "***") if value else text
    return text
