"""Strict response headers by default; an answer that sets one of them itself keeps its own."""

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)

RawHeaders = tuple[tuple[bytes, bytes], ...]


def strict_headers(*, https: bool) -> RawHeaders:
    """The headers of every answer; HSTS only where browsers arrive over TLS."""
    headers = [
        (b"content-security-policy", CONTENT_SECURITY_POLICY.encode()),
        (b"x-content-type-options", b"nosniff"),
        (b"referrer-policy", b"same-origin"),
        (b"cross-origin-opener-policy", b"same-origin"),
        (b"cross-origin-resource-policy", b"same-origin"),
        (b"x-frame-options", b"DENY"),
        (b"permissions-policy", b"camera=(), geolocation=(), microphone=()"),
    ]
    if https:
        headers.append((b"strict-transport-security", b"max-age=31536000; includeSubDomains"))
    return tuple(headers)


OVERRIDABLE = frozenset(
    {b"content-security-policy", b"referrer-policy", b"cross-origin-resource-policy", b"x-frame-options"}
)
"""Headers that an answer may set itself."""
