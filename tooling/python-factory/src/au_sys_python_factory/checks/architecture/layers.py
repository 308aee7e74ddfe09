"""Inside a capability: manifest, then adapters, then core; every folder in one of them; the core pure."""

from collections.abc import Iterator

from au_sys_python_factory.checks.reading.project import MemberFiles
from au_sys_python_factory.checks.reading.source import Imported, SourceFile
from au_sys_python_factory.checks.rule import Hit, Rule

HEIGHT = {"core": 0, "conformance": 1, "adapters": 2, "fastapi": 3, "manifest": 4}
_TOP_FILES = {"__init__", "__main__", "fastapi", "verify"}
FRAMEWORKS = {
    "aiosqlite", "alembic", "apsw", "asyncpg", "boto3", "click", "django", "fastapi",
    "fastapi_services_platform", "flask", "httpx", "jinja2", "ldap3", "psycopg", "pydantic",
    "pydantic_settings", "redis", "requests", "sqlalchemy", "starlette", "structlog", "uvicorn",
}  # fmt: skip


def run_imports(file: SourceFile) -> list[Imported]:
    """Imports that are carried out; those for type checkers only couple nothing at run time."""
    return [item for item in file.imports if not item.typing_only]


def layer_upward(file: SourceFile) -> Iterator[Hit]:
    """Imports from a lower layer into a higher one of the same package."""
    height = HEIGHT.get(file.layer)
    if not file.member.tri_layer or height is None:
        return
    for item in run_imports(file):
        for name in {item.module, item.target}:
            parts = name.split(".")
            if len(parts) > 1 and parts[0] == file.member.import_name and HEIGHT.get(parts[1], -1) > height:
                yield file.hit(item.node, f"{file.layer} imports {parts[1]} ({name})")
                break


def unknown_layer(member: MemberFiles) -> Iterator[Hit]:
    """Folders and modules beside the known layers."""
    if not member.member.tri_layer:
        return
    seen: set[str] = set()
    for file in member.source:
        first = file.inner[0]
        known = first in HEIGHT if len(file.inner) > 1 else first.removesuffix(".py") in _TOP_FILES
        if not known and first not in seen:
            seen.add(first)
            yield Hit(1, 1, f"{first} is no layer of a capability", file.path)


def impure_core(file: SourceFile) -> Iterator[Hit]:
    """Frameworks inside a core."""
    if file.member.tri_layer and file.layer == "core":
        for item in run_imports(file):
            if item.module.split(".")[0] in FRAMEWORKS:
                yield file.hit(item.node, f"the core imports {item.module}")


A02 = Rule(
    "A02",
    "A layer points upward",
    "The domain must not change because a database or a route does.",
    "declare a port in the core and let the adapter implement it; wire both in manifest/container.py.",
    "import {package}.fastapi\n",
    "import {package}.core.errors\n",
    file_check=layer_upward,
)
A03 = Rule(
    "A03",
    "A folder is no known layer",
    "A reader who knows one capability knows them all: core, adapters, manifest, two doors.",
    "move it below core, adapters or manifest.",
    '"""Planted."""\n',
    '"""Planted."""\n',
    place="src/{package}/extras/__init__.py",
    member_check=unknown_layer,
)
A04 = Rule(
    "A04",
    "The core imports a framework",
    "A core without frameworks is tested in milliseconds and outlives each of them.",
    "move the code to adapters/, or express what is needed as a port.",
    "import sqlalchemy\n",
    "import decimal\n",
    place="src/{package}/core/planted.py",
    file_check=impure_core,
)

RULES = (A02, A03, A04)
