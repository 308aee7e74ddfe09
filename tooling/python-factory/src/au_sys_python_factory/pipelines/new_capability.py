"""The plan of ``new capability``: the package's files, its place in workspace and platform, the lock."""

import tomlkit

from au_sys_python_factory.blueprint.capability import Blueprint, context
from au_sys_python_factory.blueprint.rendering import formatted, render
from au_sys_python_factory.errors import Refused
from au_sys_python_factory.pipelines.locked import resolved_lock
from au_sys_python_factory.pipelines.registration import Texts, register, variables_of, wire
from au_sys_python_factory.plan.model import Operation, Plan, digest, write
from au_sys_python_factory.workspace.members import Member, Workspace

TEMPLATE = "capability"
TEMPLATE_VERSION = "1"
STATE = ".factory/state.toml"
_RULE_FILES = ("core/{many}/rules.py", "core/{many}/test_rules.py")


def capability_files(blueprint: Blueprint, workspace: Workspace) -> dict[str, str]:
    """Every file of the package by its path inside it, state included."""
    names, noun = blueprint.names, blueprint.noun
    values = context(blueprint, workspace)
    rendered = render(
        TEMPLATE, TEMPLATE_VERSION, values, {"package": names.package, "many": noun.many, "one": noun.one}
    )
    ruled = {"checks": _RULE_FILES[0], "bad_values": _RULE_FILES[1]}
    for needed, ending in ruled.items():
        if not values[needed]:
            rendered = {
                path: text for path, text in rendered.items() if not path.endswith(ending.format(many=noun.many))
            }
    files = formatted(rendered, [*workspace.by_import_name, names.package])
    files[STATE] = state(blueprint, files)
    return files


def state(blueprint: Blueprint, files: dict[str, str]) -> str:
    """What the factory remembers of the package: template, answers, and the digest of every file as rendered."""
    document = tomlkit.document()
    document["template"] = {"id": TEMPLATE, "version": TEMPLATE_VERSION}
    fields = [
        {key: value for key, value in (("name", field.name), ("kind", field.kind), *_details(field)) if value}
        for field in blueprint.fields
    ]
    document["answers"] = {
        "name": blueprint.names.given,
        "noun": blueprint.noun.one,
        "nouns": blueprint.noun.many,
        "summary": blueprint.summary,
        "fields": fields,
    }
    document["files"] = {
        path: {"class": "merged", "sha256": digest(text.encode())} for path, text in sorted(files.items())
    }
    return tomlkit.dumps(document)


def _details(field: object) -> list[tuple[str, object]]:
    found = {name: getattr(field, name) for name in ("optional", "least", "most", "item")}
    return [*found.items(), ("choices", list(getattr(field, "choices", ())))]


def plan_new_capability(blueprint: Blueprint, workspace: Workspace, platform: Member | None) -> Plan:
    """Everything that ``new capability`` writes.

    Raises:
        Refused: the folder is there already.
        FactoryError: no lock can be resolved.
    """
    names = blueprint.names
    if (workspace.root / names.folder).exists():
        raise Refused(
            "the folder is there already.", where=names.folder, fix="choose another name, or remove the folder."
        )
    files = {f"{names.folder}/{path}": text for path, text in capability_files(blueprint, workspace).items()}
    texts = Texts(workspace.root, dict(files))
    register(texts, names.dist, names.package, names.kebab)
    if platform is not None:
        variables = variables_of(files[f"{names.folder}/.env.example"])
        wire(texts, platform, names.dist, "0.1.0", names.capability, variables)
    lock = resolved_lock(workspace, texts.edits)
    operations = [_operation(workspace, path, text, files) for path, text in sorted(texts.edits.items())]
    if lock is not None:
        operations.append(write(workspace.root, "uv.lock", lock, "the package is locked"))
    return Plan(f"new capability {names.given}", tuple(operations))


def _operation(workspace: Workspace, path: str, text: str, files: dict[str, str]) -> Operation:
    return write(workspace.root, path, text, "part of the package" if path in files else "the package is registered")
