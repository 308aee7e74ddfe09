"""``python-factory gauntlet``: against the running shell, a throw-away one, or a remote system."""

from __future__ import annotations

import asyncio
import os
import secrets
import sys
from dataclasses import dataclass, replace
from pathlib import Path

import click

from au_sys_python_factory.errors import DONE, FINDINGS, MISSING, FactoryError, UsageError
from au_sys_python_factory.gauntlet.coverage import read_gaps
from au_sys_python_factory.gauntlet.people import Account
from au_sys_python_factory.gauntlet.playing import Outcome
from au_sys_python_factory.gauntlet.proofs import Letters
from au_sys_python_factory.gauntlet.provider import ALLOW, HOST
from au_sys_python_factory.gauntlet.report import Report, stage_table, summary, write_json, write_junit
from au_sys_python_factory.gauntlet.rows import Row
from au_sys_python_factory.gauntlet.run import Run
from au_sys_python_factory.gauntlet.sources import rows_of_environment, rows_of_platform, rows_of_sources
from au_sys_python_factory.gauntlet.throwaway import throwaway_shell
from au_sys_python_factory.shell.admin import new_admin
from au_sys_python_factory.shell.assembly.platform_folder import PlatformFolder, find_platform
from au_sys_python_factory.shell.steps import Progress
from au_sys_python_factory.shell.supervision.state import StateFolder, read_record
from au_sys_python_factory.wheels.members import find_workspace

PASSWORD = "FSP_GAUNTLET_PASSWORD"  # noqa: S105 (the name of a variable)
GAPS = "gaps.txt"
_PATH = click.Path(path_type=Path)


@click.command()
@click.option("--workspace", "start", default=".", type=_PATH, help="Where to look for the workspace.")
@click.option("--platform", "name", default=None, help="Which platform, when there are several.")
@click.option("--state", "state_root", default=None, type=_PATH, help="State folder of the shell [default: .shell].")
@click.option("--base-url", default=None, help="A system elsewhere; needs --admin.")
@click.option("--admin", "email", default=None, help=f"Its administrator; password in {PASSWORD} or on standard input.")
@click.option("--throw-away", is_flag=True, help="Start a shell of its own even if one runs.")
@click.option("--report", "folder", default=None, type=_PATH, help="Folder for gauntlet.json and gauntlet.xml.")
@click.option("--letters", "mail", default=None, type=_PATH, help="Where a system elsewhere puts its letters.")
@click.option("--destructive", is_flag=True, help="Also what changes the whole installation; a throw-away shell does.")
@click.option("--lend-provider", "lends", is_flag=True, help=f"Lend a login provider; needs {ALLOW}={HOST} there.")
@click.option("--only", default=None, help="Only the rows of this owner; no coverage is measured then.")
@click.option("--check", "only_check", is_flag=True, help="Only read and validate the rows.")
def gauntlet(
    start: Path,
    name: str | None,
    state_root: Path | None,
    base_url: str | None,
    email: str | None,
    throw_away: bool,
    folder: Path | None,
    mail: Path | None,
    destructive: bool,
    lends: bool,
    only: str | None,
    only_check: bool,
) -> None:
    """Prove the life cycles over real HTTP: exit 0 all passed, 1 something failed, 5 it could not be tried."""
    platform = find_platform(find_workspace(start), name)
    state = StateFolder((state_root or platform.workspace.root / ".shell").resolve())
    if only_check:
        _show_rows([*rows_of_sources(platform), *rows_of_platform(platform)])
        return
    try:
        report = _report(platform, state, _Wish(base_url, email, throw_away, mail, destructive, lends, only))
    except UsageError:
        raise
    except FactoryError as error:
        click.echo(f"python-factory: the gauntlet could not be tried: {error.sentence}", err=True)
        sys.exit(MISSING)
    target = folder or state.root / "gauntlet"
    target.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_json(report, target / "gauntlet.json")
    write_junit(report, target / "gauntlet.xml")
    click.echo(f"\n{summary(report)}\nreports: {target}")
    sys.exit(FINDINGS if report.failed or not report.outcomes else DONE)


@dataclass(frozen=True, slots=True)
class _Wish:
    """What is played against."""

    base_url: str | None
    email: str | None
    throw_away: bool
    mail: Path | None
    destructive: bool
    lends: bool
    only: str | None


def _report(platform: PlatformFolder, state: StateFolder, wish: _Wish) -> Report:
    if wish.base_url is not None:
        if wish.email is None:
            raise UsageError("--base-url needs an administrator", fix=f"--admin E-MAIL, and the password in {PASSWORD}")
        rows = [*rows_of_sources(platform), *rows_of_platform(platform)]
        admin = Account(wish.email, _password())
        return _play(platform, Run(wish.base_url.rstrip("/"), rows, admin, False, _tell), wish.mail, wish)
    record = read_record(state)
    if record is not None and record.alive and record.phase == "ready" and not wish.throw_away:
        return _against(platform, state, record.url, wish)
    click.echo("no shell runs here: a throw-away one is started", err=True)
    with throwaway_shell(platform, Progress()) as (thrown, overview):
        return _against(platform, thrown, overview.url, replace(wish, destructive=True, lends=True))


def _against(platform: PlatformFolder, state: StateFolder, url: str, wish: _Wish) -> Report:
    rows = [*rows_of_environment(state.venv), *rows_of_platform(platform)]
    made = new_admin(platform, state, f"gauntlet-admin-{secrets.token_hex(4)}@fsp.example")
    run = Run(url, rows, Account(made.email, made.password), True, _tell)
    return _play(platform, run, state.data / "outbox", wish)


def _play(platform: PlatformFolder, run: Run, mail: Path | None, wish: _Wish) -> Report:
    run.gaps = read_gaps(platform.gauntlet / GAPS)
    run.letters = Letters(mail) if mail is not None else None
    run.destructive, run.lends, run.only = wish.destructive, wish.lends, wish.only
    return asyncio.run(run.play_all())


def _tell(stage: str, outcomes: list[Outcome], report: Report) -> None:
    click.echo(stage_table(stage, outcomes, report))


def _password() -> str:
    found = os.environ.get(PASSWORD)
    if found:
        return found
    if sys.stdin.isatty():
        return str(click.prompt("password", hide_input=True))
    return sys.stdin.readline().rstrip("\r\n")


def _show_rows(rows: list[Row]) -> None:
    for row in rows:
        click.echo(f"{row.stage:<16}{row.owner:<16}{row.method:<7}{row.path:<48}{row.name}")
    click.echo(f"{len(rows)} rows, all in the right form")
