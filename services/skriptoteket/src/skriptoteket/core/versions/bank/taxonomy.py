"""The professions and categories that a new library begins with."""

from skriptoteket.core.catalog.models import Category, Profession
from skriptoteket.core.catalog.ports import CatalogUnit
from skriptoteket.core.ports import UnitOfWork

PROFESSIONS = (
    Profession("larare", "Teacher", "Lärare", 10),
    Profession("specialpedagog", "Special-needs teacher", "Specialpedagog", 20),
    Profession("skoladministrator", "School administrator", "Skoladministratör", 30),
    Profession("rektor", "Headmaster", "Rektor", 40),
    Profession("gemensamt", "For everyone", "Gemensamt", 50),
)
CATEGORIES = (
    Category("lektionsplanering", "Lesson planning", "Lektionsplanering", 10),
    Category("mentorskap", "Mentoring", "Mentorskap", 20),
    Category("administration", "Administration", "Administration", 30),
    Category("ovrigt", "Other", "Övrigt", 40),
)


async def install_taxonomy(work: UnitOfWork[CatalogUnit]) -> int:
    """Add what is missing; what is there stays as somebody may have renamed it. The answer is how many were added."""
    async with work.write() as unit:
        known_professions = {each.slug for each in await unit.taxonomy.professions()}
        known_categories = {each.slug for each in await unit.taxonomy.categories()}
        added = 0
        for category in CATEGORIES:
            if category.slug not in known_categories:
                await unit.taxonomy.put_category(category)
                added += 1
        for profession in PROFESSIONS:
            if profession.slug not in known_professions:
                await unit.taxonomy.put_profession(profession)
                await unit.taxonomy.put_order(profession.slug, [category.slug for category in CATEGORIES])
                added += 1
        return added
