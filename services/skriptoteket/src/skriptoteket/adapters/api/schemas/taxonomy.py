"""Professions and categories as curators send them."""

from pydantic import BaseModel, ConfigDict, Field

from skriptoteket.core.catalog.classification import TagTexts


class TagChange(BaseModel):
    """What is left out stays as it is."""

    model_config = ConfigDict(extra="forbid")

    label_en: str | None = Field(None, max_length=100)
    label_sv: str | None = Field(None, max_length=100)
    sort_order: int | None = Field(None, ge=0, le=1_000_000)

    def texts(self) -> TagTexts:
        """As the domain has them."""
        return TagTexts(self.label_en, self.label_sv, self.sort_order)


class TagIn(TagChange):
    """A new category."""

    slug: str = Field(min_length=1, max_length=64)


class ProfessionChange(TagChange):
    """``categories`` are the slugs of the profession's categories, in its order."""

    categories: list[str] | None = Field(None, max_length=200)

    def texts(self) -> TagTexts:
        """As the domain has them."""
        order = None if self.categories is None else tuple(self.categories)
        return TagTexts(self.label_en, self.label_sv, self.sort_order, order)


class ProfessionIn(ProfessionChange):
    """A new profession."""

    slug: str = Field(min_length=1, max_length=64)
