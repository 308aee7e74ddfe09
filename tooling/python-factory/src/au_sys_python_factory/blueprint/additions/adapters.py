"""``add port`` and ``add adapter``: an outside thing behind a port, chosen by a setting, held to one suite."""

from __future__ import annotations

import ast
import re
from pathlib import Path

from au_sys_python_factory.blueprint.additions.additions import Addition, Package
from au_sys_python_factory.blueprint.additions.ports import VALUES, Port, port_in
from au_sys_python_factory.blueprint.additions.revision import next_revision
from au_sys_python_factory.errors import Refused, UsageError
from au_sys_python_factory.plan.editing.python import (
    Finder,
    functions,
    parsed,
    returned_by,
    with_element,
    with_function,
    with_imports,
)

KINDS = {"memory": "Memory", "filesystem": "Folder", "db": "Sql"}
"""Kinds of adapters that can be written, with what their classes begin with."""


_NEEDED = {
    "memory": (),
    "filesystem": (),
    "db": ("from fastapi_services_platform import PlatformSettings, open_database",),
}
"""What a suite's fixture imports for an adapter."""


def add_port(package: Package, port: Port, kind: str) -> Addition:
    """The port, its memory adapter, the other one, the suite for both, and a setting that chooses.

    Raises:
        UsageError: the kind cannot be written.
        Refused: the name has another meaning already.
    """
    if kind == "memory":
        raise UsageError("a port has memory and one more.", fix=f"--adapter {_others()}.")
    path = _ports(package)
    text = package.text(path)
    if port.name in _classes(text, path):
        present = port_in(parsed(text, path), port.name, path)
        if present != port:
            raise Refused(f"{port.name} exists and does something else.", where=path, fix="choose another name.")
    else:
        imports = ["from typing import Protocol", *_value_import(package, port)]
        imports += ["from collections.abc import Sequence"] if port.method("keys") else []
        text = f"{with_imports(text, imports, path).rstrip()}\n\n\n{_protocol(port)}"
    suite = _suite(port)
    there = package.member.path / suite
    whole = package.rendered("port", _values(package, port), {"word": port.word})[suite]
    texts = {path: text, suite: there.read_text(encoding="utf-8") if there.is_file() else whole}
    memory = _adapter(package, port, "memory", texts)
    both = _adapter(package, port, kind, dict(memory.changed))
    return Addition({**memory.made, **both.made}, both.changed)


def add_adapter(package: Package, name: str, kind: str) -> Addition:
    """One more adapter behind a port that is there.

    Raises:
        UsageError: the kind cannot be written.
        Refused: there is no such port, or its methods have no meaning that is known.
    """
    path = _ports(package)
    return _adapter(package, port_in(parsed(package.text(path), path), name, path), kind, {})


def _adapter(package: Package, port: Port, kind: str, texts: dict[str, str]) -> Addition:
    if kind not in KINDS:
        raise UsageError(f"an adapter {kind} cannot be written.", fix=f"one of {_others()}; others by hand.")
    made = package.rendered(f"adapter_{kind}", _values(package, port), {"word": port.word})
    config, container = f"{package.source}/manifest/config.py", f"{package.source}/manifest/container.py"
    changed = dict(texts)

    def text(at: str) -> str:
        return changed.get(at) or package.text(at)

    changed[config] = _setting(text(config), package, port, kind, config)
    changed[".env.example"] = _example(text(".env.example"), package, port, kind)
    changed[container] = _chosen(text(container), package, port, kind, container)
    changed[_suite(port)] = _suite_run(text(_suite(port)), package, port, kind, _suite(port))
    if kind == "db":
        tables = f"{package.source}/adapters/db/tables.py"
        changed[tables] = _table(text(tables), port, tables)
        made |= _revision(package, port)
    return Addition(made, changed)


def _suite(port: Port) -> str:
    return f"tests/conformance/test_{port.word}.py"


def _values(package: Package, port: Port) -> dict[str, object]:
    own = port.value not in VALUES
    sample = _own_sample(package) if own else VALUES[port.value]
    methods = {meaning: port.method(meaning) for meaning in ("get", "put", "remove", "keys")}
    imports = "\n".join(_value_import(package, port))
    return {"port": port, **methods, "own": own, "sample": sample, "value_import": imports}


def _own_sample(package: Package) -> str:
    one = package.blueprint.noun.One
    return f'{one}({one}Id("1"), 1, content, "urn:subject:ada", MOMENT, MOMENT)'


