"""Every route says what it asks of its caller; every secret setting is typed as one."""

import ast
import re
from collections.abc import Iterator

from au_sys_python_factory.checks.reading.routes import routes
from au_sys_python_factory.checks.reading.source import SourceFile, decorators
from au_sys_python_factory.checks.rule import Hit, Rule

_SECRET = re.compile(r"(?:^|_)(password|passphrase|secret|secret_key|token|api_key|private_key|credentials?|pepper)$")


def undeclared(file: SourceFile) -> Iterator[Hit]:
    """Routes without a declaration of access."""
    declaring = {"access"} | _named_declarations(file)
    for route in routes(file):
        if not any(name.split(".")[-1] in declaring for name in decorators(file, route.function)):
            yield file.hit(
                route.function, f"{route.method.upper()} {route.path or '/'} ({route.function.name}) declares no access"
            )


def _named_declarations(file: SourceFile) -> set[str]:
    """Variables that hold a declaration: ``declare = access(public=True)``."""
    found: set[str] = set()
    for node in file.find(ast.Assign):
        calls = [call for call in ast.walk(node.value) if isinstance(call, ast.Call)]
        if any(file.qualified(call.func).split(".")[-1] == "access" for call in calls):
            found |= {target.id for target in node.targets if isinstance(target, ast.Name)}
    return found


def open_secret(file: SourceFile) -> Iterator[Hit]:
    """Settings that hold a secret as plain text."""
    for owner in file.find(ast.ClassDef):
        if not any(file.qualified(kind).split(".")[-1].endswith("Settings") for kind in owner.bases):
            continue
        for field in owner.body:
            name = field.target.id if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name) else ""
            kind = ast.unparse(field.annotation) if isinstance(field, ast.AnnAssign) else ""
            if _SECRET.search(name) and re.fullmatch(r"(str|bytes)( \| None)?", kind):
                yield file.hit(field, f"{name} is a plain {kind}")


S01 = Rule(
    "S01",
    "A route declares no access",
    "What declares nothing must not exist: nobody decided who may use it.",
    'put `@access(permission="…")`, `@access(authenticated=True)` or `@access(public=True)` below the route decorator.',
    'from fastapi import APIRouter\n\nrouter = APIRouter()\n\n\n@router.get("/notes")\n'
    "async def notes() -> list[str]:\n"
    '    """All of them."""\n    return []\n',
    "from fastapi import APIRouter\nfrom fastapi_services_platform import access\n\n"
    "router = APIRouter()\n\n\n"
    '@router.get("/notes")\n@access(authenticated=True)\nasync def notes() -> '
    'list[str]:\n    """All of them."""\n    return []\n',
    file_check=undeclared,
)
S04 = Rule(
    "S04",
    "A secret setting is plain text",
    "Plain text appears in reprs, error messages and dumps of settings.",
    "type it as pydantic's SecretStr.",
    "from fastapi_services_platform import PlatformSettings\n\n\n"
    'class PlantedSettings(PlatformSettings):\n    """Planted."""\n\n    directory_password: str\n',
    "from fastapi_services_platform import PlatformSettings\nfrom pydantic import SecretStr\n\n\n"
    'class PlantedSettings(PlatformSettings):\n    """Planted."""\n\n    directory_password: SecretStr\n',
    file_check=open_secret,
)

RULES = (S01, S04)
