"""Taxonomy routes of curators: professions and categories."""

from typing import Annotated

from fastapi import APIRouter, Response

from fastapi_services_platform import Principal, access
from fastapi_services_platform.fastapi import CurrentPrincipal, inject
from skriptoteket.adapters.api.schemas.catalog import TagOut
from skriptoteket.adapters.api.schemas.taxonomy import ProfessionChange, ProfessionIn, TagChange, TagIn
from skriptoteket.adapters.http.acting import Actors
from skriptoteket.adapters.http.auditing import Ledger
from skriptoteket.core.catalog.classification import Classification
from skriptoteket.core.roles import CURATE, Actor

router = APIRouter()

Tags = Annotated[Classification, inject(Classification)]
Rights = Annotated[Actors, inject(Actors)]
Book = Annotated[Ledger, inject(Ledger)]


@router.post("/admin/professions", status_code=201, name="skriptoteket_api_add_profession")
@access(permission=CURATE)
async def add_profession(
    body: ProfessionIn, principal: CurrentPrincipal, tags: Tags, rights: Rights, book: Book
) -> TagOut:
    """A new profession; with every category unless it names its own."""
    made = await tags.add_profession(await _actor(rights, principal), body.slug, body.texts())
    await book.record(principal, "taxonomy.changed", made.slug, kind="profession", verb="added")
    return TagOut.of(made)


@router.patch("/admin/professions/{profession}", name="skriptoteket_api_change_profession")
@access(permission=CURATE)
async def change_profession(
    profession: str, body: ProfessionChange, principal: CurrentPrincipal, tags: Tags, rights: Rights, book: Book
) -> TagOut:
    """Other labels, another place, or its categories in another order."""
    changed = await tags.change_profession(await _actor(rights, principal), profession, body.texts())
    await book.record(principal, "taxonomy.changed", changed.slug, kind="profession", verb="changed")
    return TagOut.of(changed)


@router.delete("/admin/professions/{profession}", status_code=204, name="skriptoteket_api_remove_profession")
@access(permission=CURATE)
async def remove_profession(
    profession: str, principal: CurrentPrincipal, tags: Tags, rights: Rights, book: Book
) -> Response:
    """409 `in_use` while a tool is tagged with it."""
    await tags.remove_profession(await _actor(rights, principal), profession)
    await book.record(principal, "taxonomy.changed", profession, kind="profession", verb="removed")
    return Response(status_code=204)


@router.post("/admin/categories", status_code=201, name="skriptoteket_api_add_category")
@access(permission=CURATE)
async def add_category(body: TagIn, principal: CurrentPrincipal, tags: Tags, rights: Rights, book: Book) -> TagOut:
    """A new category, the last one of every profession."""
    made = await tags.add_category(await _actor(rights, principal), body.slug, body.texts())
    await book.record(principal, "taxonomy.changed", made.slug, kind="category", verb="added")
    return TagOut.of(made)


@router.patch("/admin/categories/{category}", name="skriptoteket_api_change_category")
@access(permission=CURATE)
async def change_category(
    category: str, body: TagChange, principal: CurrentPrincipal, tags: Tags, rights: Rights, book: Book
) -> TagOut:
    """Other labels, or another place."""
    changed = await tags.change_category(await _actor(rights, principal), category, body.texts())
    await book.record(principal, "taxonomy.changed", changed.slug, kind="category", verb="changed")
    return TagOut.of(changed)


@router.delete("/admin/categories/{category}", status_code=204, name="skriptoteket_api_remove_category")
@access(permission=CURATE)
async def remove_category(
    category: str, principal: CurrentPrincipal, tags: Tags, rights: Rights, book: Book
) -> Response:
    """409 `in_use` while a tool is tagged with it."""
    await tags.remove_category(await _actor(rights, principal), category)
    await book.record(principal, "taxonomy.changed", category, kind="category", verb="removed")
    return Response(status_code=204)


async def _actor(rights: Actors, principal: Principal) -> Actor:
    return await rights.of(principal, (CURATE,))
