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


def with_nonce(headers: RawHeaders, nonce: str) -> RawHeaders:
    """The same headers, whose content policy also runs inline scripts and styles that bear the nonce.

    A policy that an answer brought itself stays as it is.
    """
    added = f" 'nonce-{nonce}'".encode("ascii")
    return tuple(
        (name, value.replace(b"script-src 'self'", b"script-src 'self'" + added).replace(_STYLES, _STYLES + added))
        if name == b"content-security-policy"
        else (name, value)
        for name, value in headers
    )


_STYLES = b"style-src 'self'"

OVERRIDABLE = frozenset(
    {b"content-security-policy", b"referrer-policy", b"cross-origin-resource-policy", b"x-frame-options"}
)
"""Headers that an answer may set itself."""
