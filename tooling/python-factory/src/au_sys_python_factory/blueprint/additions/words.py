"""Verbs as people say them, and as files and classes spell them."""

import re

_DOUBLED = re.compile(r"^[^aeiou]*[aeiou][bdgmnprt]$")


def gerund(verb: str) -> str:
    """``archive`` as ``archiving``, ``stop`` as ``stopping``."""
    if verb.endswith("ie"):
        return f"{verb[:-2]}ying"
    if verb.endswith("e") and not verb.endswith(("ee", "oe", "ye")):
        return f"{verb[:-1]}ing"
    return f"{verb}{verb[-1]}ing" if _DOUBLED.match(verb) else f"{verb}ing"
