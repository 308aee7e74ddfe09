"""Directories and login providers, for administrators: set up, try, switch off, run."""

from collections.abc import Awaitable, Callable
from typing import Annotated

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from au_sys_identity.adapters.api.door.authentication import caller_of
from au_sys_identity.adapters.web.governing.outside_forms import (
    DIRECTORY_FIELDS,
    PROVIDER_FIELDS,
    FormField,
    typed_directory,
    typed_provider,
)
from au_sys_identity.adapters.web.own.security import ask_again
from au_sys_identity.core.accounts.step_up import StepUp
from au_sys_identity.core.directories.administration import OutsideAdministration
from au_sys_identity.core.directories.syncing import Syncing
from au_sys_identity.core.errors import IdentityError, NotFound, StepUpRequired
from fastapi_services_platform import access
from fastapi_services_platform.fastapi import Pages, inject

router = APIRouter(include_in_schema=False)

DIRECTORIES = "/admin/identity/directories"
PROVIDERS = "/admin/identity/login-providers"
_RUNS = 20
Outside = Annotated[OutsideAdministration, inject(OutsideAdministration)]
Shown = Annotated[Pages, inject(Pages)]
Steps = Annotated[StepUp, inject(StepUp)]
Runs = Annotated[Syncing, inject(Syncing)]


@router.get(DIRECTORIES)
@access(permission="identity.directories.read")
async def directories_page(request: Request, pages: Shown, outside: Outside, syncing: Runs) -> Response:
    """All directories, and the newest runs."""
    context: dict[str, object] = {
        "directories": await outside.directories.all(),
        "pinned": outside.directories.pinned,
        "runs": await syncing.newest(limit=_RUNS),
    }
    return await pages.render(request, "identity/directories.html", context)


@router.get(f"{DIRECTORIES}/new")
@access(permission="identity.settings.write")
async def new_directory_page(request: Request, pages: Shown) -> Response:
    """An empty form."""
    return await _form(request, pages, "directory", "", typed_directory(None), DIRECTORY_FIELDS)


@router.get(f"{DIRECTORIES}/{{name}}")
@access(permission="identity.directories.read")
async def directory_page(request: Request, name: str, pages: Shown, outside: Outside, syncing: Runs) -> Response:
    """One directory with its runs."""
    return await _directory(request, pages, outside, syncing, name)


@router.get(f"{DIRECTORIES}/{{name}}/edit")
@access(permission="identity.settings.write")
async def edit_directory_page(request: Request, name: str, pages: Shown, outside: Outside) -> Response:
    """The form; the password is never shown."""
    typed = typed_directory(await outside.directory(name))
    return await _form(request, pages, "directory", name, typed, DIRECTORY_FIELDS)


@router.post(f"{DIRECTORIES}/save")
@access(permission="identity.settings.write")
async def save_directory(request: Request, pages: Shown, outside: Outside, steps: Steps) -> Response:
    """Add or change."""

    async def keep(given: dict[str, object], new: bool) -> str:
        kept = await outside.keep_directory(given, by=caller_of(request).urn, new=new)
        return f"{DIRECTORIES}/{kept.name}"

    return await _saved(request, pages, steps, "directory", DIRECTORY_FIELDS, keep)


@router.post(f"{DIRECTORIES}/{{name}}/test")
@access(permission="identity.directories.sync")
async def try_directory(request: Request, name: str, pages: Shown, outside: Outside, syncing: Runs) -> Response:
    """Look whether servers, account and filter work."""
    try:
        found = await outside.try_directory(name)
    except NotFound:
        raise
    except IdentityError as error:
        return await _directory(request, pages, outside, syncing, name, error=str(error))
    more = " or more" if found >= 500 else ""
    return await _directory(request, pages, outside, syncing, name, done=f"It answers. {found}{more} people are found.")


@router.post(f"{DIRECTORIES}/{{name}}/run")
@access(permission="identity.directories.sync")
async def run_directory(
    request: Request, name: str, pages: Shown, outside: Outside, syncing: Runs, steps: Steps
) -> Response:
    """A dry run with its preview; the real one takes a fresh proof."""
    async with request.form(max_fields=5) as form:
        dry_run = form.get("dry_run") != "no"
    caller = caller_of(request)
    try:
        if not dry_run:
            await steps.require(caller)
        run = await syncing.run(name, dry_run=dry_run, by=caller.urn)
    except StepUpRequired:
        return ask_again(f"{DIRECTORIES}/{name}")
    except NotFound:
        raise
    except IdentityError as error:
        return await _directory(request, pages, outside, syncing, name, error=str(error))
    return await _directory(request, pages, outside, syncing, name, run=run)


@router.post(f"{DIRECTORIES}/{{name}}/remove")
@access(permission="identity.settings.write")
async def remove_directory(request: Request, name: str, outside: Outside, steps: Steps) -> Response:
    """Its people stay as they are; nobody signs in through it any more."""
    try:
        await steps.require(caller_of(request))
    except StepUpRequired:
        return ask_again(f"{DIRECTORIES}/{name}")
    await outside.directories.remove(name, by=caller_of(request).urn)
    return RedirectResponse(DIRECTORIES, 303)


