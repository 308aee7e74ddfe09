"""The plan of ``destroy``: files, wiring and registration of a capability, unless somebody imports it."""

from au_sys_python_factory.checks.reading.project import read_project
from au_sys_python_factory.errors import Refused
from au_sys_python_factory.pipelines.locked import resolved_lock
from au_sys_python_factory.pipelines.registration import Texts, deregister, unwire
from au_sys_python_factory.plan.model import Operation, Plan, write
from au_sys_python_factory.workspace.members import Member, Workspace
from au_sys_python_factory.workspace.trees import files_of


def plan_destroy(workspace: Workspace, member: Member) -> Plan:
    """Everything that goes.

    Raises:
        Refused: another member imports it; the message names each place.
    """
    importers = _importers(workspace, member)
    if importers:
        raise Refused(
            f"{member.dist} is imported: {'; '.join(importers)}.",
            fix="remove these imports first.",
        )
    kebab = member.path.name.removeprefix("au-sys-")
    texts = Texts(workspace.root, {})
    for platform in workspace.platforms:
        for capability in member.plugins or {kebab: ""}:
            unwire(texts, platform, member.dist, capability)
    deregister(texts, member.dist, member.import_name or kebab, kebab)
    lock = resolved_lock(workspace, texts.edits, without=member.relative)
    operations: list[Operation] = [
        write(workspace.root, path, None, "part of the package") for path in files_of(member.path, workspace.root)
    ]
    operations += [
        write(workspace.root, path, text, "the package was named here") for path, text in sorted(texts.edits.items())
    ]
    if lock is not None:
        operations.append(write(workspace.root, "uv.lock", lock, "the package is not locked any more"))
    return Plan(f"destroy {member.dist}", tuple(operations))


def _importers(workspace: Workspace, member: Member) -> list[str]:
    found: list[str] = []
    for other in read_project(workspace).members:
        if other.member is not member:
            for file in other.files:
                for item in file.imports:
                    if item.module.split(".")[0] == member.import_name:
                        found.append(f"{file.relative}:{item.node.lineno}")
    return found
