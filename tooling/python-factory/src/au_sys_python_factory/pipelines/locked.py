"""The lock belongs to the plan: it is resolved in a copy that holds only the project files."""

import os
from pathlib import Path
from tempfile import TemporaryDirectory

from au_sys_python_factory.pipelines.registration import Edits
from au_sys_python_factory.wheels.uv import UvFailed, run_uv
from au_sys_python_factory.workspace.members import Workspace

_CLEARED = {"UV_INDEX": "", "UV_EXTRA_INDEX_URL": ""}


def resolved_lock(workspace: Workspace, edits: Edits, without: str = "") -> bytes | None:
    """The lock of the workspace with ``edits`` in it and the member ``without`` gone; ``None`` where none is kept.

    Raises:
        FactoryError: uv finds no solution, neither from its cache nor from the public index.
    """
    lock = workspace.root / "uv.lock"
    if not lock.is_file():
        return None
    with TemporaryDirectory(prefix="python-factory-lock-") as folder:
        copy = Path(folder)
        present = [member.path / "pyproject.toml" for member in workspace.members if member.relative != without]
        for path in (workspace.pyproject, lock, *present):
            _put(copy, path.relative_to(workspace.root).as_posix(), path.read_bytes())
        for name, text in edits.items():
            if name.endswith("pyproject.toml"):
                _put(copy, name, text.encode())
        try:
            run_uv(["lock", "--quiet", "--offline"], doing="uv lock --offline", folder=copy, extra=_CLEARED)
        except UvFailed:
            run_uv(["lock", "--quiet"], doing="uv lock", folder=copy, extra=_CLEARED)
        return (copy / "uv.lock").read_bytes()


def _put(copy: Path, name: str, content: bytes) -> None:
    target = copy / name
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(content)


def synced(root: Path) -> None:
    """Bring the environment to the lock.

    Raises:
        FactoryError: uv could not.
    """
    kept = {name: os.environ[name] for name in ("UV_PROJECT_ENVIRONMENT",) if name in os.environ}
    try:
        run_uv(
            ["sync", "--quiet", "--locked", "--offline"],
            doing="uv sync --offline",
            folder=root,
            extra={**_CLEARED, **kept},
        )
    except UvFailed:
        run_uv(["sync", "--quiet", "--locked"], doing="uv sync", folder=root, extra={**_CLEARED, **kept})
