"""fsp: run, list, routes, doctor, graph, migrate, and commands of capabilities; with --json for machines."""

import asyncio
import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from fastapi_services_platform.errors import PlatformError

if TYPE_CHECKING:
    from fastapi_services_platform.engine.processes.serving import ServerName

EXIT_USER_ERROR = 2
EXIT_PROBLEM = 1

_as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON for machines.")


class Commands(click.Group):
    """The platform's own commands, and behind the name of a capability those that it contributes.

    Only such a name assembles the platform, so nothing else waits for it.
    """

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """A command by its name."""
        own = super().get_command(ctx, cmd_name)
        if own is not None or ctx.resilient_parsing:
            return own
        from fastapi_services_platform.engine.inspection.report import contributed_commands

        found = asyncio.run(contributed_commands())
        if cmd_name not in found:
            known = ", ".join(sorted(found)) or "none"
            raise click.UsageError(f"No such command {cmd_name!r} (capabilities with commands: {known}).", ctx)
        return click.Group(cmd_name, list(found[cmd_name]), help=f"Commands of the capability {cmd_name}.")


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="fastapi-services-platform", prog_name="fsp")
def commands() -> None:
    """Run and inspect a platform. Settings come from FSP_… variables.

    fsp CAPABILITY COMMAND runs a command that a capability contributes; fsp list --json names them.
    """


