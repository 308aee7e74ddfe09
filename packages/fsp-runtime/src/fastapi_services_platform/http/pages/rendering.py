"""Pages: Jinja2 templates of capabilities, rendered in the platform's frame.

Templates are addressed as ``<capability>/<file>``; ``frame.html`` and ``components.html`` stand at the root and belong
to everybody. A template is read and first rendered in a thread; later renderings only compute and stay on the loop.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from jinja2 import BaseLoader, ChoiceLoader, Environment, FileSystemLoader, PrefixLoader, StrictUndefined, Template
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import HTMLResponse

from fastapi_services_platform.capability.contribution import LocaleFolder, MenuEntry, StaticFolder, TemplateFolder
from fastapi_services_platform.capability.languages import SOURCE_LANGUAGE, Catalogues, Reader
from fastapi_services_platform.capability.languages.catalogues import SHARED
from fastapi_services_platform.http.door.forgery import FIELD
from fastapi_services_platform.http.exchange import Exchange, exchange_of
from fastapi_services_platform.http.pages.filters import FILTERS, GLOBALS, reading
from fastapi_services_platform.http.pages.folders import folder_of
from fastapi_services_platform.http.pages.menu import Menu, menu_of, standing, way_here
from fastapi_services_platform.http.pages.packing import page_answer
from fastapi_services_platform.http.pages.readers import Readers
from fastapi_services_platform.http.pages.rights import ASKING, questions_in
from fastapi_services_platform.http.pages.static_files import StaticFiles, read_static
from fastapi_services_platform.http.pages.undoing import end_offer, offered_undo
from fastapi_services_platform.observability.logger_factory import get_logger
from fastapi_services_platform.resilience.pools import blocking
from fastapi_services_platform.security.ports import Authorizer
from fastapi_services_platform.security.principal import Principal

THEME_COOKIE = "fsp-theme"
THEMES = ("auto", "light", "dark")

_SHARED = ("fastapi_services_platform.hub", "templates")
_log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class PageParts:
    """What the frame shows and where templates and public files are; read again when a capability comes up later."""

    site: str
    templates: Sequence[tuple[str, TemplateFolder]] = ()
    static: Sequence[tuple[str, StaticFolder]] = ()
    locales: Sequence[tuple[str, LocaleFolder]] = ()
    menu: Sequence[tuple[str, MenuEntry]] = ()
    authorizer: Authorizer | None = None
    entry_page: str | None = None
    paths: frozenset[str] = frozenset()
    environment: str = "prod"
    language: str = SOURCE_LANGUAGE
    timezone: str = "UTC"


class Pages:
    """Renders pages. One per app; :meth:`open` reads templates and public files."""

    def __init__(self, parts: Callable[[], Awaitable[PageParts]]) -> None:
        self._read_parts = parts
        self._parts = PageParts("")
        self._environment = _environment(PrefixLoader({}))
        self._warm: set[tuple[str, str]] = set()
        self._questions: dict[str, tuple[str, ...]] = {}
        self._readers = Readers(Catalogues())
        self.static = StaticFiles({})

    async def open(self) -> None:
        """Read what the capabilities hand over, anew at every call."""
        parts = await self._read_parts()
        loader, static, catalogues = await blocking(_read, parts)
        environment = _environment(loader)
        environment.globals["static_url"] = static.url
        self._readers = Readers(catalogues, parts.language, parts.timezone)
        self._parts, self._environment, self.static = parts, environment, static
        self._warm, self._questions = set(), {}

    async def render(
        self, request: Request, template: str, context: Mapping[str, object] | None = None, status_code: int = 200
    ) -> HTMLResponse:
        """A page in the frame.

        Raises:
            jinja2.TemplateError: there is no such template, or it uses a name that ``context`` lacks.
        """
        answer = page_answer(request, await self.text(request, template, context), status_code)
        end_offer(request, answer)
        return answer

    async def text(self, request: Request, template: str, context: Mapping[str, object] | None = None) -> str:
        """A rendered template as text: for fragments that HTMX swaps in, and for :meth:`render`."""
        reader = await self.reader(request, template.partition("/")[0] if "/" in template else SHARED)
        menu = await self._menu(request, reader)
        whole: dict[str, object] = {**self._surroundings(request, reader, menu), **(context or {})}
        whole[ASKING] = (await self._rights(request, template)).__contains__
        read, stood = reading.set(reader), standing.set(menu)
        try:
            if (template, reader.language) in self._warm:
                return self._environment.get_template(template).render(whole)
            rendered = await blocking(_first_render, self._environment, template, whole)
        finally:
            reading.reset(read)
            standing.reset(stood)
        self._warm.add((template, reader.language))
        return rendered

    @property
    def languages(self) -> tuple[str, ...]:
        """The languages that pages are offered in."""
        return self._readers.catalogues.languages

    @property
    def catalogues(self) -> Catalogues:
        """The texts of every capability, for letters and what else is not a page."""
        return self._readers.catalogues

    def language_of(self, request: Request) -> str:
        """The language of a request."""
        return self._readers.language_of(request, exchange_of(request.scope).principal)

    async def reader(self, request: Request, owner: str = SHARED) -> Reader:
        """Who reads, for texts that an endpoint makes itself: ``(await pages.reader(request, "notes")).text("…")``."""
        return await self._readers.of(request, exchange_of(request.scope).principal, owner)

    async def problem(self, request: Request, members: Mapping[str, object], status: int) -> HTMLResponse:
        """The page that tells a person what went wrong."""
        owner = urlsplit(str(members["type"])).path.rpartition("/problems/")[2].partition("/")[0]
        reader = await self.reader(request, owner)
        said = {name: reader.told(members[name]) for name in ("title", "detail") if name in members}
        return await self.render(request, "problem.html", {"problem": {**members, **said}}, status)

    async def allowed(self, principal: Principal | None, permission: str | None) -> bool:
        """Whether a menu entry, card or button is shown: a signed-in caller who holds the permission."""
        if principal is None:
            return False
        if permission is None:
            return True
        authorizer = self._parts.authorizer
        if authorizer is None:
            return False
        try:
            return (await authorizer.authorize(principal, permission)).allowed
        except Exception as error:  # a page without a menu is better than no page
            _log.error("pages.authorization_failed", permission=permission, exc_info=error)
            return False

    async def _rights(self, request: Request, template: str) -> frozenset[str]:
        """What the reader holds of all that the template asks for."""
        questions = self._questions.get(template)
        if questions is None:
            questions = self._questions[template] = await blocking(questions_in, self._environment, template)
        principal = exchange_of(request.scope).principal
        return frozenset([name for name in questions if await self.allowed(principal, name)])

    async def _menu(self, request: Request, reader: Reader) -> Menu:
        principal = exchange_of(request.scope).principal
        seen = [(owner, entry) for owner, entry in self._parts.menu if await self.allowed(principal, entry.permission)]
        return menu_of(seen, reader, request.url.path)

    def _surroundings(self, request: Request, reader: Reader, menu: Menu) -> dict[str, object]:
        exchange = exchange_of(request.scope)
        principal = exchange.principal
        theme = request.cookies.get(THEME_COOKIE, THEMES[0])
        chosen = principal is not None and (principal.locale or "")[:2] in self.languages
        return {
            "request": request,
            "site": self._parts.site,
            "environment": self._parts.environment,
            "principal": principal,
            "menu": menu,
            "here": request.url.path,
            "lang": reader.language,
            "languages": {} if chosen else self._readers.names,
            "zone": "own" if principal is not None and principal.timezone else getattr(reader.zone, "key", "UTC"),
            "entry_page": self._parts.entry_page,
            "undo": offered_undo(request) if principal is not None else None,
            "has_page": self._parts.paths.__contains__,
            "theme": theme if theme in THEMES else THEMES[0],
            "correlation_id": exchange.correlation_id,
            "csp_nonce": exchange.nonce,
            "csrf_token": lambda: token_for(exchange),
            "csrf_field": lambda: _csrf_field(exchange),
        }


def token_for(exchange: Exchange) -> str:
    """A form token bound to the caller's session.

    Raises:
        LookupError: the platform is not started.
    """
    admission = exchange.edge.admission
    if admission is None:
        raise LookupError("the platform is not started")
    principal = exchange.principal
    return admission.tokens.make((principal.session_binding or "") if principal is not None else "")


def _csrf_field(exchange: Exchange) -> Markup:
    return Markup('<input type="hidden" name="{}" value="{}">').format(FIELD, token_for(exchange))


def _read(parts: PageParts) -> tuple[BaseLoader, StaticFiles, Catalogues]:
    folders: dict[str, list[FileSystemLoader]] = {}
    for capability, folder in parts.templates:
        folders.setdefault(capability, []).append(FileSystemLoader(folder_of(folder.package, folder.folder)))
    by_name: Mapping[str, BaseLoader] = {name: ChoiceLoader(loaders) for name, loaders in folders.items()}
    shared = FileSystemLoader(folder_of(*_SHARED))
    catalogues = Catalogues([(owner, folder_of(item.package, item.folder)) for owner, item in parts.locales])
    return ChoiceLoader([PrefixLoader(by_name), shared]), read_static(parts.static), catalogues


def _environment(loader: BaseLoader) -> Environment:
    environment = Environment(
        loader=loader,
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
        extensions=["jinja2.ext.do"],
    )
    environment.filters.update(FILTERS)
    environment.globals.update(GLOBALS, way_here=way_here)
    return environment


def _first_render(
    environment: Environment, name: str, context: Mapping[str, Any]
) -> str:  # Any: Jinja2's own signature
    template: Template = environment.get_template(name)
    return template.render(context)
