"""Entry points, problems and settings are complete."""

import ast
import re
from collections import defaultdict
from collections.abc import Iterator

from au_sys_python_factory.checks.reading.project import MemberFiles, Project
from au_sys_python_factory.checks.reading.source import SourceFile
from au_sys_python_factory.checks.rule import Hit, Rule
from au_sys_python_factory.workspace.members import PLUGIN_GROUP
from au_sys_python_factory.workspace.tables import table


def entry_point(member: MemberFiles) -> Iterator[Hit]:
    """Capabilities that the runtime would not find."""
    here = member.member
    if not here.tri_layer:
        return
    project = here.path / "pyproject.toml"
    if not here.plugins:
        others = ", ".join(sorted(table(here.project, "entry-points"))) or "none"
        yield Hit(1, 1, f"no entry point in the group {PLUGIN_GROUP} (groups here: {others})", project)
    for name, target in here.plugins.items():
        module, _, attribute = target.partition(":")
        file = member.by_module.get(module)
        if file is None or not _defines(file, attribute):
            yield Hit(1, 1, f"entry point {name} leads to {target}, which does not exist", project)


def _defines(file: SourceFile, name: str) -> bool:
    for node in file.tree.body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef) and node.name == name:
            return True
        targets = (
            node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
        )
        if any(isinstance(target, ast.Name) and target.id == name for target in targets):
            return True
    return False


def unmapped_error(member: MemberFiles) -> Iterator[Hit]:
    """Leaves of the error tree that no problem is made of."""
    errors, problems = member.at("core/errors.py"), member.at("adapters/api/problems.py")
    if errors is None or not any(file.inner[:2] == ("adapters", "api") for file in member.source):
        return
    if problems is None:
        yield Hit(1, 1, "adapters/api/problems.py is missing: no error has a status", errors.path)
        return
    classes = errors.find(ast.ClassDef)
    parents = {ast.unparse(kind) for owner in classes for kind in owner.bases}
    named = {node.id for node in problems.find(ast.Name)} | {node.attr for node in problems.find(ast.Attribute)}
    for owner in classes:
        if owner.name not in parents and owner.bases and owner.name not in named and _is_error(owner, classes):
            yield Hit(owner.lineno, 1, f"{owner.name} has no problem in adapters/api/problems.py", errors.path)


def _is_error(owner: ast.ClassDef, classes: list[ast.ClassDef]) -> bool:
    bases = {ast.unparse(kind) for kind in owner.bases}
    own = {item.name: item for item in classes}
    return any(
        kind.endswith(("Error", "Exception")) or (kind in own and _is_error(own[kind], classes)) for kind in bases
    )


def settings(file: SourceFile) -> Iterator[tuple[ast.ClassDef, str, list[ast.AnnAssign]]]:
    """Settings classes of a file with their prefix and fields."""
    for owner in file.find(ast.ClassDef):
        if any(file.qualified(kind).split(".")[-1] == "BaseSettings" for kind in owner.bases):
            found = re.search(r"env_prefix\s*=\s*['\"](\w+)['\"]", ast.unparse(owner))
            fields = [
                item for item in owner.body if isinstance(item, ast.AnnAssign) and isinstance(item.target, ast.Name)
            ]
            own = [item for item in fields if "ClassVar" not in ast.unparse(item.annotation)]
            yield (
                owner,
                found[1].upper() if found else "",
                [item for item in own if ast.unparse(item.target) != "model_config"],
            )


def undocumented_setting(project: Project) -> Iterator[Hit]:
    """Settings that an operator cannot find in any example file."""
    shells = [path for shell in project.workspace.platforms for path in shell.path.glob("config/*.env.example")]
    for member in project.members:
        own = member.member.path / ".env.example"
        if not member.member.tri_layer:
            continue
        known = "\n".join(path.read_text(encoding="utf-8") for path in (own, *shells) if path.is_file())
        for file in (found for found in member.source if found.configures):
            for _, prefix, fields in settings(file):
                for field in fields:
                    name = variable(field, prefix)
                    if name and not re.search(rf"(?m)^#?\s*{name}\s*=", known):
                        yield Hit(field.lineno, field.col_offset + 1, f"{name} is in no .env.example", file.path)


def variable(field: ast.AnnAssign, prefix: str) -> str:
    """The environment variable that sets a field; nothing where the code decides its name."""
    text = ast.unparse(field.value) if field.value else ""
    alias = re.search(r"validation_alias=['\"](\w+)['\"]", text)
    if "alias" in text and not alias:
        return ""
    return alias[1].upper() if alias else f"{prefix}{ast.unparse(field.target)}".upper()


def shared_prefix(project: Project) -> Iterator[Hit]:
    """Two packages whose settings answer to the same variables."""
    owners: dict[str, list[tuple[SourceFile, ast.ClassDef]]] = defaultdict(list)
    for file in (found for found in project.modules.values() if found.configures):
        for owner, prefix, _ in settings(file):
            if prefix:
                owners[prefix].append((file, owner))
    for prefix, found in owners.items():
        first = found[0][0].member
        for file, owner in found[1:]:
            if file.member is not first:
                yield Hit(owner.lineno, 1, f"prefix {prefix} belongs to {first.dist} already", file.path)


M01 = Rule(
    "M01",
    "The entry point is missing, or leads nowhere",
    "A wheel that the runtime does not find is installed and does nothing.",
    f'add [project.entry-points.{PLUGIN_GROUP}] with `name = "package.manifest.plugin:Class"`.',
    "a capability without the entry point\n",
    "a capability with it\n",
    member_check=entry_point,
)
M03 = Rule(
    "M03",
    "An error has no problem",
    "An error without a status reaches its caller as “internal error”.",
    "map it in adapters/api/problems.py with status, slug and title.",
    "a leaf in core/errors.py that problems.py does not name\n",
    "a leaf that it names\n",
    member_check=unmapped_error,
)
M04 = Rule(
    "M04",
    "A setting is in no example file",
    "What an operator cannot find cannot be set.",
    "add the variable with its default and one line of explanation to .env.example of the package.",
    "a field of the settings class that .env.example lacks\n",
    "a field that it has\n",
    project_check=undocumented_setting,
)
M05 = Rule(
    "M05",
    "A settings prefix is used twice",
    "One variable would set two packages.",
    "give each settings class the prefix of its own package.",
    'two classes with env_prefix="NOTES_"\n',
    "two different prefixes\n",
    project_check=shared_prefix,
)

RULES = (M01, M03, M04, M05)
