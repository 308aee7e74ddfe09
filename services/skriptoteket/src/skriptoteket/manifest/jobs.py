"""What the library does by itself in the web process: purge, let rights follow, fire schedules, tell of workers."""

from typing import Any, Literal

from fastapi_services_platform import AuditEvent, AuditTrail, Job
from skriptoteket.adapters.http.directory import People
from skriptoteket.core.runs.ports.files import ArtifactStore
from skriptoteket.manifest.container import Library, retention
from skriptoteket.manifest.services import roles_of

PURGE_SECONDS = 3600
FOLLOW_SECONDS = 60
FIRE_SECONDS = 15
TELL_SECONDS = 15


def jobs(
    library: Library, container: Any, audit: AuditTrail
) -> tuple[Job, ...]:  # Any: the registry, which the runtime does not export
    """Each runs on one process of all that share the database."""

    async def purge() -> None:
        await retention(library, await container.get(ArtifactStore)).purge()

    async def follow() -> None:
        await library.nominating.follow(await roles_of(container))

    async def fire() -> None:
        await library.firing.fire(await container.get(People))

    async def tell() -> None:
        news = await library.telling.news()
        for fact in news.facts:
            outcome: Literal["success", "failed"] = "failed" if fact.outcome == "failed" else "success"
            event = AuditEvent(f"skriptoteket.{fact.action}", fact.actor, fact.resource, outcome, details=fact.details)
            await audit.record(event)
        await library.telling.note(news)

    return (
        Job("purge", purge, PURGE_SECONDS),
        Job("nominations", follow, FOLLOW_SECONDS),
        Job("schedules", fire, FIRE_SECONDS),
        Job("telling", tell, TELL_SECONDS),
    )
