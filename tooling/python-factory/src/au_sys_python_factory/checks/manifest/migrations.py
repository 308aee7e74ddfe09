"""One line of migrations, and tables as it leaves them."""

import ast
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from au_sys_python_factory.checks.reading.interpreter import asked
from au_sys_python_factory.checks.reading.project import MemberFiles
from au_sys_python_factory.checks.reading.source import SourceFile
from au_sys_python_factory.checks.rule import Hit, Rule

_QUESTION = """
import asyncio, importlib, json, sys
try:
    from fastapi_services_platform import Database, Migrations
    from fastapi_services_platform.persistence.migrations import drift
except ImportError:
    sys.exit(0)

name, modules = json.loads(sys.argv[1])
offered = None
for module in modules:
    for value in vars(importlib.import_module(module)).values():
        if isinstance(value, Migrations) and value.tables is not None:
            offered = offered or value
if offered is None:
    tables = importlib.import_module(modules[-1])
    offered = Migrations(modules[-1].rpartition(".")[0] + ".migrations", tables.metadata)

async def compared():
    database = Database(name, f"sqlite+aiosqlite:///{name}.db")
    try:
        await database.migrate(offered)
        return await drift(database, offered)
    finally:
        await database.close()

print(json.dumps(asyncio.run(compared())))
"""


def several_heads(member: MemberFiles) -> Iterator[Hit]:
    """Folders of revisions with more than one newest, or with one whose ancestor is missing."""
    folders: dict[Path, list[SourceFile]] = defaultdict(list)
    for file in member.source:
        if file.path.parent.name == "versions" and not file.is_package:
            folders[file.path.parent].append(file)
    for files in folders.values():
        known = {revision: (file, below) for file in files for revision, below in [_revision(file)] if revision}
        older = {name for _, below in known.values() for name in below}
        heads = sorted(known.keys() - older)
        for head in heads[1:]:
            yield Hit(1, 1, f"{head} is a second newest revision beside {heads[0]}", known[head][0].path)
        for revision, (file, below) in known.items():
            missing = [name for name in below if name not in known]
            if missing:
                yield Hit(1, 1, f"{revision} follows {missing[0]}, which is not there", file.path)


def _revision(file: SourceFile) -> tuple[str, list[str]]:
    """What a step is called, and what it follows."""
    told: dict[str, object] = {}
    for node in file.tree.body:
        targets = (
            node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
        )
        value = getattr(node, "value", None)
        for target in targets:
            if isinstance(target, ast.Name) and isinstance(value, ast.Constant | ast.Tuple | ast.List):
                told[target.id] = ast.literal_eval(value)
    below = told.get("down_revision")
    names = [below] if isinstance(below, str) else list(below) if isinstance(below, tuple | list) else []
    return str(told.get("revision") or ""), [str(name) for name in names]


def drifted(member: MemberFiles) -> Iterator[Hit]:
    """Tables that differ from what all migrations make of an empty database."""
    package = member.member.import_name
    steps = [file for file in member.source if file.path.parent.name == "versions" and not file.is_package]
    if not member.member.tri_layer or not steps or package is None:
        return
    asked_of = [f"{package}.manifest.plugin", f"{package}.manifest.container", f"{package}.adapters.db.tables"]
    modules = [name for name in asked_of if name in member.by_module]
    name = next(iter(member.member.plugins), package)
    found, failed = asked(member.project.workspace, _QUESTION, [name, modules])
    newest = max(steps, key=lambda file: file.path.name).path
    if failed:
        yield Hit(1, 1, f"the migrations do not run: {failed}", newest)
    elif isinstance(found, list) and found:
        yield Hit(1, 1, f"the tables differ from the head: {str(found[0])[:200]}", newest)


M06 = Rule(
    "M06",
    "Two migration heads, or tables that differ from the head",
    "A database cannot follow two lines at once; and what the tables say is not what an upgrade makes.",
    "give the later step the other as down_revision; write the missing step: python-factory add migration.",
    "two revisions with the same down_revision\n",
    "each revision follows the one before\n",
    member_check=several_heads,
    deep_check=drifted,
)

RULES = (M06,)
