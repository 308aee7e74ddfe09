"""``add endpoint``: a verb of the domain, its route, its tests and its gauntlet rows."""

from __future__ import annotations

import re
from dataclasses import dataclass

from au_sys_python_factory.blueprint.additions.additions import Addition, Package
from au_sys_python_factory.blueprint.additions.words import gerund
from au_sys_python_factory.errors import UsageError
from au_sys_python_factory.plan.editing.python import given_as, returned_by, with_element, with_function, with_imports

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
_PATH = re.compile(r"(?:/(?:[a-z0-9][a-z0-9-]*|\{[a-z][a-z0-9_]*\}))+")
_VERB = re.compile(r"[a-z]{2,30}")


@dataclass(frozen=True, slots=True)
class Endpoint:
    """What was asked for; ``access`` is a permission, ``authenticated`` or ``public``."""

    method: str
    path: str
    verb: str
    access: str


def checked(endpoint: Endpoint, package: Package) -> Endpoint:
    """The same, when it can be made.

    Raises:
        UsageError: what cannot, and what would.
    """
    one = package.blueprint.noun.one
    near = f"/{{{one}_id}}/{endpoint.verb}"
    if endpoint.method not in METHODS:
        raise UsageError(f"there is no method {endpoint.method}.", fix=f"one of {', '.join(METHODS)}.")
    if not _VERB.fullmatch(endpoint.verb):
        raise UsageError(f"{endpoint.verb!r} is no verb in lower case.", fix="one word, for example archive.")
    if not _PATH.fullmatch(endpoint.path):
        raise UsageError(f"{endpoint.path!r} is no path below {package.blueprint.paths['api']}.", fix=near)
    named = set(re.findall(r"\{(\w+)\}", endpoint.path))
    if named != {f"{one}_id"}:
        raise UsageError(f"a verb is done to one {package.blueprint.noun.label}: the path names it.", fix=near)
    return endpoint


def add_endpoint(package: Package, asked: Endpoint) -> Addition:
    """The verb as a use case, a route that runs it, tests for who may and who may not, rows for the gauntlet."""
    blueprint = package.blueprint
    noun, names = blueprint.noun, blueprint.names
    word = gerund(asked.verb)
    use_case = f"{asked.verb.capitalize()}{noun.One}"
    values: dict[str, object] = {
        "verb": asked.verb, "Verb": asked.verb.capitalize(), "word": word, "use_case": use_case,
        "method": asked.method, "path": asked.path, "writes": asked.method != "GET", "access": _access(asked.access),
        "closed": asked.access != "public", "permission": asked.access if "." in asked.access else "",
        "tail": asked.path.replace(f"{{{noun.one}_id}}", "{place}"),
        "row_path": asked.path.replace(f"{{{noun.one}_id}}", f"${{{word}_{noun.one}_id}}"),
    }  # fmt: skip
    made = package.rendered("endpoint", values, {"word": word})
    module = f"{names.package}.core.{noun.many}.{word}"
    router = f"{package.source}/adapters/api/router.py"
    text = with_imports(package.text(router), [f"from {module} import {use_case}"], router)
    text = with_function(text, _route(package, asked, use_case), router)
    container = f"{package.source}/manifest/container.py"
    recipe = f"{use_case}(work, now)" if values["writes"] else f"{use_case}(work)"
    service = f"Service({use_case}, lambda _scope: {recipe})"
    wired = with_imports(package.text(container), [f"from {module} import {use_case}"], container)
    wired = with_element(wired, returned_by("services"), service, container)
    return Addition(made, {router: text, container: wired, **_permission(package, asked)})


def _access(asked: str) -> str:
    return f'permission="{asked}"' if "." in asked else f"{asked}=True"


def _route(package: Package, asked: Endpoint, use_case: str) -> str:
    noun = package.blueprint.noun
    label = f"{asked.verb.capitalize()} one {noun.label}; its version in ``ETag``."
    return f'''
@router.{asked.method.lower()}("{asked.path}")
@access({_access(asked.access)})
async def {asked.verb}_{noun.one}(
    {noun.one}_id: str, response: Response, {asked.verb}: Annotated[{use_case}, inject({use_case})]
) -> {noun.One}Output:
    """{label}"""
    found = await {asked.verb}({noun.One}Id({noun.one}_id))
    response.headers["etag"] = tag(found.version)
    return {noun.One}Output.of(found)
'''


def _permission(package: Package, asked: Endpoint) -> dict[str, str]:
    """A permission that is new, for those who edit, in the manifest and in the people of the tests."""
    known = set(package.blueprint.permissions.values())
    if "." not in asked.access or asked.access in known:
        return {}
    plugin = f"{package.source}/manifest/plugin.py"
    people = "tests/adapters/conftest.py"
    said = f"{asked.verb.capitalize()} {package.blueprint.noun.label_many}"
    text = with_element(
        package.text(plugin), given_as("permissions", "Contribution"), f'Permission("{asked.access}", "{said}")', plugin
    )
    if f'"{asked.access}")' not in text.split("Bundle(")[-1]:
        text = text.replace("(READ, WRITE)", f'(READ, WRITE, "{asked.access}")')
    changed = {plugin: text}
    if package.blueprint.names.service:
        roles = f"{package.source}/core/roles.py"
        changed[roles] = package.text(roles)
        if f'"{asked.access}"' not in changed[roles]:
            changed[roles] = changed[roles].replace("(*USER_RIGHTS, WRITE", f'(*USER_RIGHTS, WRITE, "{asked.access}"')
    rights = package.text(people)
    if f'"{asked.access}"' not in rights:
        rights = rights.replace('"editor": {READ, WRITE', f'"editor": {{READ, WRITE, "{asked.access}"')
    return {**changed, people: rights}
