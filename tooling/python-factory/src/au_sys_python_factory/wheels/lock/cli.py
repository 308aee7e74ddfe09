"""``python-factory lock``: guard and repair."""

from __future__ import annotations

from pathlib import Path

import click

from au_sys_python_factory.wheels.lock.guard import refuse_leak
from au_sys_python_factory.wheels.lock.repair import repair
from au_sys_python_factory.wheels.members import find_workspace

_place = click.option(
    "--workspace", "start", default=".", type=click.Path(exists=True, path_type=Path), help="Where to look for it."
)


@click.group()
def lock() -> None:
    """Keep uv.lock on the public index."""


@lock.command("guard")
@_place
def guard_command(start: Path) -> None:
    """Stop when uv.lock names a host that is not public: exit 4."""
    refuse_leak(find_workspace(start).root)


@lock.command("repair")
@_place
def repair_command(start: Path) -> None:
    """Bring the public addresses back, with the same versions and hashes."""
    done = repair(find_workspace(start).root)
    if done is None:
        click.echo("uv.lock names the public index only")
    else:
        click.echo(f"{', '.join(done.hosts)} is gone; locked again: {', '.join(done.packages)}")
