"""What the factory remembers of a package: template, answers, and the digest of every file as it was rendered.

It lies in the package as ``.factory/state.toml`` and is committed. It holds no date, host or path, so that two branches
merge without a clash, and the base of an upgrade can be rendered again from it alone.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Literal

import tomlkit

from au_sys_python_factory.blueprint.capability import SERVICE, Blueprint
from au_sys_python_factory.blueprint.fields import Field
from au_sys_python_factory.blueprint.naming import Names, Noun
from au_sys_python_factory.errors import Refused
from au_sys_python_factory.plan.model import digest
from au_sys_python_factory.workspace.members import Member
from au_sys_python_factory.workspace.tables import Table, read_table, strings, table

STATE = ".factory/state.toml"
FileClass = Literal["merged", "owned"]
_OWNED = ("/migrations/versions/", "/changes/")
"""Never touched again: what a database has run, and what was announced."""


@dataclass(frozen=True, slots=True)
class Tracked:
    """A package that the factory knows; ``open_to`` is the version of an upgrade whose conflicts wait in the files."""

    kind: str
    version: str
    blueprint: Blueprint
    digests: Mapping[str, str]
    classes: Mapping[str, str]
    open_to: str = ""


def written(kind: str, version: str, blueprint: Blueprint, files: Mapping[str, str], open_to: str = "") -> str:
    """The state of a package whose template rendered ``files``."""
    document = tomlkit.document()
    document["template"] = {"id": kind, "version": version, **({"open_to": open_to} if open_to else {})}
    fields = [{key: value for key, value in asdict(field).items() if value} for field in blueprint.fields]
    document["answers"] = {
        "name": blueprint.names.given,
        "noun": blueprint.noun.one,
        "nouns": blueprint.noun.many,
        "summary": blueprint.summary,
        "dependencies": list(blueprint.dependencies),
        "fields": fields,
    }
    document["files"] = {
        path: {"class": class_of(path), "sha256": digest(text.encode())}
        for path, text in sorted(files.items())
        if path != STATE
    }
    return tomlkit.dumps(document)


def class_of(path: str) -> FileClass:
    """Whether an upgrade merges a file or leaves it to its owner."""
    return "owned" if any(part in f"/{path}" for part in _OWNED) else "merged"


def read_state(member: Member) -> Tracked | None:
    """What is remembered of a member; ``None`` for one that the factory did not make, or that was ejected.

    Raises:
        Refused: the file is damaged.
    """
    path = member.path / STATE
    if not path.is_file():
        return None
    found = read_table(path)
    template, answers, files = (table(found, name) for name in ("template", "answers", "files"))
    try:
        blueprint = _blueprint(answers, service=template["id"] == SERVICE)
        entries = {name: table(files, name) for name in files}
        digests = {name: str(entry["sha256"]) for name, entry in entries.items()}
        classes = {name: str(entry["class"]) for name, entry in entries.items()}
        return Tracked(
            str(template["id"]), str(template["version"]), blueprint, digests, classes, str(template.get("open_to", ""))
        )
    except (KeyError, TypeError) as error:
        raise Refused(
            f"the state lacks or misspells {error}.",
            where=f"{member.relative}/{STATE}",
            fix="restore the file from git; it is not meant to be edited.",
        ) from None


def _blueprint(answers: Table, *, service: bool) -> Blueprint:
    raw = answers["fields"]
    fields = [item for item in raw if isinstance(item, dict)] if isinstance(raw, list) else []
    return Blueprint(
        Names(str(answers["name"]), service),
        Noun(str(answers["noun"]), str(answers["nouns"])),
        tuple(_field(item) for item in fields),
        str(answers["summary"]),
        tuple(strings(answers["dependencies"])),
    )


def _field(item: Table) -> Field:
    return Field(
        str(item["name"]),
        str(item["kind"]),
        bool(item.get("optional", False)),
        str(item.get("least", "")),
        str(item.get("most", "")),
        tuple(strings(item.get("choices"))),
        str(item.get("item", "")),
    )
