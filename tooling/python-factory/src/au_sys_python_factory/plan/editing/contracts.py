"""The architecture contracts of ``.importlinter``: a new capability is under all of them from its first day."""

import re

from au_sys_python_factory.plan.editing.lists import add_to_ini_list, remove_from_ini_list

_LISTS = (
    ("importlinter", "root_packages", "{package}"),
    ("importlinter:contract:factory-unused", "source_modules", "{package}"),
    ("importlinter:contract:capability-layers", "containers", "{package}"),
    ("importlinter:contract:acyclic-siblings", "ancestors", "{package}"),
    ("importlinter:contract:pure-cores", "source_modules", "{package}.core"),
)
_SIBLINGS = re.compile(r"(?m)^(    au_sys_identity(?: \| \w+)+)$")
_DOOR = """
[importlinter:contract:{kebab}-door]
name = {package} is entered through its doors
type = protected
protected_modules =
    {package}.core
    {package}.adapters
    {package}.manifest
allowed_importers =
    {package}
"""


def add_contracts(text: str, package: str, kebab: str) -> str:
    """The contracts with one more capability."""
    for section, key, value in _LISTS:
        text = add_to_ini_list(text, section, key, value.format(package=package))
    text = _SIBLINGS.sub(lambda found: _joined(found[1], package), text)
    if f"[importlinter:contract:{kebab}-door]" not in text:
        text = text.rstrip("\n") + "\n" + _DOOR.format(package=package, kebab=kebab)
    return text


def _joined(line: str, package: str) -> str:
    return line if package in line.split() else f"{line} | {package}"


def remove_contracts(text: str, package: str, kebab: str) -> str:
    """The contracts without a capability."""
    for section, key, value in _LISTS:
        text = remove_from_ini_list(text, section, key, value.format(package=package))
    text = re.sub(rf" \| {package}\b", "", text)
    return re.sub(rf"\n\[importlinter:contract:{re.escape(kebab)}-door\]\n(?:[^\[\n][^\n]*\n?)*", "", text)
