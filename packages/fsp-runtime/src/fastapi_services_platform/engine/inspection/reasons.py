"""Why a capability is there, or not, and what of it is switched off: whole sentences, the decisive one first."""

from collections.abc import Iterator

from fastapi_services_platform.capability.ordering import providers_of
from fastapi_services_platform.engine.inventory import Inventory, LoadedCapability


def reasons_of(loaded: LoadedCapability, inventory: Inventory) -> tuple[str, ...]:
    """Why it is in its state, who found it, who needs it, what it waits for, and which of its parts are off."""
    return tuple(_told(loaded, inventory))


def _told(loaded: LoadedCapability, inventory: Inventory) -> Iterator[str]:
    if loaded.reason:
        yield f"It does not run: {loaded.reason.rstrip('.')}."
    if loaded.distribution:
        yield f"It was found because {loaded.distribution} is installed (entry point {loaded.target})."
    else:
        yield f"It was given to the platform as an object ({loaded.target})."
    if loaded.state != "off":
        yield (
            "It is required: the platform does not start without it."
            if loaded.required
            else "It is optional: the platform goes on without it and tries again."
        )
    yield from _order(loaded, inventory)
    for part in loaded.switched_off:
        yield f"Its {part} is switched off in router_factory_features.yaml."


def _order(loaded: LoadedCapability, inventory: Inventory) -> Iterator[str]:
    manifests = [item.manifest for item in inventory.active()]
    provided = providers_of(manifests)
    before: dict[str, list[str]] = {name: [] for name in loaded.manifest.after}
    for port in (*loaded.manifest.requires, *loaded.manifest.optional):
        need = "requires" if port in loaded.manifest.requires else "uses"
        if port not in provided:
            yield f"Nobody provides {port}, which it {need}."
        elif provided[port] != loaded.name:
            before.setdefault(provided[port], []).append(f"{need} its {port}")
    present = {manifest.name for manifest in manifests}
    for name, needs in before.items():
        after = f"It starts after {name}" if name in present else f"It would start after {name}, which is not there"
        yield f"{after}: it {', '.join(needs)}." if needs else f"{after}."
    for manifest in manifests:
        wanted = [port for port in loaded.manifest.provides if port in manifest.requires]
        if wanted and manifest.name != loaded.name:
            yield f"{manifest.name} requires {', '.join(wanted)} of it."
