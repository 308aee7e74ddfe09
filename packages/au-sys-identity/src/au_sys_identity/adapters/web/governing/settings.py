"""Settings of identity, for administrators: what is set, where it comes from, and a form for what may be changed."""

from typing import Annotated

from fastapi import APIRouter, Request
from starlette.datastructures import FormData
from starlette.responses import Response

from au_sys_identity.adapters.api.door.authentication import caller_of
from au_sys_identity.adapters.web.governing.undo import done as undoable
from au_sys_identity.adapters.web.own.security import ask_again
from au_sys_identity.core.accounts.step_up import StepUp
from au_sys_identity.core.errors import IdentityError, InvalidInput, StepUpRequired
from au_sys_identity.core.settings.changing import RuntimeSettings
from au_sys_identity.core.settings.errors import WeakerSetting
from au_sys_identity.core.settings.models import Setting, ShownSettings
from fastapi_services_platform import access
from fastapi_services_platform.fastapi import Pages, inject

router = APIRouter(include_in_schema=False)

_HERE = "/admin/identity/settings"
_LONGEST = 2000
_ELSEWHERE = {"LDAP": "/admin/identity/directories", "PROVIDERS": "/admin/identity/login-providers"}
Known = Annotated[RuntimeSettings, inject(RuntimeSettings)]


@router.get(_HERE)
@access(permission="identity.settings.read")
async def settings_page(request: Request, pages: Annotated[Pages, inject(Pages)], settings: Known) -> Response:
    """All settings; what the environment says is locked."""
    return await _page(request, pages, await settings.shown())


@router.post(_HERE)
@access(permission="identity.settings.write")
async def settings_form(
    request: Request,
    pages: Annotated[Pages, inject(Pages)],
    settings: Known,
    steps: Annotated[StepUp, inject(StepUp)],
) -> Response:
    """Change what differs from what was shown, after a fresh proof."""
    async with request.form(max_fields=200) as form:
        shown = await settings.shown()
        typed = {item.setting.name: _typed(form, item.setting) for item in shown.items if _editable(item.setting)}
        weaker, version = form.get("accept_weaker") == "on", str(form.get("version", ""))
    caller = caller_of(request)
    try:
        await steps.require(caller)
        before = {item.setting.name: item.value for item in shown.items}
        read = {item.setting.name: _read(item.setting, typed) for item in shown.items if _editable(item.setting)}
        values = {name: value for name, value in read.items() if value != before[name]}
        if values:
            expected = int(version) if version.isdigit() and len(version) < 16 else None
            await settings.change(values, by=caller.urn, accept_weaker=weaker, expected_version=expected)
    except StepUpRequired:
        return ask_again(_HERE)
    except IdentityError as error:
        return await _page(request, pages, shown, typed=typed, error=error)
    return await undoable(request, f"{_HERE}?saved=settings")


def _editable(setting: Setting) -> bool:
    return not setting.pinned and setting.name not in _ELSEWHERE


def _pairs(choices: tuple[str, ...]) -> list[tuple[str, str]]:
    return [(choice, choice) for choice in choices]


def _typed(form: FormData, setting: Setting) -> str:
    found = form.get(setting.name, "off" if setting.type == "boolean" else "")
    return found[:_LONGEST] if isinstance(found, str) else ""


def _read(setting: Setting, typed: dict[str, str]) -> object:
    """What was typed, as JSON would say it; an empty field is the default."""
    text = typed[setting.name].strip()
    if setting.type == "boolean":
        return text == "on"
    if not text:
        return None if setting.type == "integer" and setting.default is None else setting.default
    if setting.type != "integer":
        return text
    if not text.lstrip("-").isdigit() or len(text) > 15:
        raise InvalidInput(f"values.{setting.name}", "must be a whole number", "Use digits only.")
    return int(text)


async def _page(
    request: Request,
    pages: Pages,
    shown: ShownSettings,
    *,
    typed: dict[str, str] | None = None,
    error: IdentityError | None = None,
) -> Response:
    wrong = error.field.partition(".")[2].partition(".")[0] if isinstance(error, InvalidInput) else ""
    context: dict[str, object] = {
        "items": shown.items,
        "version": shown.version,
        "typed": typed or {},
        "editable": _editable,
        "pairs": _pairs,
        "elsewhere": _ELSEWHERE,
        "wrong": wrong,
        "weaker": error.settings if isinstance(error, WeakerSetting) else (),
        "error": str(error) if error else "",
        "saved": request.query_params.get("saved", ""),
    }
    response = await pages.render(request, "identity/settings.html", context, status_code=400 if error else 200)
    response.headers["cache-control"] = "no-store"
    return response
