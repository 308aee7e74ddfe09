"""Rules in and out as Casbin text, and what must never be allowed, without a running platform."""

import asyncio
import json
from pathlib import Path
from typing import Literal, Protocol

import click

from au_sys_identity.adapters.cli.commands import commands
from au_sys_identity.core.errors import IdentityError


class PolicyOperator(Protocol):
    """What the wiring place offers here."""

    async def import_policies(self, text: str, *, replace: bool, real: bool) -> dict[str, object]:
        """Read Casbin text; what it came to, or would."""

    async def export_policies(self) -> str:
        """Rules and assignments as Casbin text."""

    async def prove_policies(
        self, *, kind: str | None, role: str | None, resource: str, action: str
    ) -> dict[str, object]:
        """Whether something can never happen, or a case in which it does."""


@commands.command("import-policies")
@click.argument("source", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--replace", is_flag=True, help="Put them in the place of all that are there, instead of adding them.")
@click.option("--real", is_flag=True, help="Do it; without this, only tell what would happen.")
@click.pass_obj
def import_policies(operator: PolicyOperator, source: Path, replace: bool, real: bool) -> None:
    """Read rules and assignments from Casbin text: all of them, or with one refused line none."""
    try:
        told = asyncio.run(operator.import_policies(source.read_text("utf-8"), replace=replace, real=real))
    except (IdentityError, UnicodeDecodeError) as error:
        raise click.ClickException(str(error)) from None
    click.echo(json.dumps(told))
    if told["refused"]:
        raise SystemExit(1)


@commands.command("export-policies")
@click.option("--output", type=click.Path(dir_okay=False, path_type=Path), help="File to write; without it, stdout.")
@click.pass_obj
def export_policies(operator: PolicyOperator, output: Path | None) -> None:
    """Write rules and assignments as Casbin text; what ends, and what was shipped, is left out."""
    text = asyncio.run(operator.export_policies())
    if output is None:
        click.echo(text, nl=False)
    else:
        output.write_text(text, "utf-8")


@commands.command("prove-policies")
@click.option("--kind", type=click.Choice(["person", "app", "agent"]), help="All active subjects of a kind.")
@click.option("--role", help="Whoever holds a role.")
@click.option("--resource", required=True, help="What nobody of these may reach, as a pattern.")
@click.option("--action", default="*", show_default=True)
@click.pass_obj
def prove_policies(
    operator: PolicyOperator,
    kind: Literal["person", "app", "agent"] | None,
    role: str | None,
    resource: str,
    action: str,
) -> None:
    """Search all rules for a case in which something happens that must never happen; exit 1 when there is one."""
    if (kind is None) == (role is None):
        raise click.UsageError("Name --kind or --role.")
    try:
        told = asyncio.run(operator.prove_policies(kind=kind, role=role, resource=resource, action=action))
    except IdentityError as error:
        raise click.ClickException(str(error)) from None
    click.echo(json.dumps(told))
    if not told["holds"]:
        raise SystemExit(1)
