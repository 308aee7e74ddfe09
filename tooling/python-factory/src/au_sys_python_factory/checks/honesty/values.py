"""Values that differ from place to place, written where nobody can set or find them."""

import ast
import re
from collections.abc import Iterator
from urllib.parse import urlsplit

from au_sys_python_factory.checks.reading.source import SourceFile
from au_sys_python_factory.checks.rule import Hit, Rule

_URL = re.compile(r"^(?:https?|wss?|ldaps?|rediss?|amqps?|smtps?|postgres\w*|mysql\w*|mongodb)(?:\+\w+)?://[^\s{}<>]+$")
_ADDRESS = re.compile(r"^(?:\d{1,3}\.){3}\d{1,3}(?::\d+)?$")
_MAIL = re.compile(r"^[\w.+-]+@(?P<host>[\w-]+(?:\.[\w-]+)+)$")
_PATH = re.compile(r"^(?:/(?:home|root|Users|srv|opt|mnt|data|var)/[\w./-]+|[A-Z]:\\[\w\\ .-]+)$")
_HERE = re.compile(r"^(?:localhost|127\.\d+\.\d+\.\d+|0\.0\.0\.0|255\.255\.255\.255|\[?::1?\]?)$")
_RESERVED = re.compile(r"(?:^|\.)(?:example|test|invalid|localhost|local|example\.(?:com|org|net))$")
_IDENTIFIER = re.compile(r"(?i)schema|xmlns|w3\.org|/ns/|ietf\.org|rfc-?\d|purl\.")
_NUMBERED = re.compile(r"^(?:\w+_)?(?:timeout|port|limit)$")
_SECRET = re.compile(r"^(?:\w+_)?(?:password|passphrase|secret_key|api_key|client_secret)$")
_FOR_TESTS = {"testing", "conformance", "versions"}


def hard_coded(file: SourceFile) -> Iterator[Hit]:
    """Hosts, addresses, paths, credentials, mail addresses and bounds outside config.py and documented constants."""
    if file.path.name == "config.py" or _FOR_TESTS & set(file.inner):
        return
    documented = {id(node) for _, node in file.docstrings}
    for node in file.find(ast.Constant):
        what = _kind(node.value) if isinstance(node.value, str) and len(node.value) > 5 else ""
        if not what or id(node) in documented or _named(file, node) or _about_data(file, node):
            continue
        if isinstance(file.parent(node), ast.JoinedStr) and str(node.value).count("/") < 3:
            continue  # the beginning of a URL whose host comes from somewhere else
        yield file.hit(node, f"{what} {node.value!r} is fixed here")
    for call in file.find(ast.Call):
        for keyword in call.keywords:
            if _fixed(keyword) and not _named(file, call):
                yield file.hit(keyword.value, f"{keyword.arg}={ast.unparse(keyword.value)} is fixed here")


def _kind(text: str) -> str:
    """What the text is: a URL, an address, a mail address or a path of one place; empty when it is none of them."""
    if "://" in text and _URL.match(text):
        return "" if _anywhere(urlsplit(text).netloc) or _IDENTIFIER.search(text) else "the URL"
    if text[0].isdigit() and _ADDRESS.match(text):
        return "" if _anywhere(text) else "the address"
    if "@" in text and (found := _MAIL.match(text)):
        return "" if _RESERVED.search(found["host"]) else "the mail address"
    return "the path" if ("/" in text or "\\" in text) and _PATH.match(text) else ""


def _anywhere(place: str) -> bool:
    """Whether a host means this machine, or is reserved for examples."""
    host = place.rpartition("@")[2]
    host = host if host.startswith("[") else host.partition(":")[0]
    return not host or bool(_HERE.match(host) or _RESERVED.search(host))


def _fixed(keyword: ast.keyword) -> bool:
    value = keyword.value.value if isinstance(keyword.value, ast.Constant) else None
    name = keyword.arg or ""
    number = isinstance(value, int | float) and not isinstance(value, bool) and value > 1
    return bool((number and _NUMBERED.match(name)) or (isinstance(value, str) and value and _SECRET.match(name)))


def _named(file: SourceFile, node: ast.AST) -> bool:
    """Whether it belongs to a constant at the top of the module that says why: Final, a comment, a text below."""
    body = file.tree.body
    for statement in (node, *file.parents(node)):
        if isinstance(statement, ast.Assign | ast.AnnAssign) and isinstance(file.parent(statement), ast.Module):
            target = statement.targets[0] if isinstance(statement, ast.Assign) else statement.target
            if not (isinstance(target, ast.Name) and target.id.lstrip("_").isupper()):
                return False
            final = isinstance(statement, ast.AnnAssign) and "Final" in ast.unparse(statement.annotation)
            lines = range(statement.lineno - 1, (statement.end_lineno or statement.lineno) + 1)
            below = body[body.index(statement) + 1 : body.index(statement) + 2]
            text = bool(below) and isinstance(below[0], ast.Expr) and isinstance(below[0].value, ast.Constant)
            return final or text or any(line in file.comment_lines for line in lines)
    return False


def _about_data(file: SourceFile, node: ast.Constant) -> bool:
    """Whether the text is compared with, searched for, or an example of a rule."""
    above = file.parent(node)
    above = file.parent(above) if isinstance(above, ast.Tuple | ast.Set | ast.List) else above
    if isinstance(above, ast.Compare):
        return True
    call = next((item for item in file.parents(node) if isinstance(item, ast.Call)), None)
    name = file.qualified(call.func) if call is not None else ""
    method = call.func.attr if call is not None and isinstance(call.func, ast.Attribute) else ""
    return name.startswith("re.") or name.endswith("checks.rule.Rule") or method in ("startswith", "removeprefix")


Z07 = Rule(
    "Z07",
    "A value of one place, fixed in the code",
    "It is right on one machine on one day; whoever runs it elsewhere has to change the code.",
    "make it a field of manifest/config.py; what never differs is a constant with `Final` or a line that says why.",
    'def planted() -> str:\n    """Where the directory is."""\n    return "https://directory.school.se/people"\n',
    "from typing import Final\n\n"
    'RANGES: Final = "https://api.pwnedpasswords.com/range/"\n"""The only server of this protocol."""\n',
    file_check=hard_coded,
)

RULES = (Z07,)
