"""What the library does by itself in the web process: purge, let rights follow, fire schedules."""

from typing import Any

from fastapi_services_platform import Job
from skriptoteket.adapters.http.directory import People
from skriptoteket.core.runs.ports.files import ArtifactStore
from skriptoteket.manifest.container import Library, retention
from skriptoteket.manifest.services import roles_of

PURGE_SECONDS = 3600
FOLLOW_SECONDS = 60
FIRE_SECONDS = 15


def jobs(library: Library, container: Any) -> tuple[Job, ...]:  # Any: the registry, which the runtime does not export
    """Each runs on one process of all that share the database."""

    async def purge() -> None:
        await retention(library, await container.get(ArtifactStore)).purge()

    async def follow() -> None:
        await library.nominating.follow(await roles_of(container))

    async def fire() -> None:
        await library.firing.fire(await container.get(People))

    return (
        Job("purge", purge, PURGE_SECONDS),
        Job("nominations", follow, FOLLOW_SECONDS),
        Job("schedules", fire, FIRE_SECONDS),
    )
