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
_DOWNWARD = "importlinter:contract:packages-downward"
_SERVICES = re.compile(rf"(?m)^(\[{_DOWNWARD}\]\n(?:[^\[\n].*\n)*?layers =\n)(    (?!au_sys_|fastapi_)[\w |]+(?=\n))?")
"""The layer of services, above identity; not there in a workspace that has none."""
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


def add_contracts(text: str, package: str, kebab: str, *, service: bool = False) -> str:
    """The contracts with one more capability, or one more service."""
    for section, key, value in _LISTS:
        text = add_to_ini_list(text, section, key, value.format(package=package))
    if service:
        text = _SERVICES.sub(lambda found: found[1] + _among_services(found[2], package), text)
    else:
        text = _SIBLINGS.sub(lambda found: _joined(found[1], package), text)
    if f"[importlinter:contract:{kebab}-door]" not in text:
        text = text.rstrip("\n") + "\n" + _DOOR.format(package=package, kebab=kebab)
    return text


def _joined(line: str, package: str) -> str:
    return line if package in line.split() else f"{line} | {package}"


def _among_services(line: str | None, package: str) -> str:
    return _joined(line, package) if line else f"    {package}\n"


def remove_contracts(text: str, package: str, kebab: str) -> str:
    """The contracts without a capability."""
    for section, key, value in _LISTS:
        text = remove_from_ini_list(text, section, key, value.format(package=package))
    text = remove_from_ini_list(text, _DOWNWARD, "layers", package)
    text = re.sub(rf"(?m)^    {package} \| ", "    ", text)
    text = re.sub(rf" \| {package}\b", "", text)
    return re.sub(rf"\n\[importlinter:contract:{re.escape(kebab)}-door\]\n(?:[^\[\n][^\n]*\n?)*", "", text)