def _value_import(package: Package, port: Port) -> list[str]:
    noun = package.blueprint.noun
    module = f"{package.blueprint.names.package}.core.{noun.many}.models"
    return [] if port.value in VALUES else [f"from {module} import {port.value}"]


def _ports(package: Package) -> str:
    return f"{package.source}/core/{package.blueprint.noun.many}/ports.py"


def _classes(text: str, path: str) -> set[str]:
    return {node.name for node in parsed(text, path).body if isinstance(node, ast.ClassDef)}


def _others() -> str:
    return ", ".join(kind for kind in KINDS if kind != "memory")


def _protocol(port: Port) -> str:
    said = {
        "get": (f"{port.value} | None", "What is kept there, or ``None``."),
        "put": ("None", "Keep it there; what was there before is gone."),
        "remove": ("bool", "Forget it; whether it was there."),
        "keys": ("Sequence[str]", "Every key, sorted."),
    }
    lines = [f"class {port.name}(Protocol):", f'    """One {port.value} under each key."""']
    for method in port.methods:
        result, sentence = said[method.meaning]
        types = (": str", f": {port.value}")
        given = "".join(f", {name}{types[at]}" for at, name in enumerate(method.arguments))
        lines += ["", f"    async def {method.name}(self{given}) -> {result}:", f'        """{sentence}"""']
    return "\n".join(lines) + "\n"


def _setting(text: str, package: Package, port: Port, kind: str, path: str) -> str:
    found = re.search(rf'(?m)^    {port.word}: Literal\[(?P<kinds>[^\]]*)\] = Field\(\s*"', text)
    if found is None:
        said = f"Where the {port.label} is kept."
        line = f'    {port.word}: Literal["{kind}"] = Field("{kind}", description="{said}")\n'
        return with_imports(
            f"{text.rstrip()}\n{line}", ["from typing import Literal", "from pydantic import Field"], path
        )
    if f'"{kind}"' in found["kinds"]:
        return text
    line = found[0].replace(f"[{found['kinds']}]", f'["{kind}", {found["kinds"]}]', 1)
    text = text.replace(found[0], line, 1)
    return text.replace(f'{line}memory"', f'{line}{kind}"', 1) if found["kinds"] == '"memory"' else text


def _example(text: str, package: Package, port: Port, kind: str) -> str:
    name = f"{package.blueprint.names.prefix}{port.word.upper()}"
    head = f"# Where the {port.label} is kept: "
    found = re.search(rf"(?m)^{re.escape(head)}(?P<kinds>.*)\n{name}=(?P<chosen>\w+)$", text)
    if found is None:
        return f"{text.rstrip()}\n\n{head}{kind} (gone at the next start).\n{name}={kind}\n"
    if kind in found["kinds"]:
        return text
    chosen = kind if found["chosen"] == "memory" else found["chosen"]
    return text.replace(found[0], f"{head}{kind}, {found['kinds']}\n{name}={chosen}")


def _made_by(package: Package, port: Port, kind: str) -> str:
    capability = package.blueprint.names.capability
    arguments = {
        "memory": "",
        "filesystem": f'platform.settings.data_dir / "{capability}" / "{port.word}"',
        "db": f'platform.database("{capability}")',
    }
    return f"{KINDS[kind]}{port.name}({arguments[kind]})"


def _module(package: Package, port: Port, kind: str) -> str:
    return f"from {package.blueprint.names.package}.adapters.{kind}.{port.word} import {KINDS[kind]}{port.name}"


def _chosen(text: str, package: Package, port: Port, kind: str, path: str) -> str:
    names, noun = package.blueprint.names, package.blueprint.noun
    imports = [f"from {names.package}.core.{noun.many}.ports import {port.name}", _module(package, port, kind)]
    last = f"    return {_made_by(package, port, 'memory')}\n"
    if port.word not in functions(text, path):
        source = (
            f"def {port.word}(platform: Platform, settings: {names.settings}) -> {port.name}:\n"
            f'    """Where the {port.label} is kept."""\n{last}'
        )
        text = with_function(text, source, path)
    asked = f'settings.{port.word} == "{kind}"'
    if kind != "memory" and f"if {asked}:" not in text:
        text = _before(text, last, f"    if {asked}:\n        return {_made_by(package, port, kind)}\n", path)
    if kind == "db":
        text = _with_history(text, f"settings.{port.word}")
    text = with_element(text, returned_by("services"), f"Service({port.name}, lambda _scope: kept_{port.word})", path)
    made = f"    kept_{port.word} = {port.word}(platform, settings)\n"
    if made not in text:
        text = _before(text, "    return (\n        Service(", made, path)
    return with_imports(text, imports, path)


