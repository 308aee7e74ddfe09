"""Browse and curate: wire shapes."""

from pydantic import BaseModel, JsonValue

from skriptoteket.core.catalog.browsing import Shelf
from skriptoteket.core.catalog.models import Category, Profession, Tool
from skriptoteket.core.runs.inputs import UploadLimits
from skriptoteket.core.versions.models import ToolVersion


class TagOut(BaseModel):
    """A profession or a category."""

    slug: str
    label_en: str
    label_sv: str
    sort_order: int

    @classmethod
    def of(cls, tag: Profession | Category) -> "TagOut":
        """The wire shape of a tag."""
        return cls(slug=tag.slug, label_en=tag.label_en, label_sv=tag.label_sv, sort_order=tag.sort_order)


class ToolOut(BaseModel):
    """A catalogue entry."""

    id: str
    slug: str
    title: str
    summary: str
    title_sv: str
    summary_sv: str
    professions: list[str]
    categories: list[str]
    favourite: bool

    @classmethod
    def of(cls, tool: Tool, favourite: bool) -> "ToolOut":
        """The wire shape of a tool."""
        return cls(
            id=str(tool.id),
            slug=tool.slug,
            title=tool.title,
            summary=tool.summary,
            title_sv=tool.title_sv,
            summary_sv=tool.summary_sv,
            professions=list(tool.professions),
            categories=list(tool.categories),
            favourite=favourite,
        )


class UploadLimitsOut(BaseModel):
    """What one submission may bring."""

    max_files: int
    max_file_bytes: int
    max_total_bytes: int

    @classmethod
    def of(cls, limits: UploadLimits) -> "UploadLimitsOut":
        """The wire shape of the limits."""
        return cls(
            max_files=limits.max_files, max_file_bytes=limits.max_file_bytes, max_total_bytes=limits.max_total_bytes
        )


class ToolDetail(ToolOut):
    """A catalogue entry with what is needed to run it."""

    version_number: int
    behaviour_hash: str
    input_schema: list[dict[str, JsonValue]]
    settings_schema: list[dict[str, JsonValue]]
    usage_instructions: str
    instructions_seen: bool
    upload_limits: UploadLimitsOut
    runnable: bool
    reason: str
    fix: str

    @classmethod
    def detail(
        cls,
        tool: Tool,
        version: ToolVersion,
        favourite: bool,
        limits: UploadLimits,
        unavailable: tuple[str, str],
        seen: bool,
    ) -> "ToolDetail":
        """The wire shape of a tool with its active version; ``unavailable`` is reason and fix, empty when it runs."""
        reason, fix = unavailable
        return cls(
            **ToolOut.of(tool, favourite).model_dump(),
            version_number=version.version_number,
            behaviour_hash=version.behaviour_hash,
            input_schema=[dict(item) for item in version.behaviour.input_schema],
            settings_schema=[dict(item) for item in version.behaviour.settings_schema],
            usage_instructions=version.behaviour.usage_instructions,
            instructions_seen=seen,
            upload_limits=UploadLimitsOut.of(limits),
            runnable=not reason,
            reason=reason,
            fix=fix,
        )


class ToolList(BaseModel):
    """Tools in their order; ``total`` is how many there are altogether."""

    items: list[ToolOut]
    total: int
    next_cursor: str | None = None

    @classmethod
    def of(cls, shelf: Shelf) -> "ToolList":
        """The wire shape of a shelf."""
        items = [ToolOut.of(tool, tool.id in shelf.favourites) for tool in shelf.tools]
        return cls(items=items, total=shelf.total, next_cursor=str(shelf.after) if shelf.after is not None else None)