@router.get(PROVIDERS)
@access(permission="identity.settings.read")
async def providers_page(request: Request, pages: Shown, outside: Outside) -> Response:
    """All login providers."""
    context: dict[str, object] = {"providers": await outside.providers.all(), "pinned": outside.providers.pinned}
    return await pages.render(request, "identity/login_providers.html", {**context, "done": "", "error": ""})


@router.get(f"{PROVIDERS}/new")
@access(permission="identity.settings.write")
async def new_provider_page(request: Request, pages: Shown) -> Response:
    """An empty form."""
    return await _form(request, pages, "provider", "", typed_provider(None), PROVIDER_FIELDS)


@router.get(f"{PROVIDERS}/{{name}}/edit")
@access(permission="identity.settings.write")
async def edit_provider_page(request: Request, name: str, pages: Shown, outside: Outside) -> Response:
    """The form; the secret is never shown."""
    typed = typed_provider(await outside.provider(name))
    return await _form(request, pages, "provider", name, typed, PROVIDER_FIELDS)


@router.post(f"{PROVIDERS}/save")
@access(permission="identity.settings.write")
async def save_provider(request: Request, pages: Shown, outside: Outside, steps: Steps) -> Response:
    """Add or change; the sign-in page shows it at once."""

    async def keep(given: dict[str, object], new: bool) -> str:
        await outside.keep_provider(given, by=caller_of(request).urn, new=new)
        return PROVIDERS

    return await _saved(request, pages, steps, "provider", PROVIDER_FIELDS, keep)


@router.post(f"{PROVIDERS}/{{name}}/test")
@access(permission="identity.settings.write")
async def try_provider(request: Request, name: str, pages: Shown, outside: Outside) -> Response:
    """Look whether discovery and keys work."""
    done, error = "", ""
    try:
        done = f"{name} answers. Browsers are sent to {await outside.try_provider(name)}"
    except NotFound:
        raise
    except IdentityError as trouble:
        error = str(trouble)
    context: dict[str, object] = {
        "providers": await outside.providers.all(),
        "pinned": outside.providers.pinned,
        "done": done,
        "error": error,
    }
    return await pages.render(request, "identity/login_providers.html", context, status_code=502 if error else 200)


@router.post(f"{PROVIDERS}/{{name}}/remove")
@access(permission="identity.settings.write")
async def remove_provider(request: Request, name: str, outside: Outside, steps: Steps) -> Response:
    """Accounts stay linked; nobody signs in through it any more."""
    try:
        await steps.require(caller_of(request))
    except StepUpRequired:
        return ask_again(PROVIDERS)
    await outside.providers.remove(name, by=caller_of(request).urn)
    return RedirectResponse(PROVIDERS, 303)


async def _directory(
    request: Request,
    pages: Pages,
    outside: OutsideAdministration,
    syncing: Syncing,
    name: str,
    *,
    done: str = "",
    error: str = "",
    run: object = None,
) -> Response:
    context: dict[str, object] = {
        "directory": await outside.directory(name),
        "pinned": outside.directories.pinned,
        "runs": await syncing.newest(name, _RUNS),
        "run": run,
        "limit": syncing.limit,
        "done": done,
        "error": error,
    }
    response = await pages.render(request, "identity/directory.html", context, status_code=400 if error else 200)
    response.headers["cache-control"] = "no-store"
    return response


async def _saved(
    request: Request,
    pages: Pages,
    steps: StepUp,
    kind: str,
    fields: tuple[FormField, ...],
    keep: Callable[[dict[str, object], bool], Awaitable[str]],
) -> Response:
    """Ask for a fresh proof, keep what was typed, or show it again with what is wrong; secrets are not shown again."""
    async with request.form(max_fields=40) as form:
        typed = {field.name: str(form.get(field.name, ""))[:20_000] for field in fields}
        old = str(form.get("old", ""))[:40]
    place = DIRECTORIES if kind == "directory" else PROVIDERS
    try:
        await steps.require(caller_of(request))
        given = {field.name: field.read(typed[field.name]) for field in fields}
        if old:
            given["name"] = old
        return RedirectResponse(await keep(given, not old), 303)
    except StepUpRequired:
        return ask_again(f"{place}/{old}/edit" if old else f"{place}/new")
    except IdentityError as error:
        for field in fields:
            if field.kind == "password":
                typed[field.name] = ""
        return await _form(request, pages, kind, old, typed, fields, error=error)


async def _form(
    request: Request,
    pages: Pages,
    kind: str,
    old: str,
    typed: dict[str, str],
    fields: tuple[FormField, ...],
    *,
    error: IdentityError | None = None,
) -> Response:
    context: dict[str, object] = {
        "kind": kind,
        "place": DIRECTORIES if kind == "directory" else PROVIDERS,
        "old": old,
        "fields": fields,
        "typed": typed,
        "error": str(error) if error else "",
        "wrong": getattr(error, "field", ""),
    }
    response = await pages.render(request, "identity/outside_form.html", context, status_code=400 if error else 200)
    response.headers["cache-control"] = "no-store"
    return response
