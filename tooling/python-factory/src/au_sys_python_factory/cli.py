"""Arguments in, exit code out."""

import sys
from importlib import import_module

import click

from au_sys_python_factory import __version__
from au_sys_python_factory.errors import FAULT, INTERRUPTED, FactoryError

COMMANDS = {
    "add": "commands.making.add:add",
    "affected": "commands.seeing.affected:affected",
    "check": "commands.check:check",
    "completion": "commands.completion:completion",
    "explain": "commands.check:explain",
    "destroy": "commands.journal:destroy",
    "diff": "commands.tracking:diff",
    "doctor": "commands.host.doctor:doctor",
    "eject": "commands.tracking:eject",
    "gauntlet": "gauntlet.cli:gauntlet",
    "graph": "commands.seeing.graph:graph",
    "inventory": "commands.seeing.inventory:inventory",
    "new": "commands.making.new:new",
    "redo": "commands.journal:redo",
    "release": "wheels.release.cli:release",
    "lock": "wheels.lock.cli:lock",
    "migrate": "commands.migrate:migrate",
    "selftest": "commands.selftest:selftest",
    "shell": "shell.cli:shell",
    "undo": "commands.journal:undo",
    "unwire": "commands.wiring:unwire",
    "upgrade": "commands.upgrade:upgrade",
    "wheels": "wheels.cli:wheels",
    "wire": "commands.wiring:wire",
}
"""Where each command is defined, below this package; it is imported only when it is called."""


class LazyGroup(click.Group):
    """A group that imports a subcommand when it is called, and turns errors into messages and exit codes."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Every name, sorted."""
        return sorted({*super().list_commands(ctx), *COMMANDS})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command, imported from where ``COMMANDS`` says."""
        found = super().get_command(ctx, cmd_name)
        if found is not None or cmd_name not in COMMANDS:
            return found
        module, attribute = COMMANDS[cmd_name].split(":")
        command: click.Command = getattr(import_module(f"au_sys_python_factory.{module}"), attribute)
        return command

    def invoke(self, ctx: click.Context) -> object:
        """Run the command; a user's mistake never shows a traceback."""
        try:
            return super().invoke(ctx)
        except FactoryError as error:
            click.echo(f"python-factory: {error.sentence}", err=True)
            ctx.exit(error.exit_code)
        except KeyboardInterrupt:
            click.echo("python-factory: interrupted", err=True)
            ctx.exit(INTERRUPTED)
        except (click.ClickException, click.exceptions.Exit, click.Abort):
            raise
        except Exception as fault:  # everything else is a mistake of ours
            click.echo(f"python-factory: a fault of the factory ({type(fault).__name__}): {_reported()}", err=True)
            click.echo(
                "  fix: send that file to whoever looks after the factory; nothing was left half done.", err=True
            )
            ctx.exit(FAULT)


def _reported() -> str:
    """The path of a new file that says what happened."""
    import platform
    import tempfile
    import traceback

    with tempfile.NamedTemporaryFile(
        "w", prefix="python-factory-fault-", suffix=".txt", delete=False, encoding="utf-8"
    ) as file:
        file.write(f"python-factory {__version__}, Python {platform.python_version()}, {platform.platform()}\n")
        file.write(f"{' '.join(sys.argv[1:])}\n\n{traceback.format_exc()}")
    return file.name


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="python-factory")
def main() -> None:
    """Make, check, wire and run FSP capability packages."""
