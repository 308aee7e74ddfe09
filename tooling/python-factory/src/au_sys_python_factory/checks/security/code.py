"""Constructions that turn data into code or open what should be closed."""

import ast
import re
from collections.abc import Iterator

from au_sys_python_factory.checks.reading.source import SourceFile
from au_sys_python_factory.checks.rule import Hit, Rule

_EXECUTING = {"execute", "executemany", "executescript", "exec_driver_sql", "scalar", "scalars"}
_DANGEROUS = {
    "eval", "exec", "os.system", "os.popen", "pickle.load", "pickle.loads", "marshal.load", "marshal.loads",
    "shelve.open", "yaml.load", "yaml.unsafe_load", "yaml.full_load", "dill.loads",
    "asyncio.create_subprocess_shell",
}  # fmt: skip
_SAFE_LOADERS = {"SafeLoader", "CSafeLoader"}
_SECRET_WORDS = re.compile(r"(?i)secret|token|password|nonce|salt|api_?key|one_?time|\bcode\b|session_id")
_KEYWORDS = re.compile(r"(?is)^\s*(select|insert|update|delete|with|merge|replace)\b")


def built_sql(file: SourceFile) -> Iterator[Hit]:
    """Statements put together from values."""
    for call in file.find(ast.Call):
        method = call.func.attr if isinstance(call.func, ast.Attribute) else ""
        is_text = file.qualified(call.func) in ("sqlalchemy.text", "sqlalchemy.sql.text")
        if (method in _EXECUTING or is_text) and call.args and _built(call.args[0]):
            yield file.hit(call, f"SQL is built from values in {ast.unparse(call.func)}(…)")


def _built(node: ast.expr) -> bool:
    if isinstance(node, ast.JoinedStr):
        first = node.values[0].value if node.values and isinstance(node.values[0], ast.Constant) else ""
        values = [item.value for item in node.values if isinstance(item, ast.FormattedValue)]
        return bool(_KEYWORDS.match(str(first))) and not all(_constant(value) for value in values)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Mod):
        left = node.left
        while isinstance(left, ast.BinOp):
            left = left.left
        starts = isinstance(left, ast.Constant) and bool(_KEYWORDS.match(str(left.value)))
        return starts and not (isinstance(node.right, ast.Constant) and isinstance(node.op, ast.Add))
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "format":
        return isinstance(node.func.value, ast.Constant) and bool(_KEYWORDS.match(str(node.func.value.value)))
    return False


def _constant(node: ast.expr) -> bool:
    name = node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""
    return isinstance(node, ast.Constant) or name.lstrip("_").isupper()


def dangerous(file: SourceFile) -> Iterator[Hit]:
    """Evaluation of text, shells and loaders that run what they load."""
    for call in file.find(ast.Call):
        name = file.qualified(call.func)
        if name in _DANGEROUS and not (name == "yaml.load" and _safe_loader(file, call)):
            yield file.hit(call, f"{name}(…)")
        if name.startswith("subprocess.") and any(_is_true(item, "shell") for item in call.keywords):
            yield file.hit(call, f"{name}(…, shell=True)")


def _safe_loader(file: SourceFile, call: ast.Call) -> bool:
    given = [*call.args[1:], *(item.value for item in call.keywords if item.arg == "Loader")]
    return any(file.qualified(item).split(".")[-1] in _SAFE_LOADERS for item in given)


def _is_true(keyword: ast.keyword, name: str) -> bool:
    return keyword.arg == name and isinstance(keyword.value, ast.Constant) and keyword.value.value is True


def no_tls_check(file: SourceFile) -> Iterator[Hit]:
    """TLS without looking at the certificate."""
    for call in file.find(ast.Call):
        for item in call.keywords:
            off = isinstance(item.value, ast.Constant) and item.value.value is False
            opens = off and _opens(file.qualified(call.func) or ast.unparse(call.func))
            if opens and item.arg in ("verify", "verify_ssl", "check_hostname"):
                yield file.hit(call, f"{item.arg}=False")
    for attribute in file.find(ast.Attribute):
        if file.qualified(attribute) in ("ssl.CERT_NONE", "ssl._create_unverified_context"):
            yield file.hit(attribute, file.qualified(attribute))


def _opens(name: str) -> bool:
    return bool(re.search(r"(?i)client|session|request|get$|post$|put$|connect|transport|pool|context", name))


