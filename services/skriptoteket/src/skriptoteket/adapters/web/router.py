"""Mount every page."""

from fastapi import APIRouter

from skriptoteket.adapters.web import (
    catalog,
    drafts,
    editor,
    interaction,
    preferences,
    run,
    schedules,
)
from skriptoteket.adapters.web.governing import (
    curation,
    nominations,
    operations,
    oversight,
    review,
    suggestions,
    taxonomy,
)


def page_router() -> APIRouter:
    """Every page but submissions, whose bodies may be big."""
    router = APIRouter(include_in_schema=False)
    router.include_router(catalog.router)
    router.include_router(run.router)
    for each in (
        interaction,
        preferences,
        schedules,
        editor,
        drafts,
        review,
        curation,
        suggestions,
        nominations,
        taxonomy,
        oversight,
        operations,
    ):
        router.include_router(each.router)
    return router


def submission_pages() -> APIRouter:
    """Forms that take files."""
    router = APIRouter(include_in_schema=False)
    router.include_router(run.submissions)
    router.include_router(schedules.submissions)
    router.include_router(editor.submissions)
    return router
