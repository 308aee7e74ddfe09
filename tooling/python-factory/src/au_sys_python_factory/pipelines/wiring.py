"""The plans of ``wire`` and ``unwire``."""

from au_sys_python_factory.errors import Refused
from au_sys_python_factory.pipelines.locked import resolved_lock
from au_sys_python_factory.pipelines.registration import Texts, unwire, variables_of, wire
from au_sys_python_factory.plan.model import Plan, write
from au_sys_python_factory.workspace.members import Member, Workspace
from au_sys_python_factory.workspace.requirements import canonical, requirement_name


def plan_wire(workspace: Workspace, member: Member, platform: Member) -> Plan:
    """The capability in the platform's bill of materials, features and variables, and in the lock."""
    texts = Texts(workspace.root, {})
    example = texts.read(f"{member.relative}/.env.example")
    for capability in member.plugins:
        wire(texts, platform, member.dist, member.version, capability, variables_of(example or ""))
    return _plan(f"wire {member.dist} --shell {platform.path.name}", workspace, texts)


def plan_unwire(workspace: Workspace, member: Member, platform: Member) -> Plan:
    """The opposite of :func:`plan_wire`.

    Raises:
        Refused: another capability of the platform depends on it.
    """
    needing = [
        other.dist
        for other in workspace.members
        if other is not platform and _needs(other, member) and _needs(platform, other)
    ]
    if needing:
        names = ", ".join(needing)
        raise Refused(f"{member.dist} is needed by {names}.", fix=f"unwire {names} first.")
    texts = Texts(workspace.root, {})
    for capability in member.plugins:
        unwire(texts, platform, member.dist, capability)
    return _plan(f"unwire {member.dist} --shell {platform.path.name}", workspace, texts)


def _needs(one: Member, other: Member) -> bool:
    return canonical(other.dist) in {requirement_name(line) for line in one.dependencies}


def _plan(command: str, workspace: Workspace, texts: Texts) -> Plan:
    operations = [write(workspace.root, path, text, "wiring") for path, text in sorted(texts.edits.items())]
    lock = resolved_lock(workspace, texts.edits) if operations else None
    if lock is not None:
        operations.append(write(workspace.root, "uv.lock", lock, "wiring"))
    return Plan(command, tuple(operations))
