"""What was made at import is made at its first use."""

import ast
from pathlib import Path

from au_sys_python_factory.checks.reading.source import SourceFile
from au_sys_python_factory.inventory.names import Names
from au_sys_python_factory.migration.codemods.values import Values
from au_sys_python_factory.workspace.members import Member

DB = """import os
from sqlalchemy import create_engine

URL = os.getenv("URL", "sqlite://")
engine = create_engine(URL)
"""
USE = "from db import engine\n\n\ndef rows(engine2, engine_url=None):\n    return engine.connect()\n"


def parsed(module: str, text: str) -> SourceFile:
    """A module of an old application."""
    path = f"{module}.py"
    return SourceFile(Path(path), path, module, "source", Member(Path(), Path(), {}), text, ast.parse(text))


def test_an_engine_and_its_address_become_functions_and_their_uses_calls() -> None:
    """In the module itself and where it is imported."""
    files = (parsed("db", DB), parsed("use", USE))
    values = Values(Names(files), files, set())
    made = values.made_late(files[0])
    assert "@cache\ndef URL():\n    return chosen('URL')\n" in made
    assert "@cache\ndef engine():\n    return create_engine(URL())\n" in made
    assert "return engine().connect()" in values.made_late(files[1])


def test_the_manifest_may_read_the_environment() -> None:
    """There nothing changes."""
    files = (parsed("db", DB),)
    assert Values(Names(files), files, {"db"}).made_late(files[0]) == DB
