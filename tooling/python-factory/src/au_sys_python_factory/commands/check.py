"""``check`` and ``explain``: the house rules, and why they exist."""

import click


@click.command()
def check() -> None:
    """Check every workspace member against the house rules."""


@click.command()
@click.argument("rule")
def explain(rule: str) -> None:
    """Say why a rule exists, with a wrong and a right example."""
    click.echo(rule)
