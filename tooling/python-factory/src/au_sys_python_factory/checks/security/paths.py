"""Files whose names a caller chooses."""

import ast
from collections.abc import Iterator

from au_sys_python_factory.checks.reading.routes import routes
from au_sys_python_factory.checks.reading.source import Function, SourceFile
from au_sys_python_factory.checks.rule import Hit, Rule

_OPENING = {
    "open", "io.open", "os.open", "os.path.join", "os.remove", "os.unlink", "os.listdir", "pathlib.Path",
    "anyio.Path", "anyio.open_file", "aiofiles.open", "shutil.rmtree", "fastapi.responses.FileResponse",
    "starlette.responses.FileResponse",
}  # fmt: skip
_ASKED = {"query_params", "path_params", "headers", "cookies"}
_TEXTS = {"str", "str | None", "Path", "PurePath"}


def chosen_path(file: SourceFile) -> Iterator[Hit]:
    """Paths that a route makes of what its caller sent, without looking at it."""
    for route in routes(file):
        given = _texts(route.function)
        for node in ast.walk(route.function):
            if isinstance(node, ast.Call) and file.qualified(node.func) in _OPENING:
                parts = [*node.args, *(item.value for item in node.keywords if item.arg in ("path", "file"))]
            elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div):
                parts = [node.right]
            else:
                continue
            name = next((found for part in parts if (found := _from_request(part, given))), "")
            if name:
                yield file.hit(node, f"{route.function.name} opens what the caller names in {name}")
                break


def _texts(function: Function) -> set[str]:
    """The parameters that hold text as it was sent."""
    arguments = function.args
    given = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
    return {item.arg for item in given if item.annotation is not None and _kind(item.annotation) in _TEXTS}


def _kind(annotation: ast.expr) -> str:
    """The type itself, without ``Annotated``; a dependency is not what was sent."""
    if isinstance(annotation, ast.Subscript) and ast.unparse(annotation.value).endswith("Annotated"):
        parts = annotation.slice.elts if isinstance(annotation.slice, ast.Tuple) else [annotation.slice]
        made = any(word in ast.unparse(part) for part in parts[1:] for word in ("Depends", "inject", "pattern"))
        return "" if made else ast.unparse(parts[0])
    return ast.unparse(annotation)


def _from_request(part: ast.expr, given: set[str]) -> str:
    """The name of what was sent, where a path is made of it as it is."""
    if isinstance(part, ast.Name):
        return part.id if part.id in given else ""
    if isinstance(part, ast.JoinedStr):
        values = [item.value for item in part.values if isinstance(item, ast.FormattedValue)]
        return next((found for value in values if (found := _from_request(value, given))), "")
    if isinstance(part, ast.Subscript) and isinstance(part.value, ast.Attribute):
        return part.value.attr if part.value.attr in _ASKED else ""
    return ""


S09 = Rule(
    "S09",
    "A file path from request data",
    "`../../etc/passwd` is a name too.",
    "look the file up by an id that the server gave out, or compare the resolved path with the folder that holds it.",
    "from pathlib import Path\n\nfrom fastapi import APIRouter\nfrom fastapi.responses import FileResponse\n"
    "from fastapi_services_platform import access\n\nrouter = APIRouter()\n\n\n"
    '@router.get("/planted/{name}")\n@access(authenticated=True)\n'
    'async def planted(name: str) -> FileResponse:\n    """A file."""\n'
    '    return FileResponse(Path("notes") / name)\n',
    "from uuid import UUID\n\nfrom fastapi import APIRouter\nfrom fastapi.responses import FileResponse\n"
    "from fastapi_services_platform import access\n\nrouter = APIRouter()\n\n\n"
    '@router.get("/planted/{name}")\n@access(authenticated=True)\n'
    'async def planted(name: UUID) -> FileResponse:\n    """A file."""\n'
    '    return FileResponse(f"notes/{name}.txt")\n',
    file_check=chosen_path,
)

RULES = (S09,)