def _with_history(text: str, chosen: str) -> str:
    """Tables are made where anything is kept in them."""
    found = re.search(r"(?m)^    kept_where = \{(?P<settings>[^}]*)\}$", text)
    if found is not None:
        wanted = found[0] if chosen in found["settings"].split(", ") else f"{found[0][:-1]}, {chosen}}}"
        return text.replace(found[0], wanted)
    alone = re.compile(r'(?m)^    return None if settings\.store == "memory" else (?P<history>Migrations\(.*\))$')
    where = f"    kept_where = {{settings.store, {chosen}}}\n"
    return alone.sub(
        lambda match: f'{where}    return {match["history"]} if kept_where & {{"database", "db"}} else None', text
    )


def _before(text: str, anchor: str, added: str, path: str) -> str:
    if anchor not in text:
        raise Refused(f"there is no place above {anchor.strip()!r}.", where=path, fix="add it by hand.")
    before, _, after = text.rpartition(anchor)
    return f"{before}{added}{anchor}{after}"


def _suite_run(text: str, package: Package, port: Port, kind: str, path: str) -> str:
    names = package.blueprint.names
    imports = [_module(package, port, kind), *_NEEDED[kind]]
    if kind == "db":
        imports += [
            f"from {names.package}.manifest.{place}"
            for place in (f"config import {names.settings}", "container import migrations")
        ]
    last = f"    yield Memory{port.name}()\n"
    if kind != "memory" and f'"{kind}"' not in _params(text, port.word, path):
        text = with_element(text, _fixture_params(port.word), f'"{kind}"', path)
        text = _before(text, last, _fixture(package, port, kind), path)
    return with_imports(text, imports, path)


def _fixture(package: Package, port: Port, kind: str) -> str:
    names = package.blueprint.names
    head = f'    if request.param == "{kind}":\n'
    if kind == "filesystem":
        return f'{head}        yield Folder{port.name}(tmp_path / "{port.word}")\n        return\n'
    return (
        f"{head}"
        f'        settings = PlatformSettings(environment="test", data_dir=tmp_path)\n'
        f'        database = open_database("{names.capability}", settings)\n'
        f"        history = migrations({names.settings}())\n"
        f"        assert history is not None\n"
        f"        await database.migrate(history)\n"
        f"        yield Sql{port.name}(database)\n"
        f"        await database.close()\n"
        f"        return\n"
    )


def _fixture_params(function: str) -> Finder:
    def find(tree: ast.Module) -> ast.List | None:
        for node in ast.walk(tree):
            if isinstance(node, ast.AsyncFunctionDef) and node.name == function:
                calls = [item for item in node.decorator_list if isinstance(item, ast.Call)]
                given = [item.value for call in calls for item in call.keywords if item.arg == "params"]
                return next((value for value in given if isinstance(value, ast.List)), None)
        return None

    return find


def _params(text: str, function: str, path: str) -> str:
    found = _fixture_params(function)(parsed(text, path))
    return ast.unparse(found).replace("'", '"') if found else ""


def _table(text: str, port: Port, path: str) -> str:
    if re.search(rf"(?m)^{port.word} = Table\(", text):
        return text
    table = (
        f'\n{port.word} = Table(\n    "{port.word}",\n    metadata,\n'
        f'    Column("key", String(500), primary_key=True),\n    Column("value", Text, nullable=False),\n)\n'
    )
    return f"{with_imports(text, ['from sqlalchemy import Column, String, Table, Text'], path).rstrip()}\n{table}"


def _revision(package: Package, port: Port) -> dict[str, str]:
    place = f"{package.source}/adapters/db/migrations/versions"
    path = f"{place}/create_{port.word}.py"
    present = package.member.path / path
    if present.is_file():
        return {path: present.read_text(encoding="utf-8")}
    steps = {
        "up": f'op.create_table("{port.word}", sa.Column("key", sa.String(500), primary_key=True), '
        f'sa.Column("value", sa.Text(), nullable=False))',
        "down": f'op.drop_table("{port.word}")',
    }
    return next_revision(package, Path(path).stem, f"Create the table of the {port.label}", steps)
