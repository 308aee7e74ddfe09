"""au-sys-identity: what an operator does without a running platform."""

import asyncio
import json
import sys
from pathlib import Path
from typing import Protocol

import click

from au_sys_identity import __version__
from au_sys_identity.adapters.crypto.sealing import Unsealable
from au_sys_identity.core.accounts.registration import NewPerson
from au_sys_identity.core.errors import IdentityError


class Operator(Protocol):
    """What the wiring place offers the command line."""

    async def create_admin(self, wanted: NewPerson, password: str | None) -> tuple[str, str, str]:
        """Migrate, make the administrator; URN, address and password."""

    async def rekey(self) -> dict[str, int]:
        """Seal everything with the present root key; how many values of each table."""

    async def rotate_signing_key(self) -> str:
        """Sign with a new key from now on; the id of it."""

    def build_breach_list(self, source: Path, target: Path) -> int:
        """Make a breach list from lines of SHA-1 hashes; how many it holds."""


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


@commands.command("rekey")
@click.pass_obj
def rekey(operator: Operator) -> None:
    """Seal everything with IDENTITY_SECRET_KEY that IDENTITY_SECRET_KEY_PREVIOUS sealed, while the platform runs.

    Start every process with both keys first; take the previous one away when this has ended well.
    """
    try:
        done = asyncio.run(operator.rekey())
    except Unsealable as error:
        raise click.ClickException(str(error)) from None
    click.echo(json.dumps({"sealed_anew": {name: count for name, count in done.items() if count}}))


@commands.command("rotate-signing-key")
@click.pass_obj
def rotate_signing_key(operator: Operator) -> None:
    """Sign with a new key from now on. Tokens of the key before are good until they run out."""
    click.echo(json.dumps({"kid": asyncio.run(operator.rotate_signing_key())}))


@commands.group("breach-list")
def breach_list() -> None:
    """Passwords that nobody may choose."""


@breach_list.command("build")
@click.argument("source", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--output", required=True, type=click.Path(dir_okay=False, path_type=Path), help="File to write.")
@click.pass_obj
def build_list(operator: Operator, source: Path, output: Path) -> None:
    """Make the file for IDENTITY_BREACH_LIST from lines of SHA-1 hashes in hexadecimal, with or without counts."""
    try:
        held = operator.build_breach_list(source, output)
    except ValueError as error:
        raise click.ClickException(str(error)) from None
    click.echo(json.dumps({"hashes": held, "file": str(output)}))


def _password() -> str:
    if sys.stdin.isatty():
        return str(click.prompt("Password", hide_input=True, confirmation_prompt=True))
    return sys.stdin.readline().rstrip("\r\n")
