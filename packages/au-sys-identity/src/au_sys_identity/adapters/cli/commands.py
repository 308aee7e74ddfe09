"""au-sys-identity: what an operator does without a running platform."""

import asyncio
import json
import sys
from typing import Protocol

import click

from au_sys_identity import __version__
from au_sys_identity.core.accounts.registration import NewPerson
from au_sys_identity.core.errors import IdentityError


class Operator(Protocol):
    """What the wiring place offers the command line."""

    async def create_admin(self, wanted: NewPerson, password: str | None) -> tuple[str, str, str]:
        """Migrate, make the administrator; URN, address and password."""


@click.group(name="au-sys-identity")
@click.version_option(__version__, prog_name="au-sys-identity")
def commands() -> None:
    """Identity of this platform; the database is the one of the environment (FSP_DATA_DIR, FSP_DATABASE_URL)."""


@commands.command("create-admin")
@click.option("--email", required=True, help="Address with which the administrator signs in.")
@click.option("--name", default=None, help="Name that others see; the part before the @ when it is missing.")
@click.option("--generate", is_flag=True, help="Make a one-time password: good for 24 hours, changed at first sign-in.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout.")
@click.pass_obj
def create_admin(operator: Operator, email: str, name: str | None, generate: bool, as_json: bool) -> None:
    """Make a platform administrator, or make one of an existing person and set a new password.

    Without --generate the password comes from a prompt, or from stdin when that is no terminal; never from an argument.
    """
    password = None if generate else _password()
    try:
        urn, address, chosen = asyncio.run(operator.create_admin(NewPerson(email, name), password))
    except IdentityError as error:
        raise click.ClickException(str(error)) from None
    answer: dict[str, object] = {"urn": urn, "email": address, "must_change_password": generate}
    if generate:
        answer["password"] = chosen
    if as_json:
        click.echo(json.dumps(answer))
        return
    click.echo(f"{address} is a platform administrator ({urn}).")
    if generate:
        click.echo(f"One-time password, good for 24 hours, to be changed at first sign-in: {chosen}")


def _password() -> str:
    if sys.stdin.isatty():
        return str(click.prompt("Password", hide_input=True, confirmation_prompt=True))
    return sys.stdin.readline().rstrip("\r\n")
