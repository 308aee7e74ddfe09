"""A section of ``CHANGELOG.md`` out of fragments."""

from __future__ import annotations

from au_sys_python_factory.wheels.release.planning.fragments import KINDS, UNPRINTED
from au_sys_python_factory.wheels.release.planning.plan import Release

HEAD = "# Changes\n\nWhat users of this package notice, newest first.\n"
_TITLES = {
    "breaking": "Breaking",
    "added": "Added",
    "changed": "Changed",
    "deprecated": "Deprecated",
    "fixed": "Fixed",
    "security": "Security",
}


def section(release: Release, day: str) -> str:
    """The text of one release."""
    parts = [f"## {release.version} ({day})"]
    for kind in KINDS:
        texts = [f"- {fragment.text}" for fragment in release.fragments if fragment.kind == kind]
        if kind == "changed":
            texts += [f"- It {item.why}." for item in release.rewrites]
        if texts and kind != UNPRINTED:
            parts.append(f"### {_TITLES[kind]}\n\n" + "\n".join(texts))
    if len(parts) == 1:
        parts.append("Nothing that users notice.")
    return "\n\n".join(parts) + "\n"


def with_section(before: str, release: Release, day: str) -> str:
    """The change log with the release on top."""
    text = before or HEAD
    first = text.find("\n## ")
    head, rest = (text, "") if first < 0 else (text[: first + 1], text[first + 1 :])
    return f"{head.rstrip()}\n\n{section(release, day)}" + (f"\n{rest}" if rest else "")
