"""Every file of a package, from its template version and its blueprint alone."""

from collections.abc import Sequence
from pathlib import Path

from au_sys_python_factory.blueprint.capability import SERVICE, Blueprint, context
from au_sys_python_factory.blueprint.rendering import TEMPLATES, formatted, render, versions
from au_sys_python_factory.errors import Refused

CAPABILITY = "capability"
RUNTIME_PACKAGE = "fastapi_services_platform"
UNDER_SERVICES = ("au_sys_identity", "au_sys_storage_sdk")
Wanted = tuple[str, str, Blueprint]
"""Kind and version of a template, and what it is filled with."""
_RULE_FILES = {"checks": "core/{many}/rules.py", "bad_values": "core/{many}/test_rules.py"}


def newest(kind: str = CAPABILITY, templates: Path = TEMPLATES) -> str:
    """The version that new packages are made from."""
    return versions(kind, templates)[-1]


def first_party(blueprint: Blueprint) -> list[str]:
    """Packages whose imports stand last: a fixed list, so that a new neighbour moves no line."""
    below = UNDER_SERVICES if blueprint.names.service else ()
    return [blueprint.names.package, RUNTIME_PACKAGE, *below]


def package_files(kind: str, version: str, blueprint: Blueprint, templates: Path = TEMPLATES) -> dict[str, str]:
    """Every file by its path inside the package, without the state.

    Raises:
        Refused: this factory does not have the template version.
    """
    wanted = (kind, version, blueprint)
    return files_of_all([wanted], templates)[wanted]


def files_of_all(wanted: Sequence[Wanted], templates: Path = TEMPLATES) -> dict[Wanted, dict[str, str]]:
    """The files of many packages and versions; what is the same in two versions of one is formatted once.

    Raises:
        Refused: this factory does not have a template version.
    """
    rendered = {item: _rendered(item, templates) for item in wanted}
    places: dict[tuple[Blueprint, str, str], str] = {}
    texts: dict[str, str] = {}
    for number, (item, files) in enumerate(rendered.items()):
        for path, text in files.items():
            place = places.setdefault((item[2], path, text), f"{number}/{path}")
            texts.setdefault(place, text)
    own = sorted({name for _, _, blueprint in wanted for name in first_party(blueprint)})
    done = formatted(texts, own)
    return {
        item: {path: done[places[item[2], path, text]] for path, text in files.items()}
        for item, files in rendered.items()
    }


def _rendered(wanted: Wanted, templates: Path) -> dict[str, str]:
    kind, version, blueprint = wanted
    known = versions(kind, templates)
    if version not in known:
        raise Refused(
            f"template {kind} {version} is not in this factory (it has {', '.join(known) or 'none'}).",
            fix="install the version of au-sys-python-factory that made the package, or a newer one.",
        )
    values = context(blueprint)
    names, noun = blueprint.names, blueprint.noun
    spelled = {"package": names.package, "many": noun.many, "one": noun.one}
    rendered = render(templates / kind / f"v{version}", values, spelled)
    if kind == SERVICE:  # a service is the capability of the same version, and what lies over it
        rendered = {**render(templates / CAPABILITY / f"v{version}", values, spelled), **rendered}
    needless = tuple(ending.format(many=noun.many) for needed, ending in _RULE_FILES.items() if not values[needed])
    return {path: text for path, text in rendered.items() if not (needless and path.endswith(needless))}
