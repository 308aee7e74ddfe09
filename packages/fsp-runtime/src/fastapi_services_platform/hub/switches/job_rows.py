"""Last runs of jobs in the hub's database: what every node shows, and what outlives a restart."""

from datetime import UTC

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from fastapi_services_platform.engine.background.jobs import JobRun
from fastapi_services_platform.hub.switches.tables import job_runs
from fastapi_services_platform.persistence.databases import Database
from fastapi_services_platform.persistence.unit_of_work import in_transaction


async def keep_run(database: Database, name: str, run: JobRun) -> None:
    """Put a run in the place of the one before it."""

    async def work(session: AsyncSession) -> None:
        await session.execute(delete(job_runs).where(job_runs.c.name == name))
        row = {"outcome": run.outcome, "at": run.at, "seconds": run.seconds, "error": run.error[:2000]}
        await session.execute(job_runs.insert().values(name=name, node=run.node, **row))

    await in_transaction(database, work)


async def last_runs(database: Database) -> dict[str, JobRun]:
    """The last run of each job on any node."""
    async with database.session(read_only=True) as session:
        rows = (await session.execute(select(job_runs))).all()
    return {
        row.name: JobRun(
            outcome=row.outcome,
            at=row.at if row.at.tzinfo else row.at.replace(tzinfo=UTC),
            seconds=row.seconds,
            error=row.error,
            node=row.node,
        )
        for row in rows
    }
