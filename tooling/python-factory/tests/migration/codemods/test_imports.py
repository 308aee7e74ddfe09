"""Moved modules are found under their new names, whatever the import looked like."""

import pytest

from au_sys_python_factory.migration.codemods.imports import Spelling, rewritten

MODULES = {"old.db": "new.adapters.db.tables", "old.api": "new.adapters.api.api"}


def leads_to(dotted: str) -> tuple[str, str]:
    """Names of the old application; its door hands ``Note`` on."""
    if dotted == "old.Note":
        return "old.db", "Note"
    module = next((name for name in MODULES if dotted == name or dotted.startswith(f"{name}.")), "")
    return (module, dotted.removeprefix(module).lstrip(".")) if module else ("", dotted)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("from old.db import Note\n", "from new.adapters.db.tables import Note\n"),
        ("from old import Note as N\n", "from new.adapters.db.tables import Note as N\n"),
        ("from old import db\n", "from new.adapters.db import tables as db\n"),
        ("from . import db\n", "from new.adapters.db import tables as db\n"),
        ("from .db import Note\n", "from new.adapters.db.tables import Note\n"),
        ("import old.db\nold.db.Note()\n", "from new.adapters.db import tables\ntables.Note()\n"),
        ("import old.db as kept\n", "from new.adapters.db import tables as kept\n"),
        ('patch("old.db.Note")\n', 'patch("new.adapters.db.tables.Note")\n'),
        ('run("old.api:app")\n', 'run("new.adapters.api.api:app")\n'),
        ("def f():\n    from .db import Note\n", "def f():\n    from new.adapters.db.tables import Note\n"),
        ("import json  # kept\n", "import json  # kept\n"),
        ('"old.db is a word here"\n', '"old.db is a word here"\n'),
    ],
)
def test_an_import_names_where_the_module_is_now(before: str, after: str) -> None:
    """Absolute, relative, aliased, through a door, in a text."""
    assert after == rewritten(before, "old.api", False, Spelling(MODULES, leads_to))
