"""``add migration``: an Alembic revision from the difference between the tables and what the history makes."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

from au_sys_python_factory.blueprint.additions.additions import Addition, Package
from au_sys_python_factory.blueprint.rendering import formatted
from au_sys_python_factory.errors import FactoryError, UsageError

_SPEAKS = re.compile(r"[A-Za-z][\w ,.'-]{3,79}")
_COMPARE = """
import asyncio, importlib, json, sys, tempfile
from alembic.autogenerate import produce_migrations, render_python_code
from alembic.migration import MigrationContext
from fastapi_services_platform import Migrations, PlatformSettings, open_database
source, package, name = sys.argv[1:]
sys.path.insert(0, source)
tables = importlib.import_module(f"{package}.adapters.db.tables")
own = {kind for kind in vars(tables).values() if isinstance(kind, type) and kind.__module__ == tables.__name__}

def spelled(kind, value, context):
    if kind == "type" and type(value) in own:
        context.imports.add(f"from {tables.__name__} import {type(value).__name__}")
        return f"{type(value).__name__}()"
    return False

def compared(connection):
    def ours(name, kind, parents):
        return kind != "table" or not name.endswith("alembic_version") and not name.startswith("fsp_")

    options = {"compare_type": True, "target_metadata": tables.metadata, "include_name": ours}
    context = MigrationContext.configure(connection, opts=options)
    script = produce_migrations(context, tables.metadata)
    steps = {way: render_python_code(ops, render_as_batch=True, render_item=spelled, migration_context=context)
             for way, ops in (("up", script.upgrade_ops), ("down", script.downgrade_ops))}
    return {**steps, "empty": script.upgrade_ops.is_empty()}

async def main(folder):
    database = open_database(name, PlatformSettings(environment="test", data_dir=folder))
    await database.migrate(Migrations(f"{package}.adapters.db.migrations", tables.metadata))
    async with database.engine.connect() as connection:
        found = await connection.run_sync(compared)
    await database.close()
    print(json.dumps(found))

with tempfile.TemporaryDirectory() as folder:
    asyncio.run(main(folder))
"""


def add_migration(package: Package, message: str, python: str = sys.executable) -> Addition:
    """The next revision; nothing when the history already makes the tables.

    Raises:
        UsageError: the message says nothing.
        FactoryError: the package cannot be imported, or its history does not run.
    """
    if not _SPEAKS.fullmatch(message):
        raise UsageError(
            f"{message!r} says nothing.", fix="say in a few words what changes, for example 'Add a state'."
        )
    names = package.blueprint.names
    command = [python, "-c", _COMPARE, str(package.member.path / "src"), names.package, names.capability]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - our own program
    if done.returncode:
        said = done.stderr.strip().splitlines()
        raise FactoryError(
            f"tables and history cannot be compared: {said[-1] if said else 'no word why'}",
            where=package.member.relative, fix="run the package's tests; mend what they say.",
        )  # fmt: skip
    found = json.loads(done.stdout.strip().splitlines()[-1])
    if found["empty"]:
        return Addition()
    return Addition(next_revision(package, re.sub(r"[^a-z0-9]+", "_", message.lower()).strip("_"), message, found))


def next_revision(package: Package, slug: str, message: str, steps: dict[str, str]) -> dict[str, str]:
    """The file ``slug`` of a revision on top of the newest one; ``steps`` are the bodies ``up`` and ``down``."""
    folder = f"{package.source}/adapters/db/migrations/versions"
    text = _revision(message, _newest(package.member.path / folder), steps, package.blueprint.names.package)
    return formatted({f"{folder}/{slug}.py": text}, package.first_party)


def _newest(folder: Path) -> int:
    texts = [path.read_text(encoding="utf-8") for path in folder.glob("*.py")]
    numbers = [int(match[1]) for text in texts for match in [re.search(r'(?m)^revision = "(\d+)"', text)] if match]
    return max(numbers, default=0)


def _revision(message: str, number: int, found: dict[str, str], package: str) -> str:
    steps = {way: re.sub(r"(?m)^\s*# ###.*\n?", "", found[way]).strip() for way in ("up", "down")}
    own = sorted(set(re.findall(r"\b(Moment)\(", found["up"] + found["down"])))
    imported = f"\nfrom {package}.adapters.db.tables import {', '.join(own)}\n" if own else ""
    before = f'"{number:04d}"' if number else "None"
    return f'''"""{message.rstrip(".")}."""

import sqlalchemy as sa
from alembic import op
{imported}
revision = "{number + 1:04d}"
down_revision = {before}
branch_labels = None
depends_on = None


def upgrade() -> None:
    """{message.rstrip(".")}."""
    {steps["up"]}


def downgrade() -> None:
    """Take it back."""
    {steps["down"]}
'''
