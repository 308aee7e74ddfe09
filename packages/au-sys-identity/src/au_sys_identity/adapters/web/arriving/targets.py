"""Where a person lands after sign-in: a path of this origin, never anywhere else."""

from urllib.parse import unquote, urlsplit

_LONGEST = 2000


def safe_target(wanted: str | None, default: str = "/account") -> str:
    """The wanted path, or the default when it could lead off this origin in any browser's reading."""
    if not wanted or len(wanted) > _LONGEST or not wanted.isascii() or not wanted.isprintable():
        return default
    decoded = unquote(unquote(wanted))
    for text in (wanted, decoded):
        if not text.startswith("/") or text.startswith("//") or "\\" in text or not text.isprintable():
            return default
    parts = urlsplit(wanted)
    if parts.scheme or parts.netloc:
        return default
    return default if parts.path.rstrip("/") in ("/login", "/logout") else wanted
