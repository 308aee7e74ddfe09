"""People of another system in, without a running platform."""

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import click

from au_sys_identity.adapters.cli.commands import commands
from au_sys_identity.core.accounts.adoption import Newcomer

_FIELDS = {"email": str, "display_name": str, "locale": str, "password_hash": str, "verified": bool}


class PeopleOperator(Protocol):
    """What the wiring place offers here."""

    async def import_people(self, newcomers: Sequence[Newcomer], *, real: bool) -> dict[str, object]:
        """Take people over; what it came to, or would."""


@commands.command("import-people")
@click.argument("source", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--real", is_flag=True, help="Do it; without this, only tell what would happen.")
@click.pass_obj
def import_people(operator: PeopleOperator, source: Path, real: bool) -> None:
    """Take people over from lines of JSON: email, and where known display_name, locale, verified and password_hash
    (argon2id, bcrypt, or PBKDF2 as Django, passlib or Werkzeug write it). The first sign-in replaces the hash. Whoever
    is here already stays as they are; with one refused line nobody is taken over.
    """
    try:
        lines = [line for line in source.read_text("utf-8").splitlines() if line.strip()]
        newcomers = [_newcomer(number, line) for number, line in enumerate(lines, 1)]
    except ValueError as error:
        raise click.ClickException(str(error)) from None
    told = asyncio.run(operator.import_people(newcomers, real=real))
    click.echo(json.dumps(told))
    if told["refused"]:
        raise SystemExit(1)


def _newcomer(number: int, line: str) -> Newcomer:
    try:
        found = json.loads(line)
    except ValueError:
        raise ValueError(f"line {number}: this is no JSON") from None
    if not isinstance(found, dict) or "email" not in found:
        raise ValueError(f"line {number}: an object with email is expected")
    for name, value in found.items():
        if name not in _FIELDS or not isinstance(value, _FIELDS[name]):
            known = ", ".join(f"{field} ({kind.__name__})" for field, kind in _FIELDS.items())
            raise ValueError(f"line {number}: {name} is unknown or of another type; known are {known}")
    return Newcomer(
        found["email"],
        found.get("display_name"),
        found.get("locale"),
        found.get("password_hash"),
        verified=found.get("verified", True),
    )
