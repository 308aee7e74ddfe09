"""Professions and categories for curators: add, rename, order, remove."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse
from starlette.datastructures import FormData

from fastapi_services_platform import Principal, access
from fastapi_services_platform.fastapi import CurrentPrincipal, Pages, inject
from skriptoteket.adapters.http.acting import Actors
from skriptoteket.adapters.http.auditing import Ledger
from skriptoteket.adapters.web.texts import Readers
from skriptoteket.core.catalog.browsing import Browsing
from skriptoteket.core.catalog.classification import Classification, TagTexts
from skriptoteket.core.errors import Conflict, NotFound, ValidationFailed
from skriptoteket.core.roles import CURATE, Actor

router = APIRouter()

Tags = Annotated[Classification, inject(Classification)]
Catalogue = Annotated[Browsing, inject(Browsing)]
Rights = Annotated[Actors, inject(Actors)]
Book = Annotated[Ledger, inject(Ledger)]
Page = Annotated[Pages, inject(Pages)]
Reading = Annotated[Readers, inject(Readers)]

NOTHING: Mapping[str, str] = MappingProxyType({})


@router.get("/admin/taxonomy", name="skriptoteket_taxonomy")
@access(permission=CURATE)
async def taxonomy(
    request: Request, principal: CurrentPrincipal, catalogue: Catalogue, pages: Page, people: Reading
) -> Response:
    """Everything that tools can be tagged with."""
    return await _page(request, principal, catalogue, pages, people)


@router.post("/admin/taxonomy", name="skriptoteket_change_taxonomy")
@access(permission=CURATE)
async def change(
    request: Request,
    principal: CurrentPrincipal,
    tags: Tags,
    catalogue: Catalogue,
    rights: Rights,
    book: Book,
    pages: Page,
    people: Reading,
) -> Response:
    """``kind`` is profession or category, ``verb`` is add, change or remove; a wrong form is shown again."""
    form = await request.form()
    given = {name: str(value) for name, value in form.items()}
    try:
        await _do(tags, await rights.of(principal, (CURATE,)), form, given)
    except (ValidationFailed, Conflict) as error:
        issues = (
            {issue.field: issue.message for issue in error.issues}
            if isinstance(error, ValidationFailed)
            else {"": str(error)}
        )
        status = 422 if isinstance(error, ValidationFailed) else 409
        return await _page(request, principal, catalogue, pages, people, issues=issues, given=given, status=status)
    await book.record(
        principal, "taxonomy.changed", given.get("slug", ""), kind=given.get("kind", ""), verb=given.get("verb", "")
    )
    return RedirectResponse(request.url_for("skriptoteket_taxonomy").path, 303)


async def _do(tags: Classification, actor: Actor, form: FormData, given: Mapping[str, str]) -> None:
    slug, place = given.get("slug", "").strip(), given.get("sort_order", "").strip()
    order = tuple(str(each) for each in form.getlist("categories"))
    texts = TagTexts(
        given.get("label_en"),
        given.get("label_sv"),
        int(place) if place.isdigit() and len(place) < 8 else None,
        order if "ordered" in given else None,
    )
    verbs = {
        ("profession", "add"): tags.add_profession,
        ("profession", "change"): tags.change_profession,
        ("category", "add"): tags.add_category,
        ("category", "change"): tags.change_category,
    }
    chosen = verbs.get((given.get("kind", ""), given.get("verb", "")))
    if chosen is not None:
        await chosen(actor, slug, texts)
    elif given.get("verb") == "remove" and given.get("kind") in ("profession", "category"):
        await (tags.remove_profession if given["kind"] == "profession" else tags.remove_category)(actor, slug)
    else:
        raise NotFound("verb", given.get("verb", ""))


async def _page(
    request: Request,
    principal: Principal,
    catalogue: Browsing,
    pages: Pages,
    people: Readers,
    *,
    issues: Mapping[str, str] = NOTHING,
    given: Mapping[str, str] = NOTHING,
    status: int = 200,
) -> Response:
    professions = await catalogue.professions()
    context = {
        "reader": people.of(principal, request),
        "professions": professions,
        "categories": await catalogue.categories(),
        "of_profession": {
            each.slug: [category.slug for category in await catalogue.categories(each.slug)] for each in professions
        },
        "issues": issues,
        "given": given,
    }
    return await pages.render(request, "skriptoteket/taxonomy.html", context, status)
