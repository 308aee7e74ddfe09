"""``add page``: a page that shows what a verb answers, in the platform's frame, with a menu entry."""

from __future__ import annotations

import re

from au_sys_python_factory.blueprint.additions.additions import Addition, Package
from au_sys_python_factory.errors import UsageError
from au_sys_python_factory.plan.editing.python import given_as, with_element, with_function

_PATH = re.compile(r"/([a-z][a-z0-9-]{1,39})")


def add_page(package: Package, path: str) -> Addition:
    """A page of its own for the list: template, route above those with an id, test, menu.

    Raises:
        UsageError: the path is not one word below the capability's pages.
    """
    found = _PATH.fullmatch(path)
    taken = {"/new"}
    if found is None or path in taken:
        raise UsageError(
            f"{path!r} is no free path below {package.blueprint.paths['pages']}.",
            fix="one word, for example /overview.",
        )
    word = found[1].replace("-", "_")
    noun = package.blueprint.noun
    title = word.replace("_", " ").capitalize()
    made = package.rendered("page", {"word": word, "title": title, "path": path}, {"word": word})
    router = f"{package.source}/adapters/web/router.py"
    source = _route(package, path, word)
    text = package.text(router)
    after = with_function(text, source, router)
    if after != text:
        marker = f'@router.get("/{{{noun.one}_id}}")'
        before, at, rest = text.partition(marker)
        after = f"{before}{source.strip()}\n\n\n{at}{rest}" if at else after
    plugin = f"{package.source}/manifest/plugin.py"
    entry = f'MenuEntry("{title}", "{package.blueprint.paths["pages"]}{path}", READ)'
    menu = with_element(package.text(plugin), given_as("menu", "Contribution"), entry, plugin)
    return Addition(made, {router: after, plugin: menu})


def _route(package: Package, path: str, word: str) -> str:
    noun, names = package.blueprint.noun, package.blueprint.names
    return f'''
@router.get("{path}")
@access(permission="{package.blueprint.permissions["read"]}")
async def show_{word}(
    request: Request, pages: Frame, listing: Annotated[List{noun.Many}, inject(List{noun.Many})]
) -> Response:
    """The newest {noun.label_many} at a glance."""
    page = await listing()
    return await pages.render(request, "{names.capability}/{word}.html", {{"page": page}})
'''
