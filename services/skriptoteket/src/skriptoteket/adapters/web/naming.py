"""What a tool is called and where it is found, in forms of curators and of maintainers."""

from dataclasses import replace

from starlette.datastructures import FormData

from skriptoteket.core.catalog.curation import ToolTexts
from skriptoteket.core.catalog.models import Tool, slug_of

_TEXTS = ("slug", "title", "summary", "title_sv", "summary_sv")


def texts_of(form: FormData) -> ToolTexts:
    """What was filled in; a text that the form does not have stays."""
    texts = {name: str(form[name]) for name in _TEXTS if name in form}
    professions = tuple(str(each) for each in form.getlist("professions"))
    categories = tuple(str(each) for each in form.getlist("categories"))
    return ToolTexts(**texts, professions=professions, categories=categories)  # type: ignore[arg-type]  # texts only


def filled(tool: Tool, given: ToolTexts | None) -> Tool:
    """The tool as the form shows it: with what was sent, and an address out of the title while it has none."""
    if given is not None:
        names = (*_TEXTS, "professions", "categories")
        return replace(tool, **{name: value for name in names if (value := getattr(given, name)) is not None})
    return replace(tool, slug=slug_of(tool.title) or tool.slug) if tool.has_placeholder_slug else tool