@commands.command()
@click.option("--host", envvar="FSP_HOST", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", envvar="FSP_PORT", default=8000, show_default=True, type=click.IntRange(0, 65535), help="Port.")
@click.option("--app", "target", envvar="FSP_APP", default="", help="Factory or application as module:name.")
@click.option("--workers", default=1, show_default=True, type=click.IntRange(1, 64), help="Web processes.")
@click.option(
    "--server",
    envvar="FSP_SERVER",
    default="uvicorn",
    show_default=True,
    type=click.Choice(["uvicorn", "granian"]),
    help="What speaks HTTP; granian needs the extra of that name.",
)
@click.option("--fd", "descriptor", default=None, type=int, hidden=True, help="A listening socket to take over.")
@click.option("--siblings", default=None, type=click.Path(path_type=Path), hidden=True, help="Where siblings listen.")
@click.option("--parent", default=None, type=int, hidden=True, help="The process that supervises.")
def run(
    host: str,
    port: int,
    target: str,
    workers: int,
    server: "ServerName",
    descriptor: int | None,
    siblings: Path | None,
    parent: int | None,
) -> None:
    """Start the platform and serve it until it is told to stop."""
    from fastapi_services_platform.engine.processes.serving import serve_forever

    sys.exit(
        serve_forever(
            host,
            port,
            target,
            workers=workers,
            descriptor=descriptor,
            siblings=siblings,
            parent=parent,
            server=server,
        )
    )


@commands.command("list")
@click.option("--why", is_flag=True, help="Tell why each is there or not, and what its grade lacks.")
@_as_json
def list_capabilities(as_json: bool, why: bool) -> None:
    """What is installed, in the order of start, with its grade: bronze, silver or gold."""
    from fastapi_services_platform.engine.inspection.report import capability_report

    report = asyncio.run(capability_report())
    if as_json:
        _print_json(report)
        return
    capabilities: Any = report["capabilities"]  # made by capability_report: a list of dictionaries
    _print_table(
        ("capability", "version", "state", "grade", "routes", "permissions", "database", "summary"),
        [
            (
                item["name"],
                item["version"],
                item["state"],
                item["grade"],
                item["routes"],
                len(item["permissions"]),
                (item["database"] or {}).get("head") or "-",
                item["reason"] or item["summary"],
            )
            for item in capabilities
        ],
    )
    for item in capabilities if why else ():
        lacking = [f"For {f['grade']}, {f['name']}: not so for {', '.join(f['lacking'])}." for f in item["lacking"]]
        click.echo("\n".join(["", item["name"], *(f"  {told}" for told in (*item["why"], *lacking))]))


@commands.command()
@_as_json
def routes(as_json: bool) -> None:
    """Every route with what it asks of its caller."""
    from fastapi_services_platform.engine.inspection.report import route_report

    report = asyncio.run(route_report())
    if as_json:
        _print_json(report)
        return
    _print_table(
        ("methods", "path", "access", "capability"),
        [(",".join(item["methods"]), item["path"], item["access"], item["capability"]) for item in report],
    )


@commands.command()
@click.option("--timings", is_flag=True, help="Tell how long each step of the start takes, too.")
@_as_json
def doctor(as_json: bool, timings: bool) -> None:
    """Look for what will not work, before it does not. FSP_SILENCED_CHECKS leaves warnings out by their code."""
    from fastapi_services_platform.engine.inspection.checks import examine, rows

    found, steps = asyncio.run(examine())
    if as_json:
        _print_json({"findings": rows(found), "timings": rows(steps)} if timings else rows(found))
    else:
        for item in found:
            click.echo(f"{item.code} {item.level:8} {item.what}: {item.message}")
        if not found:
            click.echo("Nothing to mend.")
        if timings:
            click.echo()
            told = [(step.capability, step.step, f"{step.seconds * 1000:.1f}") for step in steps]
            _print_table(("capability", "step", "ms"), told)
    sys.exit(EXIT_PROBLEM if any(item.level == "error" for item in found) else 0)


@commands.command()
@_as_json
def graph(as_json: bool) -> None:
    """Which capability needs which, as Graphviz text."""
    from fastapi_services_platform.engine.inspection.report import dependency_edges

    edges = asyncio.run(dependency_edges())
    if as_json:
        _print_json([{"from": source, "to": target, "port": port} for source, target, port in edges])
        return
    click.echo("digraph capabilities {")
    for source, target, port in edges:
        click.echo(f'  "{source}" -> "{target}" [label="{port}"];')
    click.echo("}")


@commands.group()
def migrate() -> None:
    """Databases of the capabilities."""


def _migration(step: str, summary: str) -> click.Command:
    @migrate.command(step, help=summary)
    @click.option("--capability", default=None, help="Only this one.")
    @_as_json
    def command(capability: str | None, as_json: bool) -> None:
        _migrate(step, capability, "head", as_json)

    return command


@migrate.command("downgrade")
@click.option("--capability", required=True, help="Whose database.")
@click.option("--to", "revision", required=True, help="The revision to go back to; base: nothing is left.")
@_as_json
def downgrade(capability: str, revision: str, as_json: bool) -> None:
    """Take migrations of one database back. Data of what they made is lost; exit 1 as for status."""
    _migrate("downgrade", capability, revision, as_json)


def _migrate(step: str, capability: str | None, revision: str, as_json: bool) -> None:
    from fastapi_services_platform.engine.inspection.report import migration_report

    report = asyncio.run(migration_report(step, capability, revision))
    if as_json:
        _print_json(report)
    else:
        _print_table(
            ("database", "current", "head", "state"),
            [(item["database"], item["current"] or "-", item["head"], item["state"]) for item in report],
        )
    sys.exit(EXIT_PROBLEM if any(item["state"] != "at head" for item in report) else 0)


MIGRATION_STEPS = (
    _migration("status", "Where each database stands; exit 1 when one is behind."),
    _migration("upgrade", "Bring each database to its head."),
    _migration("check", "Compare tables with the models; exit 1 when they differ."),
)


def main() -> None:
    """The console script: a user's mistake gets one sentence and exit code 2, never a traceback."""
    sys.path.insert(0, os.getcwd()) if Path("asgi.py").is_file() else None
    try:
        commands.main(standalone_mode=False)
    except click.exceptions.Exit as stop:
        sys.exit(stop.exit_code)
    except click.Abort:
        sys.exit(130)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except PlatformError as error:
        click.echo(f"fsp: {error}", err=True)
        sys.exit(EXIT_USER_ERROR)


def _print_json(content: object) -> None:
    click.echo(json.dumps(content, indent=2, default=str, ensure_ascii=False))


def _print_table(heads: tuple[str, ...], rows: list[tuple[Any, ...]]) -> None:  # Any: cells are printed with str()
    cells = [heads, *[tuple(str(cell) for cell in row) for row in rows]]
    widths = [max(len(row[column]) for row in cells) for column in range(len(heads))]
    for row in cells:
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


if __name__ == "__main__":
    main()
