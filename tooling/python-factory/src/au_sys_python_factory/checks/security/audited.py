"""Whoever decides about security leaves a trace."""

from collections.abc import Iterator

from au_sys_python_factory.checks.reading.project import MemberFiles
from au_sys_python_factory.checks.reading.source import SourceFile
from au_sys_python_factory.checks.rule import Hit, Rule

_SUBJECTS = {"security", "authentication", "compliance"}


def without_audit(member: MemberFiles) -> Iterator[Hit]:
    """Modules of a core about security, authentication or compliance whose work no audit trail sees.

    The trace may be left by the module itself, by a neighbour in its folder, or by whoever calls it.
    """
    if not member.member.tri_layer:
        return
    for file in member.source:
        names = {part.removesuffix(".py") for part in file.inner}
        if file.layer == "core" and names & _SUBJECTS and file.functions and not _seen(file, member):
            yield Hit(1, 1, f"{file.module} does its work without the audit trail", file.path)


def _seen(file: SourceFile, member: MemberFiles) -> bool:
    near = [other for other in member.source if other.path.parent == file.path.parent]
    users = [other for other in member.source if any(item.module == file.module for item in other.imports)]
    return any("audit" in other.text.lower() for other in (*near, *users))


G02 = Rule(
    "G02",
    "Security without an audit trail",
    "After an attack the only question is who did what when, and nobody can answer it.",
    "record an AuditEvent with actor, action and outcome where the decision is made; denials too.",
    '"""Who may enter."""\n\n\ndef admit(name: str, names: set[str]) -> bool:\n    """Whether the name is known."""\n'
    "    return name in names\n",
    '"""Who may enter; every refusal is recorded in the audit trail."""\n\n\n'
    'def admit(name: str, names: set[str]) -> bool:\n    """Whether the name is known."""\n    return name in names\n',
    place="src/{package}/core/authentication/admission.py",
    member_check=without_audit,
)

RULES = (G02,)
