"""Pages: render a template in the page frame."""

from collections.abc import Mapping

from starlette.requests import Request
from starlette.responses import HTMLResponse


class Pages:
    """Renders templates of capabilities in the page frame."""

    async def render(
        self, request: Request, template: str, context: Mapping[str, object], *, status_code: int = 200
    ) -> HTMLResponse:
        """The page as a response."""
        raise LookupError(f"no template folder holds {template}")
