"""``completion``: what a shell needs to complete commands and options."""

import click
from click.shell_completion import get_completion_class

from au_sys_python_factory.errors import UsageError

_SHELLS = ("bash", "zsh", "fish")
_VARIABLE = "_PYTHON_FACTORY_COMPLETE"


@click.command()
@click.argument("shell", type=click.Choice(_SHELLS))
def completion(shell: str) -> None:
    """Print the script for SHELL: eval it in the shell's start file."""
    made = get_completion_class(shell)
    if made is None:
        raise UsageError(f"there is no completion for {shell}.", fix=f"one of {', '.join(_SHELLS)}.")
    root = click.get_current_context().find_root().command
    click.echo(made(root, {}, "python-factory", _VARIABLE).source())
