"""``add model``: another noun of the domain, with the rules of its fields."""

from __future__ import annotations

from dataclasses import replace

from au_sys_python_factory.blueprint.additions.additions import Addition, Package
from au_sys_python_factory.blueprint.fields import Field
from au_sys_python_factory.blueprint.naming import Noun
from au_sys_python_factory.blueprint.package import CAPABILITY, newest, package_files
from au_sys_python_factory.plan.editing.python import exported, with_element, with_imports


def add_model(package: Package, noun: Noun, fields: tuple[Field, ...], *, public: bool) -> Addition:
    """The noun's models and rules, their test, and (where ``public``) its names at the pure door."""
    blueprint = replace(package.blueprint, noun=noun, fields=fields)
    whole = package_files(CAPABILITY, newest(), blueprint)
    core, tests = f"{package.source}/core/{noun.many}", f"tests/core/{noun.many}"
    wanted = (f"{core}/__init__.py", f"{core}/models.py", f"{core}/rules.py", f"{tests}/test_rules.py")
    made = {path: whole[path] for path in wanted if path in whole}
    if f"{tests}/test_rules.py" in made:
        made.update(Package(package.member, blueprint).rendered("model", {}, {}))
    if not public:
        return Addition(made)
    door = f"{package.source}/__init__.py"
    module = f"{blueprint.names.package}.core.{noun.many}.models"
    names = (noun.One, f"{noun.One}Content", f"{noun.One}Id")
    text = with_imports(package.text(door), [f"from {module} import {', '.join(names)}"], door)
    for name in names:
        text = with_element(text, exported, f'"{name}"', door)
    return Addition(made, {door: text})
