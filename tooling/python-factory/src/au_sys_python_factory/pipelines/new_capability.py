"""The plan of ``new capability`` and ``new service``: the files, the place in workspace and platform, the lock."""

from au_sys_python_factory.blueprint.capability import SERVICE, Blueprint
from au_sys_python_factory.blueprint.package import CAPABILITY, newest, package_files
from au_sys_python_factory.blueprint.state import STATE, written
from au_sys_python_factory.errors import Refused
from au_sys_python_factory.pipelines.locked import resolved_lock
from au_sys_python_factory.pipelines.registration import Texts, register, variables_of, wire
from au_sys_python_factory.plan.model import Operation, Plan, write
from au_sys_python_factory.workspace.members import Member, Workspace


def plan_new_capability(blueprint: Blueprint, workspace: Workspace, platform: Member | None) -> Plan:
    """Everything that ``new capability`` or ``new service`` writes.

    Raises:
        Refused: the folder is there already.
        FactoryError: no lock can be resolved.
    """
    names = blueprint.names
    if (workspace.root / names.folder).exists():
        raise Refused(
            "the folder is there already.", where=names.folder, fix="choose another name, or remove the folder."
        )
    kind = SERVICE if names.service else CAPABILITY
    version = newest(kind)
    rendered = package_files(kind, version, blueprint)
    rendered[STATE] = written(kind, version, blueprint, rendered)
    files = {f"{names.folder}/{path}": text for path, text in rendered.items()}
    texts = Texts(workspace.root, dict(files))
    register(texts, names.dist, names.package, names.kebab, service=names.service)
    if platform is not None:
        variables = variables_of(files[f"{names.folder}/.env.example"])
        wire(texts, platform, names.dist, "0.1.0", names.capability, variables)
    lock = resolved_lock(workspace, texts.edits)
    operations = [_operation(workspace, path, text, files) for path, text in sorted(texts.edits.items())]
    if lock is not None:
        operations.append(write(workspace.root, "uv.lock", lock, "the package is locked"))
    return Plan(f"new {kind} {names.given}", tuple(operations))


def _operation(workspace: Workspace, path: str, text: str, files: dict[str, str]) -> Operation:
    return write(workspace.root, path, text, "part of the package" if path in files else "the package is registered")
