"""Arguments in, exit code out."""

from importlib import import_module

import click

from au_sys_python_factory import __version__
from au_sys_python_factory.errors import INTERRUPTED, FactoryError

COMMANDS = {
    "add": "commands.add:add",
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
    "new": "commands.new:new",
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


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="python-factory")
def main() -> None:
    """Make, check, wire and run FSP capability packages."""