def weak_secret(file: SourceFile) -> Iterator[Hit]:
    """Secrets from a predictable source, and broken hashes."""
    for call in file.find(ast.Call):
        name = file.qualified(call.func)
        if name in ("hashlib.md5", "hashlib.sha1") and not any(item.arg == "usedforsecurity" for item in call.keywords):
            yield file.hit(call, f"{name} is broken")
        if name.startswith("random.") and name not in ("random.SystemRandom",) and _about_secrets(file, call):
            yield file.hit(call, f"{name} is predictable")


def _about_secrets(file: SourceFile, call: ast.Call) -> bool:
    names: list[str] = []
    for above in file.parents(call):
        if isinstance(above, ast.Assign):
            names += [ast.unparse(target) for target in above.targets]
        if isinstance(above, ast.FunctionDef | ast.AsyncFunctionDef):
            names.append(above.name)
            break
    return any(_SECRET_WORDS.search(name) for name in names)


def open_to_every_site(file: SourceFile) -> Iterator[Hit]:
    """Any other site may send a person's cookies along and read the answer."""
    for call in file.find(ast.Call):
        given = {item.arg: ast.unparse(item.value) for item in call.keywords if item.arg}
        everybody = "'*'" in given.get("allow_origins", "") or given.get("allow_origin_regex", "") in ("'.*'", "'^.*$'")
        if everybody and given.get("allow_credentials") == "True":
            yield file.hit(call, "every origin is allowed together with credentials")


S02 = Rule(
    "S02",
    "Every origin, with credentials",
    "Any page that a signed-in person visits could act in their name and read what comes back.",
    "name the origins, or leave credentials out; the platform's own setting is FSP_CORS_ORIGINS.",
    "from fastapi import FastAPI\nfrom fastapi.middleware.cors import CORSMiddleware\n\n\n"
    'def planted(app: FastAPI) -> None:\n    """Open."""\n'
    '    app.add_middleware(CORSMiddleware, allow_origins=["*"], allow_credentials=True)\n',
    "from fastapi import FastAPI\nfrom fastapi.middleware.cors import CORSMiddleware\n\n\n"
    'def planted(app: FastAPI) -> None:\n    """Open to one."""\n'
    '    app.add_middleware(CORSMiddleware, allow_origins=["https://shop.example"], allow_credentials=True)\n',
    file_check=open_to_every_site,
)
S03 = Rule(
    "S03",
    "SQL built from values",
    "A quote in a name becomes a command to the database.",
    "bind values as parameters; names of tables come from metadata, not from text.",
    'def planted(cursor: object, name: str) -> None:\n    """Forget."""\n'
    "    cursor.execute(f\"DELETE FROM notes WHERE name = '{name}'\")\n",
    'def planted(cursor: object, name: str) -> None:\n    """Forget."""\n'
    '    cursor.execute("DELETE FROM notes WHERE name = ?", (name,))\n',
    same_as=("S608",),
    file_check=built_sql,
)
S05 = Rule(
    "S05",
    "Text that is run",
    "Whoever controls the text controls the process.",
    "call the function, pass a list of arguments, load JSON or TOML.",
    'def planted(text: str) -> object:\n    """Compute."""\n    return eval(text)\n',
    'import ast\n\n\ndef planted(text: str) -> object:\n    """Read a literal."""\n    return ast.literal_eval(text)\n',
    areas=("source", "other"),
    same_as=("S102", "S301", "S302", "S307", "S506", "S602", "S604", "S605"),
    file_check=dangerous,
)
S06 = Rule(
    "S06",
    "TLS check off",
    "Anyone between the two can read and change everything.",
    "trust the right authority: pass its file as `verify=…`.",
    "import ssl\n\n\ndef planted(context: ssl.SSLContext) -> None:\n"
    '    """Trust."""\n    context.verify_mode = ssl.CERT_NONE\n',
    "import ssl\n\n\ndef planted(context: ssl.SSLContext) -> None:\n"
    '    """Trust."""\n    context.verify_mode = ssl.CERT_REQUIRED\n',
    areas=("source", "tests", "other"),
    same_as=("S501", "S323"),
    file_check=no_tls_check,
)
S07 = Rule(
    "S07",
    "A weak hash, or a predictable secret",
    "What can be guessed or collided is no secret and no proof.",
    "use the secrets module; hash with sha256 or better (passwords: argon2); say "
    "usedforsecurity=False where it is no proof.",
    'import random\n\n\ndef new_token() -> str:\n    """A token."""\n    return str(random.random())\n',
    'import secrets\n\n\ndef new_token() -> str:\n    """A token."""\n    return secrets.token_urlsafe()\n',
    same_as=("S303", "S311", "S324"),
    file_check=weak_secret,
)

RULES = (S02, S03, S05, S06, S07)
