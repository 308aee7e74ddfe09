"""Put capabilities in dependency order: providers first; every cycle is named along its whole path."""

from collections.abc import Iterable, Mapping, Sequence

from fastapi_services_platform.capability.discovery import HUB
from fastapi_services_platform.capability.manifest import Manifest
from fastapi_services_platform.errors import CapabilityError, RequirementCycle, RequirementMissing


def providers_of(manifests: Iterable[Manifest]) -> dict[str, str]:
    """Port → name of the capability that provides it (the first by name where several do)."""
    found: dict[str, str] = {}
    for manifest in sorted(manifests, key=lambda item: item.name):
        for port in manifest.provides:
            found.setdefault(port, manifest.name)
    return found


def in_order(manifests: Sequence[Manifest]) -> list[Manifest]:
    """Manifests with providers before those who need them, alphabetical where nothing decides, the hub last.

    Raises:
        RequirementMissing: a required port has no provider.
        RequirementCycle: capabilities wait for each other.
    """
    problem = first_problem(manifests)
    if problem is not None:
        raise problem
    by_name = {manifest.name: manifest for manifest in manifests}
    waits = _edges(manifests)
    ordered: list[Manifest] = []
    placed: set[str] = set()
    names = sorted(by_name, key=lambda name: (name == HUB, name))
    while len(ordered) < len(names):
        for name in names:
            if name not in placed and waits[name] <= placed:
                ordered.append(by_name[name])
                placed.add(name)
                break
    return ordered


def first_problem(manifests: Sequence[Manifest]) -> CapabilityError | None:
    """Why these capabilities cannot be put in order, or ``None``."""
    provided = providers_of(manifests)
    for manifest in sorted(manifests, key=lambda item: item.name):
        for port in manifest.requires:
            if port not in provided:
                return RequirementMissing(manifest.name, port, list(provided))
    cycle = _find_cycle(_edges(manifests))
    return RequirementCycle(cycle) if cycle else None


def _edges(manifests: Sequence[Manifest]) -> dict[str, set[str]]:
    provided = providers_of(manifests)
    names = {manifest.name for manifest in manifests}
    edges: dict[str, set[str]] = {}
    for manifest in manifests:
        ports = (*manifest.requires, *manifest.optional)
        waits = {provided[port] for port in ports if port in provided} | (set(manifest.after) & names)
        edges[manifest.name] = waits - {manifest.name}
    if HUB in edges:
        edges[HUB] |= {name for name in names if name != HUB and HUB not in edges[name]}
    return edges


def _find_cycle(edges: Mapping[str, set[str]]) -> list[str]:
    finished: set[str] = set()

    def visit(name: str, path: list[str]) -> list[str]:
        if name in path:
            return [*path[path.index(name) :], name]
        if name in finished:
            return []
        for successor in sorted(edges[name]):
            cycle = visit(successor, [*path, name])
            if cycle:
                return cycle
        finished.add(name)
        return []

    for name in sorted(edges):
        cycle = visit(name, [])
        if cycle:
            return cycle
    return []
