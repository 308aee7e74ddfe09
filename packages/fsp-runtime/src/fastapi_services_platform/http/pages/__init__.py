"""Pages in the platform's frame, and the public files that they need."""

from fastapi_services_platform.http.pages.readers import LANGUAGE_COOKIE
from fastapi_services_platform.http.pages.rendering import THEME_COOKIE, THEMES, PageParts, Pages, token_for

__all__ = ["LANGUAGE_COOKIE", "THEMES", "THEME_COOKIE", "PageParts", "Pages", "token_for"]
