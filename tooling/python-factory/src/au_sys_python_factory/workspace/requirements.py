"""Names of distributions in requirement lines."""

import re


def canonical(name: str) -> str:
    """A distribution's name as the index spells it (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def requirement_name(line: str) -> str:
    """The distribution that a requirement line asks for."""
    found = re.match(r"[A-Za-z0-9][A-Za-z0-9._-]*", line.strip())
    return canonical(found[0]) if found else ""
