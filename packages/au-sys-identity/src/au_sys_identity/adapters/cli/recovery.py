"""Back up, restore and prove without a running platform."""

import asyncio
import json
from collections.abc import Coroutine
from pathlib import Path
from typing import Protocol, TypeVar
from uuid import UUID

import click

from au_sys_identity.adapters.cli.commands import commands as commands
from au_sys_identity.adapters.db.evidence.ownership import rights_of
from au_sys_identity.core.errors import IdentityError

Answer = TypeVar("Answer")


class RecoveryOperator(Protocol):
    """What the wiring place offers here."""

    async def back_up(self, label: str) -> dict[str, object]:
        """Make a backup; what is known of it."""

    async def restore(self, backup_id: UUID, *, real: bool, accept_weaker: bool) -> dict[str, object]:
        """Restore a backup, or tell what that would do."""

    async def backups(self) -> list[dict[str, object]]:
        """Every backup that the store holds."""

    async def prove(self, bundle: Path) -> dict[str, object]:
        """Check the whole audit log, write it out, and say what was found."""


@commands.command("backup")
@click.option("--label", default="", help="Name that people will find it by.")
@click.option("--list", "listing", is_flag=True, help="List what the store holds instead.")
@click.pass_obj
def backup(operator: RecoveryOperator, label: str, listing: bool) -> None:
    """Write an encrypted archive of everything into the store of backups (IDENTITY_BACKUP_STORE)."""
    if listing:
        for known in _run(operator.backups()):
            click.echo(json.dumps(known))
        return
    click.echo(json.dumps(_run(operator.back_up(label))))


@commands.command("restore")
@click.argument("backup_id", type=click.UUID)
@click.option("--yes", "real", is_flag=True, help="Do it; without this nothing is changed and the plan is shown.")
@click.option("--accept-weaker", is_flag=True, help="Take settings that lower the guard as they come.")
@click.pass_obj
def restore(operator: RecoveryOperator, backup_id: UUID, real: bool, accept_weaker: bool) -> None:
    """Put a backup in the place of the present: whole or not at all, without what was revoked since."""
    click.echo(json.dumps(_run(operator.restore(backup_id, real=real, accept_weaker=accept_weaker))))


@commands.command("prove")
@click.argument("bundle", type=click.Path(dir_okay=False, path_type=Path))
@click.pass_obj
def prove(operator: RecoveryOperator, bundle: Path) -> None:
    """Recompute the audit log, and write it to a file for ``python -m au_sys_identity.verify log FILE``.

    Exit code 1 when something was found.
    """
    found = _run(operator.prove(bundle))
    click.echo(json.dumps(found))
    if not found["ok"]:
        raise SystemExit(1)


@commands.command("rights")
@click.argument("role")
def rights(role: str) -> None:
    """Print what an owner of the tables grants to ROLE on PostgreSQL, so that the platform can add to the audit log and
    change nothing in it."""
    click.echo("\n".join(rights_of(role)))


def _run(work: Coroutine[object, object, Answer]) -> Answer:
    try:
        return asyncio.run(work)
    except IdentityError as error:
        raise click.ClickException(str(error)) from None
