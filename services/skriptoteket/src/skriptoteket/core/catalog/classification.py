"""Professions and categories: add, rename, order, remove."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TypeVar

from skriptoteket.core.catalog.models import Category, Profession, is_slug
from skriptoteket.core.catalog.ports import CatalogUnit, TaxonomyStore
from skriptoteket.core.errors import Conflict, FieldIssue, NotFound, ValidationFailed
from skriptoteket.core.ports import UnitOfWork
from skriptoteket.core.roles import CURATE, Actor

Tag = TypeVar("Tag", Profession, Category)

_STEP = 10
_LONGEST = 100


@dataclass(frozen=True, slots=True)
class TagTexts:
    """What a curator writes about a profession or category; ``None`` leaves it as it is.

    ``sort_order`` is the place among its like; ``categories`` are those of a profession, in its order.
    """

    label_en: str | None = None
    label_sv: str | None = None
    sort_order: int | None = None
    categories: tuple[str, ...] | None = None


class Classification:
    """The verbs on tags. Lives as long as the app."""

    def __init__(self, work: UnitOfWork[CatalogUnit]) -> None:
        self._work = work

    async def add_profession(self, actor: Actor, slug: str, texts: TagTexts) -> Profession:
        """A new profession with every category, unless it names its own.

        Raises:
            NotFound: the actor does not curate.
            ValidationFailed, Conflict (``duplicate``).
        """
        _ensure_curates(actor)
        async with self._work.write() as unit:
            known = await unit.taxonomy.professions()
            made = Profession(*_new(slug, texts, known))
            await unit.taxonomy.put_profession(made)
            every = tuple(each.slug for each in await unit.taxonomy.categories())
            await _order(unit.taxonomy, slug, every if texts.categories is None else texts.categories)
            return made

    async def add_category(self, actor: Actor, slug: str, texts: TagTexts) -> Category:
        """A new category, the last one of every profession.

        Raises:
            NotFound: the actor does not curate.
            ValidationFailed, Conflict (``duplicate``).
        """
        _ensure_curates(actor)
        async with self._work.write() as unit:
            made = Category(*_new(slug, texts, await unit.taxonomy.categories()))
            await unit.taxonomy.put_category(made)
            for profession in await unit.taxonomy.professions():
                before = [each.slug for each in await unit.taxonomy.categories(profession.slug)]
                await unit.taxonomy.put_order(profession.slug, [*before, slug])
            return made

    async def change_profession(self, actor: Actor, slug: str, texts: TagTexts) -> Profession:
        """Other labels, another place, other categories. Raises ``NotFound``, ``ValidationFailed``."""
        _ensure_curates(actor)
        async with self._work.write() as unit:
            found = _named(await unit.taxonomy.professions(), "profession", slug)
            changed = Profession(*_changed(found, texts))
            await unit.taxonomy.put_profession(changed)
            if texts.categories is not None:
                await _order(unit.taxonomy, slug, texts.categories)
            return changed

    async def change_category(self, actor: Actor, slug: str, texts: TagTexts) -> Category:
        """Other labels, another place. Raises ``NotFound``, ``ValidationFailed``."""
        _ensure_curates(actor)
        async with self._work.write() as unit:
            changed = Category(*_changed(_named(await unit.taxonomy.categories(), "category", slug), texts))
            await unit.taxonomy.put_category(changed)
            return changed

    async def remove_profession(self, actor: Actor, slug: str) -> None:
        """Raises ``NotFound``, ``Conflict`` (``in_use``)."""
        _ensure_curates(actor)
        async with self._work.write() as unit:
            await unit.taxonomy.delete_profession(slug)

    async def remove_category(self, actor: Actor, slug: str) -> None:
        """Raises ``NotFound``, ``Conflict`` (``in_use``)."""
        _ensure_curates(actor)
        async with self._work.write() as unit:
            await unit.taxonomy.delete_category(slug)


def _ensure_curates(actor: Actor) -> None:
    if not actor.holds(CURATE):
        raise NotFound("page", "taxonomy")


def _named(known: Sequence[Tag], kind: str, slug: str) -> Tag:
    found = next((each for each in known if each.slug == slug), None)
    if found is None:
        raise NotFound(kind, slug)
    return found


def _new(slug: str, texts: TagTexts, known: Sequence[Profession | Category]) -> tuple[str, str, str, int]:
    issues = _issues(texts)
    if not is_slug(slug, 64):
        rule = "must be lower-case letters and digits in groups joined by single hyphens, at most 64"
        issues.append(FieldIssue("slug", "pattern", rule))
    issues += [
        FieldIssue(name, "required", "must be filled in")
        for name in ("label_en", "label_sv")
        if getattr(texts, name) is None
    ]
    if issues:
        raise ValidationFailed(issues)
    if slug in {each.slug for each in known}:
        text = f"This address is taken: {slug}. Change that one, or choose another."
        raise Conflict("duplicate", text, {"slug": slug})
    last = max((each.sort_order for each in known), default=0)
    place = last + _STEP if texts.sort_order is None else texts.sort_order
    return slug, str(texts.label_en).strip(), str(texts.label_sv).strip(), place


def _changed(found: Profession | Category, texts: TagTexts) -> tuple[str, str, str, int]:
    issues = _issues(texts)
    if issues:
        raise ValidationFailed(issues)
    label_en = found.label_en if texts.label_en is None else texts.label_en.strip()
    label_sv = found.label_sv if texts.label_sv is None else texts.label_sv.strip()
    return found.slug, label_en, label_sv, found.sort_order if texts.sort_order is None else texts.sort_order


def _issues(texts: TagTexts) -> list[FieldIssue]:
    issues = []
    for name in ("label_en", "label_sv"):
        given = getattr(texts, name)
        if given is not None and not 1 <= len(given.strip()) <= _LONGEST:
            issues.append(FieldIssue(name, "length", f"must have 1 to {_LONGEST} characters"))
    if texts.sort_order is not None and not 0 <= texts.sort_order <= 1_000_000:
        issues.append(FieldIssue("sort_order", "range", "must be between 0 and 1000000"))
    return issues


async def _order(taxonomy: TaxonomyStore, profession: str, wanted: Collection[str]) -> None:
    known = {each.slug for each in await taxonomy.categories()}
    unknown = [slug for slug in wanted if slug not in known]
    if unknown or len(set(wanted)) != len(wanted):
        text = f"unknown: {', '.join(unknown)}" if unknown else "must name each category once"
        raise ValidationFailed([FieldIssue("categories", "unknown" if unknown else "duplicate", text)])
    await taxonomy.put_order(profession, list(wanted))
