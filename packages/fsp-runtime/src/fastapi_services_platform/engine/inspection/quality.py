"""How good a capability is, from facts: bronze keeps to the contract, silver can be operated, gold can be relied on.

A grade is reached when every fact of it and of the grades below holds; a fact about something that a capability does
not have does not count. Nobody grades themselves: the facts are read off what was handed over, and off the wheel.
"""

import inspect
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, distribution
from typing import Literal

from fastapi_services_platform.engine.inventory import Inventory, LoadedCapability
from fastapi_services_platform.http.routing import RouteEntry

Grade = Literal["none", "bronze", "silver", "gold"]

_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_SLUG = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")


@dataclass(frozen=True, slots=True)
class Fact:
    """Something that a grade asks for; ``lacking`` names what does not have it (empty: the fact holds)."""

    grade: Grade
    name: str
    lacking: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Quality:
    """The highest grade that is reached, and every fact that was looked at."""

    grade: Grade
    facts: tuple[Fact, ...]


@dataclass(frozen=True, slots=True)
class _Looked:
    loaded: LoadedCapability
    routes: Sequence[RouteEntry]
    granted: frozenset[str]


def quality_of(loaded: LoadedCapability, inventory: Inventory) -> Quality:
    """The grade of a capability. Reads the wheel's metadata: call it in a thread."""
    routes = [entry for entry in inventory.routes if entry.owner is loaded and entry.kind == "http"]
    granted = frozenset(name for bundle in inventory.bundles for name in bundle.permissions)
    looked = _Looked(loaded, routes, granted)
    facts = tuple(Fact(grade, name, tuple(sorted(lacking(looked)))) for grade, name, lacking in _ASKED)
    reached: Grade = "none"
    for grade in _GRADES:
        if any(fact.lacking for fact in facts if fact.grade == grade) or not loaded.initialized:
            break
        reached = grade
    return Quality(reached, facts)


def _without_summary(looked: _Looked) -> Iterable[str]:
    return () if looked.loaded.manifest.summary.strip() else ("summary",)


def _settings_without_description(looked: _Looked) -> Iterable[str]:
    kind = looked.loaded.manifest.settings
    fields = kind.model_fields if kind is not None else {}
    return (name for name, field in fields.items() if not (field.description or "").strip())


def _permissions_without_summary(looked: _Looked) -> Iterable[str]:
    return (item.name for item in looked.loaded.contribution.permissions if not item.summary.strip())


def _odd_problems(looked: _Looked) -> Iterable[str]:
    for item in looked.loaded.contribution.problems:
        if not (400 <= item.status < 600 and _SLUG.fullmatch(item.slug) and item.title.strip()):
            yield item.slug


def _endpoints_in_threads(looked: _Looked) -> Iterable[str]:
    return (entry.path for entry in looked.routes if not inspect.iscoroutinefunction(entry.endpoint))


def _without_health(looked: _Looked) -> Iterable[str]:
    offered = looked.loaded.contribution
    works = offered.routers or offered.services or offered.jobs or offered.processes
    pinged = looked.loaded.manifest.database or any(service.ping is not None for service in offered.services)
    return ("health check",) if works and not (offered.health_checks or pinged) else ()


def _without_template(looked: _Looked) -> Iterable[str]:
    permissions = {item.name for item in looked.loaded.contribution.permissions}
    return ("role template",) if permissions and not permissions & looked.granted else ()


def _tables_without_history(looked: _Looked) -> Iterable[str]:
    bare = looked.loaded.manifest.database and looked.loaded.contribution.migrations is None
    return ("migrations",) if bare else ()


def _operations_without_words(looked: _Looked) -> Iterable[str]:
    return (entry.path for entry in looked.routes if not inspect.getdoc(entry.endpoint))


def _changes_nobody_hears_of(looked: _Looked) -> Iterable[str]:
    offered = looked.loaded.contribution
    if offered.audit_events or (offered.migrations is not None and offered.migrations.outbox):
        return ()
    return (entry.path for entry in looked.routes if entry.methods - _SAFE)


def _without_description(looked: _Looked) -> Iterable[str]:
    return () if "description" in wheel_facts(looked.loaded.distribution) else ("description of the wheel",)


def _without_types(looked: _Looked) -> Iterable[str]:
    return () if "types" in wheel_facts(looked.loaded.distribution) else ("py.typed",)


def _without_licence(looked: _Looked) -> Iterable[str]:
    return () if "licence" in wheel_facts(looked.loaded.distribution) else ("licence",)


@cache
def wheel_facts(named: str) -> frozenset[str]:
    """What the metadata of an installed wheel (``name version``) has of description, types and licence."""
    try:
        found = distribution(named.partition(" ")[0]) if named else None
    except PackageNotFoundError:
        found = None
    if found is None:
        return frozenset()
    told = found.metadata.json
    has = {
        "description": bool(str(told.get("description", "")).strip()),
        "types": "Typing :: Typed" in told.get("classifier", ()),
        "licence": bool(told.get("license_expression") or told.get("license")),
    }
    return frozenset(name for name, there in has.items() if there)


_GRADES: tuple[Grade, ...] = ("bronze", "silver", "gold")
_ASKED: tuple[tuple[Grade, str, Callable[[_Looked], Iterable[str]]], ...] = (
    ("bronze", "it says what it is", _without_summary),
    ("bronze", "every setting is described", _settings_without_description),
    ("bronze", "every permission has a sentence", _permissions_without_summary),
    ("bronze", "every problem has a status, a slug and a title", _odd_problems),
    ("bronze", "every endpoint is a coroutine", _endpoints_in_threads),
    ("silver", "its health can be asked for", _without_health),
    ("silver", "a role template gives its permissions", _without_template),
    ("silver", "its tables have migrations", _tables_without_history),
    ("silver", "every operation is described", _operations_without_words),
    ("silver", "its wheel is described", _without_description),
    ("gold", "its changes are told to the audit trail or in events", _changes_nobody_hears_of),
    ("gold", "its wheel is typed", _without_types),
    ("gold", "its wheel has a licence", _without_licence),
)
