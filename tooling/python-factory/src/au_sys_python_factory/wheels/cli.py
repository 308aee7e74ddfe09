"""``python-factory wheels``: build, prove, sum up."""

from __future__ import annotations

import shutil
import sys
import tempfile
import time
from pathlib import Path

import click

from au_sys_python_factory.errors import FactoryError
from au_sys_python_factory.wheels.building import Built, build, write_sums
from au_sys_python_factory.wheels.environment import Environment, answering_scripts, export_lock, make_environment
from au_sys_python_factory.wheels.lock.guard import refuse_leak
from au_sys_python_factory.wheels.members import Workspace, find_workspace
from au_sys_python_factory.wheels.resolving import clashes, resolve
from au_sys_python_factory.wheels.twice import prove_reproducible


@click.group()
def wheels() -> None:
    """Build the wheels of the workspace and prove them."""


@wheels.command("build")
@click.option("--out", default="dist", show_default=True, type=click.Path(path_type=Path), help="Folder for the files.")
@click.option(
    "--workspace", "start", default=".", type=click.Path(exists=True, path_type=Path), help="Where to look for it."
)
@click.option("--no-proof", is_flag=True, help="Only build; no second build and no clean environment.")
def build_command(out: Path, start: Path, no_proof: bool) -> None:
    """Build every wheel and sdist that changed, and prove them in a clean environment."""
    started = time.monotonic()
    workspace = find_workspace(start)
    refuse_leak(workspace.root)
    target = out if out.is_absolute() else workspace.root / out
    built = build(workspace, workspace.members, target, sdists=True, tell=lambda line: click.echo(line, err=True))
    sums = write_sums(target, built)
    for file in built.files:
        click.echo(f"{file.sha256[:8]}  {file.path.name}")
    click.echo(f"{len(built.rebuilt)} built, {len(workspace.members) - len(built.rebuilt)} reused, sums in {sums}")
    if not no_proof:
        twice = prove_reproducible(workspace, built)
        click.echo(f"built twice: {twice} files are equal" if twice else "built twice: nothing new to compare")
        prove(workspace, built)
    click.echo(f"done in {time.monotonic() - started:.1f} s")


def prove(workspace: Workspace, built: Built) -> None:
    """Bounds between the wheels, uv's own resolution, a clean environment, and an answer of every console script.

    Raises:
        FactoryError: the first of these that fails.
    """
    refused = clashes(built.wheels)
    if refused:
        raise FactoryError(
            "the wheels do not fit each other:\n  " + "\n  ".join(clash.sentence for clash in refused),
            fix="widen the bound in the pyproject.toml of the wheel that is named first",
        )
    folder = Path(tempfile.mkdtemp(prefix="fsp-wheels-"))
    try:
        requirements = export_lock(workspace.root, [member.name for member in workspace.members])
        pinned = folder / "locked.txt"
        pinned.write_text(requirements, "utf-8")
        resolve(workspace.root, built.wheels, pinned, sys.executable)
        click.echo("the wheels resolve against each other")
        environment = make_environment(
            folder / "venv", root=workspace.root, requirements=requirements, wheels=built.wheels
        )
        click.echo(
            f"clean environment: {environment.packages} packages, uv pip check passed, {environment.seconds:.1f} s"
        )
        _start_scripts(workspace, environment)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _start_scripts(workspace: Workspace, environment: Environment) -> None:
    scripts = [script for member in workspace.members for script in member.scripts]
    answers = answering_scripts(environment, scripts)
    for script, answer in answers.items():
        click.echo(f"  {script}: {answer or 'NO ANSWER'}")
    silent = [script for script, answer in answers.items() if not answer]
    if silent:
        raise FactoryError(
            f"console scripts without an answer to --version or --help: {', '.join(silent)}",
            fix="start them in an environment made of the wheels and read their error",
        )
