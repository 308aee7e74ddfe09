"""CORS: closed by default; a configured origin may call with a header credential, never with cookies."""

from collections.abc import Mapping, Sequence

from fastapi_services_platform.http.problems import Problem

_METHODS = "GET, HEAD, POST, PUT, PATCH, DELETE"
_HEADERS = "authorization, content-type, x-api-key, x-correlation-id, if-match, if-none-match"
_AGE = "600"

RawHeaders = tuple[tuple[bytes, bytes], ...]


class Cors:
    """Knows the origins that may call. ``Access-Control-Allow-Credentials`` is never sent."""

    def __init__(self, origins: Sequence[str]) -> None:
        self._origins = frozenset(origin.rstrip("/").encode("ascii") for origin in origins)
        self.any = bool(self._origins)

    def headers_for(self, headers: Mapping[bytes, bytes]) -> RawHeaders:
        """What every answer carries: the origin when it is allowed, and that answers differ by origin."""
        origin = headers.get(b"origin")
        vary = (b"vary", b"Origin")
        if origin is None or origin not in self._origins:
            return (vary,)
        expose = (b"access-control-expose-headers", b"x-correlation-id, etag")
        return (vary, (b"access-control-allow-origin", origin), expose)

    def preflight(self, method: str, headers: Mapping[bytes, bytes]) -> Problem | None:
        """The answer to a preflight of an allowed origin, or ``None``: then the request goes the usual way."""
        if method != "OPTIONS" or b"access-control-request-method" not in headers:
            return None
        if headers.get(b"origin") not in self._origins:
            return None
        allowed = {
            "access-control-allow-methods": _METHODS,
            "access-control-allow-headers": _HEADERS,
            "access-control-max-age": _AGE,
        }
        return Problem(204, "preflight", "", headers=allowed)
