"""Mount every JSON route once."""

from fastapi import APIRouter, Depends

from skriptoteket.adapters.api import (
    catalog,
    interaction,
    preferences,
    runs,
    schedules,
    trials,
    versions,
)
from skriptoteket.adapters.api.governing import curation, nominations, operations, oversight, taxonomy
from skriptoteket.adapters.http.accepting import ensure_accepted

PREFIX = "/api/v1"


def api_router() -> APIRouter:
    """Everything but submissions, whose bodies may be big."""
    router = APIRouter(prefix=PREFIX, tags=["skriptoteket"], dependencies=[Depends(ensure_accepted)])
    router.include_router(catalog.router)
    router.include_router(preferences.router)
    router.include_router(interaction.router)
    router.include_router(runs.router)
    router.include_router(schedules.router)
    router.include_router(versions.router)
    router.include_router(curation.router)
    router.include_router(nominations.router)
    router.include_router(taxonomy.router)
    router.include_router(oversight.router)
    router.include_router(operations.router)
    return router


def submission_router() -> APIRouter:
    """Routes that take files."""
    router = APIRouter(prefix=PREFIX, tags=["skriptoteket"], dependencies=[Depends(ensure_accepted)])
    router.include_router(runs.submissions)
    router.include_router(schedules.submissions)
    router.include_router(trials.router)
    return router
