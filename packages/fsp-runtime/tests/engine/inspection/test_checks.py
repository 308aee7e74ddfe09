"""What doctor looks for in an assembled platform."""

from collections.abc import Callable

from fastapi import APIRouter

from fastapi_services_platform import PlatformSettings, RouterMount, Tier, access, create_app
from fastapi_services_platform.engine.app_factory import PlatformApp
from fastapi_services_platform.engine.inspection.checks import _broken_routes
from fastapi_services_platform.engine.plugin_loader import find_capabilities
from fastapi_services_platform.http.fastapi_sharing import lean_declarations
from fastapi_services_platform.testing.stand_ins import Prepared


async def test_an_endpoint_that_cannot_be_called_is_found(
    sample: Callable[..., Prepared], settings: PlatformSettings
) -> None:
    """The start does not look at signatures; doctor names the route whose parameters FastAPI does not take."""

    class Odd: ...

    @access(public=True)
    async def odd(key: Odd) -> None: ...

    @access(public=True)
    async def fine(key: int) -> None: ...

    router = APIRouter()
    with lean_declarations():
        router.add_api_route("/odd", odd)
        router.add_api_route("/fine", fine)
    app = create_app(settings, capabilities=[sample(routers=(RouterMount("api", router, Tier.API),))])
    assert isinstance(app, PlatformApp)
    await app.assembly.assemble(find_capabilities(app.state.capabilities))
    (found,) = _broken_routes(app)
    assert (found.code, found.level, found.what) == ("FSP010", "error", "demo: GET /odd")
    assert "Invalid args for response field" in found.message
