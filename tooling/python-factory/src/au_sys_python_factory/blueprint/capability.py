"""A whole capability as templates see it."""

from dataclasses import dataclass

from au_sys_python_factory.blueprint.fields import Field
from au_sys_python_factory.blueprint.naming import Names, Noun
from au_sys_python_factory.blueprint.views import FieldView
from au_sys_python_factory.workspace.members import RUNTIME, Workspace
from au_sys_python_factory.workspace.requirements import requirement_name

SERVICE = "service"
STANDARD_FIELDS = ("title:str(1..200)", "text:text?")
_FROM_RUNTIME = ("alembic", "fastapi", "pydantic", "pydantic-settings", "sqlalchemy")
_UNDER_SERVICES = ("au-sys-identity", "au-sys-storage-sdk")


@dataclass(frozen=True)
class Blueprint:
    """What is to be made: a name, a noun with its fields, one sentence, what it stands on; with the template it is all
    that decides the files."""

    names: Names
    noun: Noun
    fields: tuple[Field, ...]
    summary: str
    dependencies: tuple[str, ...]

    @property
    def views(self) -> tuple[FieldView, ...]:
        """The fields for the templates."""
        return tuple(FieldView(field, self.noun) for field in self.fields)

    @property
    def paths(self) -> dict[str, str]:
        """Addresses of API and pages."""
        base = f"/{self.names.kebab}"
        own_name = self.names.capability in (self.noun.one, self.noun.many)
        below = "" if own_name else f"/{self.noun.many.replace('_', '-')}"
        return {"pages": f"{base}{below}", "api": f"/api{base}{below}"}

    @property
    def permissions(self) -> dict[str, str]:
        """Names of rights."""
        stem = f"{self.names.capability}.{self.noun.many}"
        own = {"archive": f"{stem}.read_archived"} if self.names.service else {}
        return {"read": f"{stem}.read", "write": f"{stem}.write", **own}


def bound(version: str) -> str:
    """A sibling's bounds: the present minor as lower, the next major as upper one."""
    major, minor = [*version.split("."), "0"][:2]
    return f">={major}.{minor},<{int(major) + 1}"


def dependencies(workspace: Workspace, *, service: bool = False) -> tuple[str, ...]:
    """Requirement lines of a new capability: third parties as the runtime has them, the runtime itself with bounds; a
    service stands on identity and storage too."""
    runtime = workspace.by_dist.get(RUNTIME)
    lines = runtime.dependencies if runtime else []
    taken = [line for line in lines if requirement_name(line) in _FROM_RUNTIME]
    below = [workspace.by_dist.get(name) for name in _UNDER_SERVICES] if service else []
    siblings = [
        f"{name}{bound(member.version if member else '0.1')}"
        for name, member in zip(_UNDER_SERVICES, below, strict=False)
    ]
    return tuple(sorted([*taken, *siblings, f"{RUNTIME}{bound(runtime.version if runtime else '2.0')}"]))


def context(blueprint: Blueprint) -> dict[str, object]:
    """Every name that a template may use."""
    views = blueprint.views
    return {
        "names": blueprint.names,
        "noun": blueprint.noun,
        "fields": views,
        "summary": blueprint.summary,
        "paths": blueprint.paths,
        "permissions": blueprint.permissions,
        "folder": blueprint.names.folder,
        "dependencies": list(blueprint.dependencies),
        "listed": _listed(views),
        "columns": [*(view.label for view in _listed(views)), "Changed"],
        "checks": [line for view in views for line in view.checks],
        "uses": _uses(views),
        "range_type": _range_type(views),
        "imports": _imports(blueprint),
        "samples": _samples(views),
        "bad_values": [{"name": view.name, "value": view.bad} for view in views if view.bad],
    }


def _listed(views: tuple[FieldView, ...]) -> list[FieldView]:
    """The fields that a list shows: at most three, required ones first, no long texts."""
    short = [view for view in views if view.field.kind not in ("text", "list")] or list(views)
    return sorted(short, key=lambda view: view.optional)[:3]


def _uses(views: tuple[FieldView, ...]) -> dict[str, bool]:
    kinds = {view.field.kind for view in views}
    forms = {view.form for view in views}
    return {
        "length": bool(kinds & {"str", "text"}),
        "range": bool(kinds & {"int", "decimal"}),
        "count": "list" in kinds,
        "moment": "datetime" in kinds,
        "email": "email" in kinds,
        "form_list": "list" in forms,
        "form_box": "box" in forms,
    }


def _range_type(views: tuple[FieldView, ...]) -> str:
    kinds = {view.field.kind for view in views}
    return "int | Decimal" if {"int", "decimal"} <= kinds else "Decimal" if "decimal" in kinds else "int"


def _imports(blueprint: Blueprint) -> dict[str, list[str]]:
    """Import lines of each file; whoever formats the file drops what it does not use."""
    package, many = blueprint.names.package, blueprint.noun.many
    values = ["from datetime import UTC, date, datetime", "from decimal import Decimal", "from uuid import UUID"]
    enums = [view.enum for view in blueprint.views if view.enum]
    models = f"from {package}.core.{many}.models import"
    own = ", ".join([blueprint.noun.One, f"{blueprint.noun.One}Content", f"{blueprint.noun.One}Id", *enums])
    return {
        "models": [
            *values,
            "from dataclasses import dataclass",
            "from enum import StrEnum",
            "from typing import NewType",
            f"from {package}.core.{many}.rules import check_count, check_email, check_length",
            f"from {package}.core.{many}.rules import check_moment, check_range",
        ],
        "rules": [
            "import re",
            "from collections.abc import Sequence",
            *values,
            f"from {package}.core.errors import InvalidField",
        ],
        "tables": [
            *values,
            "from sqlalchemy import JSON, Boolean, Column, Date, DateTime, Dialect, Integer, "
            "MetaData, String, Table, Text",
            "from sqlalchemy import Table, Text, TypeDecorator, Uuid",
        ],
        "store": [
            *values,
            "from collections.abc import Sequence",
            "from sqlalchemy import RowMapping, delete, insert, select, update",
            "from sqlalchemy.ext.asyncio import AsyncSession",
            f"from {package}.adapters.db.tables import {many}",
            f"{models} {own}",
        ],
        "schemas": [
            *values,
            "from typing import Self",
            "from pydantic import AwareDatetime, BaseModel, ConfigDict, Field",
            f"{models} {own}",
        ],
        "samples": [*values, *(f"{models} {enum}" for enum in enums)],
        "bad": values,
    }


def _samples(views: tuple[FieldView, ...]) -> dict[str, str]:
    """Good values of all fields in each notation, and a form that lacks a required one."""
    pairs = {style: [(view.name, view.sample(style)) for view in views] for style in ("core", "json", "form")}
    required = next(view for view in views if not view.optional and view.field.kind not in ("bool", "list"))
    markup = next(
        (view.name for view in views if view.field.kind in ("str", "text") and int(view.field.most) >= 30), ""
    )
    return {
        "core": ", ".join(f"{name}={value}" for name, value in pairs["core"]),
        "json": "{" + ", ".join(f'"{name}": {value}' for name, value in pairs["json"]) + "}",
        "form": "{" + ", ".join(f'"{name}": "{value}"' for name, value in pairs["form"]) + "}",
        "toml": ", ".join(f"{name} = {'true' if value == 'True' else value}" for name, value in pairs["json"]),
        "bad_form": f'name: value for name, value in FORM.items() if name != "{required.name}"',
        "bad_field": required.name,
        "markup_field": markup,
    }
