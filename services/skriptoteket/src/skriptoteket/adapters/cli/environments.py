"""The commands ``environment build|list|verify`` and ``reap``: what an operator does beside a worker."""

import sys
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import click

from skriptoteket.adapters.environments.folders import build_environment, verify_environment
from skriptoteket.adapters.environments.wheels import EnvironmentProblem
from skriptoteket.adapters.worker.identity import WorkerAlreadyRuns
from skriptoteket.core.governance.environments.approving import EnvironmentState

_NO_FOLDER = "Set SKRIPTOTEKET_ENVIRONMENTS_DIR to the folder in which environments are built."


@dataclass(frozen=True, slots=True)
class EnvironmentParts:
    """What these commands work with. ``image`` makes the container image of an environment and answers its name."""

    folder: Callable[[], Path | None]
    look: Callable[[], Awaitable[Sequence[EnvironmentState]]]
    image: Callable[[str], Awaitable[str]]
    reap: Callable[[], Awaitable[None]]
    has_pandas: Callable[[], bool]


Done = Callable[[Awaitable[object]], object]


def add_environment_commands(group: click.Group, parts: EnvironmentParts, done: Done, wrong: int) -> None:
    """Add them to the command line; ``wrong`` is the exit code of what was found wrong."""
    environments = click.Group("environment", help="Named sets of packages that scripts may import.")
    group.add_command(environments)
    _add_build(environments, parts, done)
    _add_looking(environments, parts, done, wrong)

    @group.command(help="Remove what killed workers left on this host: processes, control groups, containers.")
    def reap() -> None:
        try:
            done(parts.reap())
        except WorkerAlreadyRuns as error:
            raise click.ClickException(str(error)) from None


def _add_build(environments: click.Group, parts: EnvironmentParts, done: Done) -> None:
    @environments.command(help="Build name@revision offline, from a lock with hashes and a folder of wheels.")
    @click.argument("name")
    @click.option("--lock", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="name==version --hash=…")
    @click.option("--wheels", type=click.Path(exists=True, file_okay=False, path_type=Path), help="Folder of wheels.")
    @click.option("--image", is_flag=True, help="Make its container image too (alone: of what was built before).")
    def build(name: str, lock: Path | None, wheels: Path | None, image: bool) -> None:
        if lock is None and not image:
            raise click.UsageError("name the --lock and the folder of --wheels, or ask for the --image alone")
        if lock is not None and wheels is None:
            raise click.UsageError("name the folder of --wheels")
        if lock is not None and wheels is not None:
            folder = parts.folder()
            if folder is None:
                raise click.ClickException(_NO_FOLDER)
            try:
                built = build_environment(folder, name, lock, wheels)
            except EnvironmentProblem as problem:
                raise click.ClickException(str(problem)) from None
            click.echo(f"{name}: {len(built.packages)} packages, digest {built.digest}")
            click.echo("An operator approves it at /admin/operations; until then no script runs in it.")
        if image:
            click.echo(f"{name}: image {done(parts.image(name))}")


def _add_looking(environments: click.Group, parts: EnvironmentParts, done: Done, wrong: int) -> None:
    @environments.command(name="list", help="Every environment that versions may choose, and whether it is approved.")
    def listed() -> None:
        async def look() -> Sequence[EnvironmentState]:
            return await parts.look()

        found = done(look())
        for state in found if isinstance(found, Sequence) else ():
            word = "in use" if state.usable else state.built.problem or "waits for approval"
            digest = state.built.digest[:16] or "standard library"
            click.echo(f"{state.built.name}  {digest}  {len(state.built.packages)} packages  {word}")

    @environments.command(help="Compare every file of an environment with what its wheels brought.")
    @click.argument("name")
    def verify(name: str) -> None:
        folder = parts.folder()
        if folder is None:
            raise click.ClickException(_NO_FOLDER)
        problems = verify_environment(folder, name)
        for problem in problems:
            click.echo(problem)
        if problems:
            sys.exit(wrong)
        click.echo(f"{name}: every file is what its wheel brought")
