"""Family G: one logger, events with fields, no secrets."""

import ast
from collections.abc import Iterator

from au_sys_python_factory.checks.reading.source import SourceFile
from au_sys_python_factory.checks.rule import Hit, Rule

_LIBRARIES = {"logging", "structlog", "loguru"}
_METHODS = {"debug", "info", "warning", "warn", "error", "exception", "critical", "log", "msg"}
_SECRETS = {
    "password",
    "passphrase",
    "secret",
    "token",
    "access_token",
    "refresh_token",
    "api_key",
    "private_key",
    "cookie",
}


def foreign_logger(file: SourceFile) -> Iterator[Hit]:
    """Loggers that do not come from the runtime's logger factory, and prints."""
    if not (file.member.role == "runtime" and file.layer == "observability"):
        for item in file.imports:
            if item.module.split(".")[0] in _LIBRARIES and not item.typing_only and file.member.role != "tool":
                yield file.hit(item.node, f"{item.module} is used as logger")
    for call in file.find(ast.Call):
        if isinstance(call.func, ast.Name) and call.func.id == "print":
            yield file.hit(call, "print(…) writes to a log that nobody reads")


def log_calls(file: SourceFile) -> Iterator[ast.Call]:
    """Calls of a logger's methods."""
    for call in file.find(ast.Call):
        if isinstance(call.func, ast.Attribute) and call.func.attr in _METHODS:
            receiver = ast.unparse(call.func.value).split(".")[-1].split("(")[0].lstrip("_").lower()
            if receiver in ("log", "logger", "get_logger"):
                yield call


def built_message(file: SourceFile) -> Iterator[Hit]:
    """Messages put together from values."""
    for call in log_calls(file):
        first = call.args[0] if call.args else None
        joined = isinstance(first, ast.JoinedStr) or (
            isinstance(first, ast.BinOp) and isinstance(first.op, ast.Mod | ast.Add)
        )
        formatted = (
            isinstance(first, ast.Call) and isinstance(first.func, ast.Attribute) and first.func.attr == "format"
        )
        if joined or formatted:
            yield file.hit(call, "the message is built from values")


def logged_secret(file: SourceFile) -> Iterator[Hit]:
    """Secrets among the fields of an event."""
    for call in log_calls(file):
        for keyword in call.keywords:
            if keyword.arg in _SECRETS:
                yield file.hit(call, f"{keyword.arg} is written to the log")


G01 = Rule(
    "G01",
    "A logger beside the logger factory",
    "Only the factory's loggers carry the correlation id and leave secrets out.",
    "`from fastapi_services_platform import get_logger`; a command line writes with click.echo.",
    "import logging\n\nlog = logging.getLogger(__name__)\n",
    "from fastapi_services_platform import get_logger\n\nlog = get_logger(__name__)\n",
    file_check=foreign_logger,
)
G03 = Rule(
    "G03",
    "A log message built from values",
    "Events are found and counted by their name; a sentence with values in it has none.",
    'log an event name and give the values as fields: `log.info("note.saved", note_id=note.id)`.',
    "from fastapi_services_platform import get_logger\n\nlog = get_logger(__name__)\n\n\n"
    "def planted(name: str) -> None:\n"
    '    """Tell."""\n    log.info(f"saved {name}")\n',
    "from fastapi_services_platform import get_logger\n\nlog = get_logger(__name__)\n\n\n"
    "def planted(name: str) -> None:\n"
    '    """Tell."""\n    log.info("note.saved", name=name)\n',
    file_check=built_message,
)
G04 = Rule(
    "G04",
    "A secret in a log call",
    "Logs are copied, kept and read by more people than any database.",
    "log the id of the thing, never the secret.",
    "from fastapi_services_platform import get_logger\n\nlog = get_logger(__name__)\n\n\n"
    "def planted(token: str) -> None:\n"
    '    """Tell."""\n    log.info("signed.in", token=token)\n',
    "from fastapi_services_platform import get_logger\n\nlog = get_logger(__name__)\n\n\n"
    "def planted(token_id: str) -> None:\n"
    '    """Tell."""\n    log.info("signed.in", token_id=token_id)\n',
    file_check=logged_secret,
)

RULES = (G01, G03, G04)
